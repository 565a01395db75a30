import { useQueries } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { compareRuns, type Comparison } from "../api/comparison";
import { useJob } from "../api/jobs";
import type { Overview, Worth } from "../api/overview";
import { overviewQuery } from "../api/runs";
import {
  countChange,
  dollars,
  grouped,
  moment,
  moneyChange,
  signedDollars,
  words,
} from "../format";
import { PATHS } from "../generated/paths";
import { difference } from "../money";
import { Card } from "../parts/Card";
import { num, Table } from "../parts/Table";
import { FillStatusBadge } from "../parts/TradeBars";
import { Loading, ProblemNotice } from "../shell/Problem";
import { useTenant } from "../shell/tenant";
import { JobProgress } from "./Checks";
import { CompareExport } from "./CompareExport";
import { Differences } from "./Differences";
import { RunLinks } from "./RunLinks";

interface Line {
  name: string;
  before: string;
  after: string;
  delta: string;
}

const MONEY: [keyof Worth, string][] = [
  ["value_amount", "Value"],
  ["proceeds_amount", "Proceeds"],
  ["pick_up_amount", "Pick-up"],
  ["give_up_amount", "Given up"],
  ["payup_amount", "Pay-ups"],
  ["carry_amount", "Carry"],
];

export function linesOf(before: Overview, after: Overview): Line[] {
  const number = (name: string, of: (overview: Overview) => number): Line => ({
    name,
    before: grouped(of(before)),
    after: grouped(of(after)),
    delta: countChange(of(before), of(after)),
  });
  const status = (name: string) => (overview: Overview) =>
    overview.trades.filter((trade) => trade.fill_status === name).length;
  const action = (name: string) => (overview: Overview) =>
    overview.moves.actions.find((group) => group.pool_action === name)?.loans ?? 0;
  return [
    ...MONEY.map(([member, name]): Line => {
      const [was, is] = [String(before.value.all[member]), String(after.value.all[member])];
      return { name, before: dollars(was), after: dollars(is), delta: moneyChange(was, is) };
    }),
    number("Loans placed", (overview) => overview.value.placed.loans),
    number("Loans kicked out", (overview) => overview.kickouts.loans),
    number("Trades filled", status("Filled")),
    number("Trades short", status("Under")),
    number("Switches", action("Switching")),
    number("Joins", action("Joining")),
    number("Loans that leave", action("Leaving")),
  ];
}

