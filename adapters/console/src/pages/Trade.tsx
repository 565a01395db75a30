import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import {
  nodeName,
  tradeQuery,
  type Node,
  type TradeEntry,
  type TradeExplanation,
} from "../api/explain";
import type { Band, Pass } from "../api/overview";
import { count, dollars, grouped, percent, points, words } from "../format";
import { BandBar, BandLegend, partsOf } from "../parts/BandBar";
import { Card } from "../parts/Card";
import { Prices } from "../parts/Certificate";
import { ShowAll, useFirst } from "../parts/ShowAll";
import { num, Table } from "../parts/Table";
import { LoanId, TradeId } from "../parts/links";
import { FillStatusBadge } from "../parts/TradeBars";
import { RequestState } from "../shell/Problem";
import { useTenant } from "../shell/tenant";
import { RunLinks } from "./RunLinks";
import { Verdict, VerdictBadge } from "./Verdict";

/** The fill of a trade by pass, from what entered and left it. */
export function bandOf(trade: TradeExplanation): Band | null {
  const { fill } = trade;
  if (!fill) return null;
  const inside = new Map<string, TradeEntry>();
  for (const entry of trade.entries) {
    if (entry.change === "placed" || entry.change === "moved_in") inside.set(entry.loan_id, entry);
    else inside.delete(entry.loan_id);
  }
  const passes = new Map<string, { pass: Pass; loans: number; amount: string }>();
  for (const entry of inside.values()) {
    const sum = passes.get(entry.pass);
    passes.set(entry.pass, {
      pass: entry.pass as Pass,
      loans: (sum?.loans ?? 0) + 1,
      amount: (Number(sum?.amount ?? 0) + Number(entry.loan_amount)).toFixed(2),
    });
  }
  const held = trade.pinned.reduce((sum, loan) => sum + Number(loan.loan_amount), 0);
  return {
    min_amount: fill.min_amount,
    open_amount: fill.open_amount,
    max_amount: fill.max_amount,
    filled_amount: fill.filled_amount,
    held_amount: held.toFixed(2),
    passes: [...passes.values()],
  };
}

function Answer({ trade }: { trade: TradeExplanation }) {
  const { fill, shortage } = trade;
  if (!fill) {
    const reason = trade.trade?.exclusion_reason;
    return (
      <div className="notice warn">
        <strong>
          {reason
            ? `It is not in the run: ${words(reason).toLowerCase()}`
            : "The run has nothing about this trade. Check the id."}
        </strong>
      </div>
    );
  }
  const good = fill.fill_status === "Filled";
  return (
    <div className={good ? "notice good" : "notice bad"}>
      <strong>
        {good
          ? `It is filled: ${dollars(fill.filled_amount)} in ${count(fill.loan_count, "loan")}`
          : `It is ${fill.fill_status === "Under" ? "short" : fill.fill_status.toLowerCase()}: ${dollars(fill.filled_amount)} of at least ${dollars(fill.min_amount)}; ${dollars(fill.shortfall_amount)} is missing`}
      </strong>
      {shortage && (
        <p>
          Of its candidates, {count(shortage.placed_elsewhere, "loan")} (
          {dollars(shortage.placed_elsewhere_amount)}) went to other trades, and{" "}
          {shortage.kicked_out === 0
            ? "none is without a place."
            : `${count(shortage.kicked_out, "loan")} (${dollars(shortage.kicked_out_amount)}) ${shortage.kicked_out === 1 ? "has" : "have"} no place.`}
        </p>
      )}
    </div>
  );
}

function changeWords(entry: TradeEntry) {
  switch (entry.change) {
    case "placed":
      return "placed";
    case "moved_in":
      return (
        <>
          moved in from <TradeId id={entry.from_trade_id} />
        </>
      );
    case "moved_out":
      return (
        <>
          moved to <TradeId id={entry.to_trade_id} />
          {entry.made_room_for && (
            <>
              , room for <LoanId id={entry.made_room_for} />
            </>
          )}
        </>
      );
    case "taken_out":
      return (
        <>
          exchanged for <LoanId id={entry.exchanged_for} />
        </>
      );
  }
}

