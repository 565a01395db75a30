"""A day of a desk, with the client that openapi-generator makes. It refuses answers that are not as
the document says. Prints a line per part of the day."""

import sys
import time

import openapi_client as api
from openapi_client.configuration import Configuration
from openapi_client.exceptions import ApiException

TENANT = "GENERATED"
client = api.ApiClient(Configuration(host=sys.argv[1], access_token=sys.argv[2]))
audit, challenges = api.AuditApi(client), api.ChallengesApi(client)
configuration, events = api.ConfigurationApi(client), api.EventsApi(client)
reports, runs = api.ReportsApi(client), api.RunsApi(client)
stories = api.StoriesApi(client)


def until_over(read):
    while True:
        now = read()
        if now.status.value in ("Complete", "Failed", "Cancelled"):
            return now
        time.sleep(0.05)


def finished(job):
    return until_over(lambda: audit.job(job.job_id, TENANT))


def result(job):
    return audit.job_result(job.job_id, TENANT).actual_instance


# Configure: a rule is added, linked to a node, and stale changes are refused.
rule = api.SecRuleGiven(rule_syntax="fico >= 300")
token = configuration.put_sec_rule("ANY FICO", TENANT, rule, reason="desk meeting").token
node = configuration.list_constraints(TENANT).rows[0]
path = [node.investor_id, node.investor_instrument_name, node.constraint_name]
configuration.put_rule_link(*[part or "-" for part in path], "ANY FICO", TENANT)
try:
    configuration.put_sec_rule("ANY FICO", TENANT, rule, if_match=f'"{token - 1}"')
except ApiException as stale:
    print("configure:", stale.status, stale.data.type.rsplit(":", 1)[1])
last = configuration.configuration_history(TENANT, limit=1000).changes[-1]
print("history:", last.event, last.actor)

# Run: a repeated request is the same run; its events arrive while it is worked on.
asked = api.Asked(options=api.Options(price_mode="pc"))
print("preflight refuses:", api.InputApi(client).preflight(TENANT, asked).refused)
run = runs.run(TENANT, asked, idempotency_key="morning").run_id
print("again:", runs.run(TENANT, asked, idempotency_key="morning").run_id == run)
followed, after = [], 0
while not followed or not followed[-1].type.startswith("powerfill.run.RunCompleted"):
    page = events.of_run(run, TENANT, after=after, limit=100)
    followed, after = followed + page.events, page.next_after
shown = runs.show(run, TENANT)
print("run:", shown.status.value, shown.fraction, len(followed) == shown.events)

# Read: all pages of a report, in an order, are its loans; the value, the overview.
rows, cursor = [], None
while cursor is not None or not rows:
    page = reports.report_guide(run, TENANT, limit=2, cursor=cursor, sort="-score")
    rows, cursor = rows + page.rows, page.next
print("pages:", len(rows) == len({row.loan_id for row in rows}) > 2)
total = reports.report_value(run, TENANT).rows[0]
print("value:", total.loans > 0, reports.overview(run, TENANT).run.run_id == str(run))

# Explain: a loan, a trade, what both have to do with each other, and what would have helped.
row = next(row for row in rows if row.var_pass)
loan = stories.loan(run, row.loan_id, TENANT).actual_instance
pair = stories.loan(run, row.loan_id, TENANT, trade=row.trade_id).actual_instance
trade = stories.trade(run, row.trade_id, TENANT)
print("loan:", loan.outcome.outcome, loan.outcome.trade_id == row.trade_id, len(loan.candidates) > 0)
print("pair:", pair.relation, pair.candidate.verdict.var_is)
print("trade:", trade.trade_id == row.trade_id, row.loan_id in [one.loan_id for one in trade.entries])
kicked_out = reports.report_kickouts(run, TENANT).rows[0].loan_id
print("what if:", stories.what_if(run, kicked_out, TENANT).loan_id == kicked_out)

# Replay, and compare with a run of other options.
print("replay:", audit.replay_run(run, TENANT).answer)
asked = api.Asked(options=api.Options(price_mode="po"))
other = until_over(lambda now=runs.run(TENANT, asked).run_id: runs.show(now, TENANT)).run_id
diff = audit.diff_runs(run, TENANT, api.Against(against=str(other)))
print("diff:", diff.answer, diff.here.run_id == str(run), [one.option for one in diff.why.options])
print("classes:", diff.differences == diff.classified.unclassified, len(diff.loans) == diff.loans_parted)

# Try, challenge, and verify.
body = api.TriesBody(base_run=run, tries=[api.EditedTry(edits=["price_mode=po"])])
tried = api.ScenariosApi(client).try_edits(TENANT, body)
print("try:", tried.tries[0].name, tried.base.value == total.value_amount)
challenge = finished(challenges.challenge(run, TENANT, api.ChallengeRequest(steps=2000)))
names = [item.challenge for item in challenges.challenges(run, TENANT).challenges]
print("challenge:", challenge.status.value, challenge.answer in names)
certified = challenges.challenge_of_run(challenge.answer, TENANT).certified
print("found:", result(challenge).certified.gap == certified.gap)
since = api.VerificationRequest(since=audit.seal(TENANT))
verification = finished(audit.verify_in_job(TENANT, since))
print("verify:", verification.answer, result(verification).answer == verification.answer)

# Export: all rows at once, as another system would have them, and files to keep.
csv = reports.report_guide_without_preload_content(run, TENANT, format="csv", whole=True).data
files = [("pfill_powerfill_guide.csv", csv)]
print("export:", finished(audit.compare_with_export(run, TENANT, file=files)).answer)
print("files:", audit.evidence(run, TENANT)[:2], reports.workbook(run, TENANT)[:2])