function Numbers({ before, after }: { before: Overview; after: Overview }) {
  return (
    <Table
      label="Numbers of both runs"
      heads={["What", num("Before"), num("After"), num("Difference")]}
    >
      <tbody>
        {linesOf(before, after).map((line) => (
          <tr key={line.name}>
            <th scope="row">{line.name}</th>
            <td className="num">{line.before}</td>
            <td className="num">{line.after}</td>
            <td className="num">{line.delta || <span className="muted">same</span>}</td>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}

function Inputs({ before, after }: { before: Overview; after: Overview }) {
  const was = new Map(before.run.options.map((option) => [option.name, option.value]));
  const changed = after.run.options.filter((option) => was.get(option.name) !== option.value);
  return (
    <ul className="plain">
      <li>
        {before.run.input_digest === after.run.input_digest
          ? "Both runs have the same snapshot."
          : "The snapshots differ: loans, trades, prices, or the configuration changed."}
      </li>
      {changed.length === 0 && <li>Both runs have the same options.</li>}
      {changed.map((option) => (
        <li key={option.name}>
          {words(option.name)}: {was.get(option.name) ?? "none"} to{" "}
          <strong>{option.value ?? "none"}</strong>
        </li>
      ))}
      <li>
        {before.run.output_digest === after.run.output_digest
          ? "The outputs are the same, byte for byte."
          : "The outputs differ."}
      </li>
    </ul>
  );
}

function Trades({ before, after }: { before: Overview; after: Overview }) {
  const was = new Map(before.trades.map((trade) => [trade.trade_id, trade]));
  const is = new Map(after.trades.map((trade) => [trade.trade_id, trade]));
  const ids = [...new Set([...was.keys(), ...is.keys()])].filter(
    (id) =>
      was.get(id)?.fill_status !== is.get(id)?.fill_status ||
      was.get(id)?.filled_amount !== is.get(id)?.filled_amount,
  );
  const change = (id: string) =>
    Math.abs(Number(is.get(id)?.filled_amount ?? 0) - Number(was.get(id)?.filled_amount ?? 0));
  ids.sort((a, b) => change(b) - change(a));
  if (ids.length === 0) return <p className="empty">Each trade is as full as before.</p>;
  return (
    <Table
      label="Trades that differ"
      caption={
        <>
          {grouped(ids.length)} trades differ, the largest first
          {ids.length > 40 && "; 40 are shown"}.
        </>
      }
      heads={[
        "Trade",
        "Before",
        "After",
        num("Filled before"),
        num("Filled after"),
        num("Difference"),
      ]}
    >
      <tbody>
        {ids.slice(0, 40).map((id) => {
          const [old, now] = [was.get(id), is.get(id)];
          const delta = difference(old?.filled_amount ?? "0.00", now?.filled_amount ?? "0.00");
          return (
            <tr key={id}>
              <th scope="row">
                <Link
                  to="/runs/$runId/trades/$tradeId"
                  params={{ runId: (now ? after : before).run.run_id, tradeId: id }}
                  preload={false}
                >
                  {id}
                </Link>
              </th>
              <td>{old ? <FillStatusBadge status={old.fill_status} /> : "not in the run"}</td>
              <td>{now ? <FillStatusBadge status={now.fill_status} /> : "not in the run"}</td>
              <td className="num">{old && dollars(old.filled_amount)}</td>
              <td className="num">{now && dollars(now.filled_amount)}</td>
              <td className="num">{signedDollars(delta)}</td>
            </tr>
          );
        })}
      </tbody>
    </Table>
  );
}

function Reasons({ before, after }: { before: Overview; after: Overview }) {
  const reasons = [
    ...new Set([...before.kickouts.reasons, ...after.kickouts.reasons].map((g) => g.reason)),
  ];
  const of = (overview: Overview, reason: string) =>
    overview.kickouts.reasons.find((group) => group.reason === reason);
  return (
    <Table
      label="Kickouts of both runs"
      heads={[
        "Reason",
        num("Loans before"),
        num("Loans after"),
        num("Dollars before"),
        num("Dollars after"),
      ]}
    >
      <tbody>
        {reasons.map((reason) => (
          <tr key={reason}>
            <th scope="row">{words(reason)}</th>
            <td className="num">{grouped(of(before, reason)?.loans ?? 0)}</td>
            <td className="num">{grouped(of(after, reason)?.loans ?? 0)}</td>
            <td className="num">{dollars(of(before, reason)?.loan_amount ?? "0.00")}</td>
            <td className="num">{dollars(of(after, reason)?.loan_amount ?? "0.00")}</td>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}

function RunLine({ name, overview }: { name: string; overview: Overview }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>
        <Link to="/runs/$runId" params={{ runId: overview.run.run_id }} className="mono">
          {overview.run.run_id}
        </Link>{" "}
        <span className="muted">
          as of {overview.run.as_of ?? "no day"}, {moment(overview.run.requested_at)} by{" "}
          {overview.run.requested_by}
        </span>
      </dd>
    </>
  );
}

function Tabs() {
  return (
    <nav className="tabs" aria-label="What is compared">
      <Link
        to="/compare"
        search={{}}
        activeOptions={{ exact: true, includeSearch: false }}
        activeProps={{ "aria-current": "page" }}
      >
        Two runs
      </Link>
      {PATHS.includes("/api/powerfill/runs/{run_id}/export-comparisons") && (
        <Link to="/compare/export" search={{}} activeProps={{ "aria-current": "page" }}>
          A run and an export
        </Link>
      )}
    </nav>
  );
}

export function CompareExportPage() {
  return (
    <>
      <h1>Compare</h1>
      <Tabs />
      <CompareExport />
    </>
  );
}

/** The comparison of two runs loan by loan, which the service makes when the page asks. */
function LoanByLoan({ before, after }: { before: Overview; after: Overview }) {
  const check = useJob<Comparison>(() => compareRuns(after.run.run_id, before.run.run_id));
  return (
    <RunLinks runId={after.run.run_id}>
      {!check.result && (
        <Card title="Loan by loan">
          <div className="row">
            <button
              type="button"
              className="button"
              disabled={check.isBusy}
              onClick={() => {
                check.begin();
              }}
            >
              Compare each loan
            </button>
            <span className="muted">
              Where each loan goes in both runs, and why, and each row of the tables that differs.
            </span>
          </div>
          <JobProgress job={check.job} error={check.error} />
        </Card>
      )}
      {check.result && <Differences comparison={check.result} sides={["Before", "After"]} />}
    </RunLinks>
  );
}

/** Two runs side by side, the earlier one first whichever was chosen first. */
export function ComparePage() {
  const tenant = useTenant();
  const search = useSearch({ from: "/compare" });
  const navigate = useNavigate({ from: "/compare" });
  const chosen = [search.here, search.there].filter((id): id is string => id !== undefined);
  const queries = useQueries({
    queries: chosen.map((id) => overviewQuery(tenant.tenant_id, id)),
  });
  const failed = queries.find((query) => query.isError);
  const overviews = queries
    .flatMap((query) => (query.data ? [query.data] : []))
    .sort((a, b) => a.run.requested_at.localeCompare(b.run.requested_at));
  const [before, after] = overviews;
  return (
    <>
      <h1>Compare</h1>
      <Tabs />
      {chosen.length < 2 && (
        <div className="notice">
          <strong>Choose two Complete runs</strong>
          <p>
            Check two in the list of <Link to="/runs">runs</Link>, and press “Compare”.
          </p>
        </div>
      )}
      {failed && <ProblemNotice error={failed.error} />}
      {chosen.length === 2 && !failed && !(before && after) && <Loading what="both runs" />}
      {before && after && (
        <>
          <Card title="The runs">
            <dl className="facts">
              <RunLine name="Before" overview={before} />
              <RunLine name="After" overview={after} />
            </dl>
            <button
              type="button"
              className="button no-print"
              onClick={() => void navigate({ to: "/runs", search: {} })}
            >
              Choose others
            </button>
          </Card>
          <Card title="What went in and came out">
            <Inputs before={before} after={after} />
          </Card>
          <Card title="What they are worth">
            <Numbers before={before} after={after} />
          </Card>
          <Card title="Trades">
            <Trades before={before} after={after} />
          </Card>
          <Card title="Kickouts">
            <Reasons before={before} after={after} />
          </Card>
          {PATHS.includes("/api/powerfill/runs/{run_id}/comparisons") && (
            <LoanByLoan
              key={`${before.run.run_id} ${after.run.run_id}`}
              before={before}
              after={after}
            />
          )}
        </>
      )}
    </>
  );
}