function Entries({ trade }: { trade: TradeExplanation }) {
  const most = Number(trade.fill?.max_amount ?? 0) || 1;
  if (trade.entries.length === 0 && trade.pinned.length === 0) {
    return <p className="empty">No loan is in it.</p>;
  }
  return (
    <Table
      label="What filled the trade, in order"
      heads={[
        "Loan",
        "What happened",
        num("Turn"),
        num("Score"),
        num("Dollars"),
        num("Filled then"),
        { name: "Bar", hidden: true },
      ]}
    >
      <tbody>
        {trade.pinned.map((loan) => (
          <tr key={loan.loan_id}>
            <th scope="row">
              <LoanId id={loan.loan_id} />
            </th>
            <td>
              from the start, in pool {loan.pool_name} ({words(loan.held_reason).toLowerCase()})
            </td>
            <td />
            <td />
            <td className="num">{dollars(loan.loan_amount)}</td>
            <td />
            <td />
          </tr>
        ))}
        {trade.entries.map((entry, index) => {
          const enters = entry.change === "placed" || entry.change === "moved_in";
          const after = (Number(entry.filled_after) / most) * 100;
          const own = (Number(entry.loan_amount) / most) * 100;
          return (
            <tr key={index}>
              <th scope="row">
                <LoanId id={entry.loan_id} />
              </th>
              <td>
                {changeWords(entry)}{" "}
                <span className="muted">by {words(entry.pass).toLowerCase()}</span>
              </td>
              <td className="num">{entry.turn}</td>
              <td className="num">{entry.score ? points(entry.score) : ""}</td>
              <td className="num">
                {enters ? "" : "−"}
                {dollars(entry.loan_amount)}
              </td>
              <td className="num">{dollars(entry.filled_after)}</td>
              <td className="small-bar">
                <svg className="bar" aria-hidden="true">
                  <rect className="track" width="100%" height="20" rx="2" />
                  <rect
                    className="fill-held"
                    y="6"
                    height="8"
                    width={`${Math.max(0, after - (enters ? own : 0)).toFixed(2)}%`}
                  />
                  <rect
                    className={enters ? `fill-${entry.pass}` : "fill-down"}
                    y="6"
                    height="8"
                    x={`${Math.max(0, enters ? after - own : after).toFixed(2)}%`}
                    width={`${own.toFixed(2)}%`}
                  />
                </svg>
              </td>
            </tr>
          );
        })}
      </tbody>
    </Table>
  );
}

