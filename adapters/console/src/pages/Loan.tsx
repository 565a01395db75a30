import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { loanQuery, nodeName, type LoanExplanation, type NodeFailure } from "../api/explain";
import { count, dollars, grouped, points, words } from "../format";
import { Card } from "../parts/Card";
import { ShowAll, useFirst } from "../parts/ShowAll";
import { num, Table } from "../parts/Table";
import { TradeId } from "../parts/links";
import { RequestState } from "../shell/Problem";
import { useTenant } from "../shell/tenant";
import { RunLinks } from "./RunLinks";
import { Verdict, VerdictBadge } from "./Verdict";
import { WhatIf, WhyNot } from "./WhatIf";

const KICKOUTS: Record<string, string> = {
  NoMatchingConstraint: "no constraint with a trade describes it",
  NoOpenTrade: "no trade of a matching instrument is in the run",
  SettlesTooSoon: "each matching trade settles before it can be delivered",
  NoPrice: "nothing prices it in a matching trade",
  CapacityExhausted: "no trade that it matches had room for it",
  LimitReached: "a trade has room for it, but a constraint's limit bars it",
};

function Answer({ loan }: { loan: LoanExplanation }) {
  const { outcome } = loan;
  switch (outcome.outcome) {
    case "allocated":
      return (
        <div className="notice good">
          <strong>
            It goes to trade <TradeId id={outcome.trade_id} />, at a score of{" "}
            {points(outcome.pricing.score)}
          </strong>
          <p>
            {words(outcome.pass)} placed it in turn {outcome.turn} (placement{" "}
            {grouped(outcome.allocation_seq)}), as {nodeName(outcome.node)}. The trade settles{" "}
            {outcome.settlement_date}.
            {loan.present_trade_id === outcome.trade_id && " It stays in its present trade."}
          </p>
        </div>
      );
    case "kicked_out":
      return (
        <div className="notice bad">
          <strong>
            It is kicked out: {KICKOUTS[outcome.reason] ?? words(outcome.reason).toLowerCase()}
          </strong>
          <p>
            It matched {count(outcome.constraints_matched, "constraint")} and has{" "}
            {count(outcome.candidates, "candidate")}.
            {outcome.best_trade_id && (
              <>
                {" "}
                The best was <TradeId id={outcome.best_trade_id} />
                {outcome.best_score && `, at a score of ${points(outcome.best_score)}`}.
              </>
            )}
          </p>
        </div>
      );
    case "pinned":
      return (
        <div className="notice">
          <strong>It stays in pool {outcome.pool_name}</strong>
          <p>
            {words(outcome.held_reason)}: the run does not move it.
            {outcome.trade_id && (
              <>
                {" "}
                The pool is in trade <TradeId id={outcome.trade_id} />.
              </>
            )}
          </p>
        </div>
      );
    case "undecided":
      return (
        <div className="notice warn">
          <strong>Its place is not known: the run ended before</strong>
        </div>
      );
    case "no_part":
      return (
        <div className="notice warn">
          <strong>It takes no part in the run</strong>
          <p>
            {loan.standing?.participation
              ? words(loan.standing.participation.takes_part)
              : "The snapshot of the run does not have this loan. Check the id."}
          </p>
        </div>
      );
  }
}