function TurnedAway({ trade }: { trade: TradeExplanation }) {
  const loans = useFirst(trade.turned_away, 15);
  if (trade.turned_away.length === 0) return <p className="empty">Every candidate is in it.</p>;
  return (
    <>
      <Table
        label="Candidates that are elsewhere"
        heads={[
          "Loan",
          num("Dollars"),
          num("Turn"),
          num("Rank"),
          num("Score here"),
          "Answer",
          "Why",
          "Where it is",
        ]}
      >
        <tbody>
          {loans.shown.map((loan) => (
            <tr key={`${loan.loan_id}-${String(loan.candidate_rank)}`}>
              <th scope="row">
                <LoanId id={loan.loan_id} />
              </th>
              <td className="num">{loan.loan_amount ? dollars(loan.loan_amount) : ""}</td>
              <td className="num">{loan.turn}</td>
              <td className="num">{grouped(loan.candidate_rank)}</td>
              <td className="num">{points(loan.score)}</td>
              <td>
                <VerdictBadge verdict={loan.verdict} />
              </td>
              <td className="text-cell">
                <Verdict verdict={loan.verdict} />
              </td>
              <td>
                {loan.place.is === "trade" ? (
                  <>
                    <TradeId id={loan.place.trade_id} /> at {points(loan.place.score)}
                  </>
                ) : loan.place.is === "kicked_out" ? (
                  `Kicked out: ${words(loan.place.reason).toLowerCase()}`
                ) : (
                  "Not placed yet"
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </Table>
      <ShowAll of={loans} text={`Show all ${grouped(trade.turned_away.length)}`} />
    </>
  );
}

const keyOf = (node: Omit<Node, "constraint_priority">) =>
  JSON.stringify([node.investor_id, node.investor_instrument_name, node.constraint_name]);

function Limits({ trade }: { trade: TradeExplanation }) {
  const binding = new Set(
    (trade.shadow_prices?.prices ?? []).flatMap(({ subject }) =>
      subject.kind === "block" ? [keyOf(subject.node)] : [],
    ),
  );
  return (
    <Table
      label="Limits and goals in the trade"
      heads={["Constraint", num("Used"), num("Limit"), num("Goal"), num("Share of the trade")]}
    >
      <tbody>
        {trade.limits.map((limit) => (
          <tr key={JSON.stringify(limit.node)}>
            <th scope="row">
              {nodeName(limit.node)}{" "}
              {binding.has(keyOf(limit.node)) && <span className="badge warn">binds</span>}
            </th>
            <td className="num">{dollars(limit.used_amount)}</td>
            <td className="num">{limit.hi_amount === null ? "" : dollars(limit.hi_amount)}</td>
            <td className="num">{limit.lo_amount === null ? "" : dollars(limit.lo_amount)}</td>
            <td className="num">
              {limit.used_share === null ? "" : percent(Number(limit.used_share))}
            </td>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}

export function TradePage() {
  const tenant = useTenant();
  const { runId, tradeId } = useParams({ from: "/runs/$runId/trades/$tradeId" });
  const query = useQuery(tradeQuery(tenant.tenant_id, runId, tradeId));
  const trade = query.data;
  const band = trade && bandOf(trade);
  return (
    <RunLinks runId={runId}>
      <h2 className="subject">
        Trade {tradeId}{" "}
        {trade?.trade && (
          <span className="muted">
            {trade.trade.investor_instrument_name}, {trade.trade.investor_id}, settles{" "}
            {trade.trade.settlement_date ?? "without a date"}
          </span>
        )}
      </h2>
      <RequestState of={query} what="the explanation" />
      {trade && (
        <>
          <Answer trade={trade} />
          {band && (
            <Card
              title="Its fill"
              aside={trade.fill && <FillStatusBadge status={trade.fill.fill_status} />}
            >
              <BandBar band={band} />
              <BandLegend passes={partsOf(band).map((part) => part.name)} />
              <dl className="facts">
                <dt>Filled</dt>
                <dd>{dollars(band.filled_amount)}</dd>
                <dt>Band</dt>
                <dd>
                  {dollars(band.min_amount)} to {dollars(band.max_amount)}, target{" "}
                  {dollars(band.open_amount)}
                </dd>
                <dt>Candidates</dt>
                <dd>{grouped(trade.candidates)}</dd>
                {trade.fill?.wavg_price && (
                  <>
                    <dt>Average price</dt>
                    <dd>{points(trade.fill.wavg_price)}</dd>
                  </>
                )}
              </dl>
            </Card>
          )}
          {trade.fill && (
            <>
              <Card title="What filled it, in order" long>
                <Entries trade={trade} />
              </Card>
              {trade.shadow_prices && (
                <Card title="What more room is worth">
                  {trade.shadow_prices.prices.length === 0 ? (
                    <p className="muted">
                      Nothing: neither its room nor a limit in it keeps a better allocation out.
                    </p>
                  ) : (
                    <Prices prices={trade.shadow_prices.prices} />
                  )}
                </Card>
              )}
              {trade.limits.length > 0 && (
                <Card title="Limits and goals">
                  <Limits trade={trade} />
                </Card>
              )}
              <Card title="Candidates that are elsewhere" long>
                <TurnedAway trade={trade} />
                {Object.entries(trade.rejected).length > 0 && (
                  <p className="muted">
                    Pairs that are no candidates:{" "}
                    {Object.entries(trade.rejected)
                      .map(([reason, pairs]) => `${grouped(pairs)} ${words(reason).toLowerCase()}`)
                      .join(", ")}
                    .
                  </p>
                )}
              </Card>
            </>
          )}
        </>
      )}
    </RunLinks>
  );
}