function Candidates({ loan }: { loan: LoanExplanation }) {
  const candidates = useFirst(loan.candidates, 15);
  if (loan.candidates.length === 0) return <p className="empty">It has no candidate.</p>;
  return (
    <>
      <Table
        label="Candidates of the loan"
        heads={[
          num("Turn"),
          num("Rank"),
          "Trade",
          "Constraint",
          "Settles",
          num("Score"),
          "Answer",
          "Why",
        ]}
      >
        <tbody>
          {candidates.shown.map((candidate) => (
            <tr key={`${String(candidate.turn)}-${String(candidate.candidate_rank)}`}>
              <td className="num">{candidate.turn}</td>
              <td className="num">{grouped(candidate.candidate_rank)}</td>
              <td>
                <TradeId id={candidate.trade_id} />
              </td>
              <td>{nodeName(candidate.node)}</td>
              <td className="nowrap">{candidate.settlement_date}</td>
              <td className="num">{points(candidate.pricing.score)}</td>
              <td>
                <VerdictBadge verdict={candidate.verdict} />
              </td>
              <td className="text-cell">
                <Verdict verdict={candidate.verdict} />
                {candidate.at_end && (
                  <div className="muted small">
                    At the end: {dollars(candidate.at_end.room_amount)} of room
                    {candidate.at_end.excess_amount === null
                      ? candidate.at_end.full_limits.length > 0 && ", barred by a limit"
                      : `, ${dollars(candidate.at_end.excess_amount)} too little`}
                    .
                  </div>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </Table>
      <ShowAll of={candidates} text={`Show all ${grouped(loan.candidates.length)} candidates`} />
    </>
  );
}

function failureWords(failure: NodeFailure): string {
  const bound = (name: string) => String(failure[name]);
  switch (failure.failed) {
    case "rule": {
      const has = (failure.values ?? [])
        .map((value) => `${value.column} is ${value.value ?? "empty"}`)
        .join(", ");
      return `rule ${failure.rule_name ?? ""} asks for ${failure.clause ?? ""}${has && `; ${has}`}`;
    }
    case "note_rate_below":
      return `its note rate is below ${bound("min_note_rate")}`;
    case "note_rate_above":
      return `its note rate is above ${bound("max_note_rate")}`;
    case "term_below":
      return `its term is below ${bound("min_term_months")} months`;
    case "term_above":
      return `its term is above ${bound("max_term_months")} months`;
    default:
      return words(failure.failed).toLowerCase();
  }
}

function Constraints({ loan }: { loan: LoanExplanation }) {
  const nodes = loan.standing?.nodes ?? [];
  const matched = nodes.filter((node) => node.matched);
  const near = nodes
    .filter((node) => !node.matched)
    .sort((a, b) => a.failures.length - b.failures.length);
  return (
    <>
      {matched.length === 0 ? (
        <p className="empty">No constraint describes it.</p>
      ) : (
        <ul className="plain">
          {matched.map((node) => (
            <li key={JSON.stringify(node.node)}>
              <strong>{nodeName(node.node)}</strong>{" "}
              <span className="muted">
                {node.node.investor_id}, turn {node.turn}, {count(node.trades, "trade")}
              </span>
            </li>
          ))}
        </ul>
      )}
      {near.length > 0 && (
        <details>
          <summary>
            {count(near.length, "constraint")} that it does not match, the nearest first
          </summary>
          <ul className="plain">
            {near.slice(0, 60).map((node) => (
              <li key={JSON.stringify(node.node)}>
                <strong>{nodeName(node.node)}</strong>{" "}
                <span className="muted">{node.failures.map(failureWords).join("; ")}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

function Steps({ loan }: { loan: LoanExplanation }) {
  return (
    <ol className="plain">
      {loan.steps.map((step, index) => {
        const at = (name: string) => {
          const value = step[name];
          return typeof value === "string" ? value : null;
        };
        const to = at("to_trade_id") ?? at("trade_id");
        const from = at("from_trade_id");
        return (
          <li key={index}>
            <strong>{words(step.step)}</strong>
            {from && (
              <>
                {" "}
                from <TradeId id={from} />
              </>
            )}
            {to && (
              <>
                {step.step === "released" ? " from " : " to "}
                <TradeId id={to} />
              </>
            )}{" "}
            <span className="muted">
              {words(step.pass).toLowerCase()}, turn {step.turn}
            </span>
          </li>
        );
      })}
    </ol>
  );
}

export function LoanPage() {
  const tenant = useTenant();
  const { runId, loanId } = useParams({ from: "/runs/$runId/loans/$loanId" });
  const query = useQuery(loanQuery(tenant.tenant_id, runId, loanId));
  const loan = query.data;
  return (
    <RunLinks runId={runId}>
      <h2 className="subject">
        Loan {loanId}
        {loan?.loan_amount && <span className="muted"> {dollars(loan.loan_amount)}</span>}
      </h2>
      <RequestState of={query} what="the explanation" />
      {loan && (
        <>
          <Answer loan={loan} />
          {loan.outcome.outcome === "kicked_out" && (
            <WhatIf key={loanId} runId={runId} loanId={loanId} />
          )}
          <Card title="Candidates, as the passes saw them">
            <Candidates loan={loan} />
          </Card>
          <WhyNot key={`${loanId} why`} />
          <div className="columns">
            <Card title="The loan">
              <dl className="facts">
                <dt>Present pool</dt>
                <dd>{loan.pool_name ?? "none"}</dd>
                <dt>Present trade</dt>
                <dd>{loan.present_trade_id ? <TradeId id={loan.present_trade_id} /> : "none"}</dd>
                <dt>Status</dt>
                <dd>{loan.standing?.curr_status ?? "unknown"}</dd>
                <dt>Note rate</dt>
                <dd>{loan.standing?.note_rate ?? "unknown"}</dd>
                <dt>Term</dt>
                <dd>{loan.standing?.term_months ?? "unknown"} months</dd>
                <dt>Deliverable</dt>
                <dd>{loan.standing?.deliverable_on ?? "unknown"}</dd>
                <dt>Lock expires</dt>
                <dd>{loan.standing?.lock_expiration_date ?? "unknown"}</dd>
                {loan.synthetic?.best && (
                  <>
                    <dt>Best synthetic option</dt>
                    <dd>
                      {loan.synthetic.best.slot.investor_instrument_name}, settling{" "}
                      {loan.synthetic.best.slot.settlement_date}, at{" "}
                      {points(loan.synthetic.best.price)}, of{" "}
                      {count(loan.synthetic.options, "option")}
                      {loan.synthetic.give_up !== null &&
                        `; the place gives up ${points(loan.synthetic.give_up)} points against it`}
                    </dd>
                  </>
                )}
              </dl>
            </Card>
            {loan.steps.length > 0 && (
              <Card title="Its steps">
                <Steps loan={loan} />
              </Card>
            )}
            {loan.postings.length > 0 && (
              <Card title="What happens to pools">
                <ul className="plain">
                  {loan.postings.map((posting, index) => (
                    <li key={index}>
                      <strong>{posting.pool_action}</strong> {posting.from_pool_name ?? "no pool"}{" "}
                      to {posting.to_pool_name ?? "no pool"}
                      {posting.trade_id && (
                        <>
                          , trade <TradeId id={posting.trade_id} />
                        </>
                      )}
                    </li>
                  ))}
                </ul>
              </Card>
            )}
            <Card title="Constraints that describe it">
              <Constraints loan={loan} />
            </Card>
            {loan.rejections.length > 0 && (
              <Card title="Trades that it matches, and that are no candidates">
                <ul className="plain">
                  {loan.rejections.map((rejection) => (
                    <li key={rejection.trade_id}>
                      <TradeId id={rejection.trade_id} />{" "}
                      <span className="muted">{words(rejection.reason)}</span>
                    </li>
                  ))}
                </ul>
              </Card>
            )}
          </div>
        </>
      )}
    </RunLinks>
  );
}
