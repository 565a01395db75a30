import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import {
  askWhatIf,
  nodeName,
  pairQuery,
  type ChangeResult,
  type TrialChange,
} from "../api/explain";
import { count, dollars, grouped, percent, points, words } from "../format";
import { Card } from "../parts/Card";
import { LoanId, TradeId } from "../parts/links";
import { Table } from "../parts/Table";
import { RequestState } from "../shell/Problem";
import { useTenant } from "../shell/tenant";

const KINDS: Record<TrialChange["change"], string> = {
  freed_amount: "More room in a trade",
  limit_raised: "A higher limit",
  price_floor_lowered: "A lower price floor",
  buffer_shortened: "A shorter buffer",
  horizon_lengthened: "A longer horizon",
};

const NOT_TRIED: Record<string, string> = {
  no_candidate: "it is a candidate of no trade",
  no_amount_fits: "the limits of its trades leave it nothing at any amount in reach",
  no_limit_bars: "no limit of its trades bars it",
  limits_bar_together: "where a limit bars it, another does too, or even 100 % is too little",
  no_price_floor: "the run has no price floor",
  nothing_below_floor: "no trade's price for it is below the floor",
  no_buffer: "the run has no buffer",
  nothing_too_soon: "no trade settles too soon for it",
  not_deliverable: "each trade that settles too soon settles before it can be delivered at all",
  nothing_beyond: "no trade of an instrument that it matches settles beyond the horizon",
};

/** A share as percent, with as many places as it has. */
const exactPercent = (share: string) => percent(Number(share), 4).replace(/\.?0+ %/, " %");

function Change({ change }: { change: TrialChange }) {
  switch (change.change) {
    case "freed_amount":
      return (
        <>
          {dollars(change.freed_amount)} more of <TradeId id={change.trade_id} />, an amount of{" "}
          {dollars(change.trade_amount)}
        </>
      );
    case "limit_raised":
      return (
        <>
          the limit of {nodeName(change.node)} raised by {exactPercent(change.raised_by)} to{" "}
          {exactPercent(change.hi_limit)}
        </>
      );
    case "price_floor_lowered":
      return (
        <>
          the floor lowered by {points(change.lowered_by)} to {points(change.bx_price_floor)}
        </>
      );
    case "buffer_shortened":
      return (
        <>
          the buffer shortened by {count(change.days, "day")} to{" "}
          {change.eligible_settle_buffer_days}
        </>
      );
    case "horizon_lengthened":
      return (
        <>
          the horizon lengthened by {count(change.days, "day")} to {change.max_trade_settle_days}
        </>
      );
  }
}

function Loans({ ids, what }: { ids: string[]; what: string }) {
  if (ids.length === 0) return null;
  return (
    <>
      ; {what}:{" "}
      {ids.slice(0, 6).map((id, index) => (
        <span key={id}>
          {index > 0 && ", "}
          <LoanId id={id} />
        </span>
      ))}
      {ids.length > 6 && ` and ${grouped(ids.length - 6)} more`}
    </>
  );
}

function Result({ result }: { result: ChangeResult }) {
  switch (result.answer) {
    case "not_tried":
      return <>Would not help: {NOT_TRIED[result.reason] ?? words(result.reason)}.</>;
    case "does_not":
      return (
        <>
          Would not do; tried{" "}
          {result.tried.map((change, index) => (
            <span key={index}>
              {index > 0 && "; "}
              <Change change={change} />
            </span>
          ))}
          {result.gave_up && "; the bound on runs is reached"}.
        </>
      );
    case "places":
      return (
        <>
          <strong>
            <Change change={result.change} />
          </strong>
          <div>
            It then goes to <TradeId id={result.place.trade_id} />, settling{" "}
            {result.place.settlement_date}, at {points(result.place.pricing.score)}, by{" "}
            {words(result.place.pass).toLowerCase()}.
          </div>
          <div className="muted">
            {result.others.moved === 0
              ? "No other loan changes its place"
              : `${count(result.others.moved, "other loan changes its", "other loans change their")} place`}
            <Loans ids={result.others.kicked_out} what="kicked out instead" />
            <Loans ids={result.others.placed} what="placed too" />.{" "}
            {result.exact && "It is the smallest change: a unit less does not place it."}
          </div>
        </>
      );
  }
}

/** What would have placed a loan: found by running the passes again, when it is asked. */
export function WhatIf({ runId, loanId }: { runId: string; loanId: string }) {
  const found = useMutation({ mutationFn: () => askWhatIf(runId, loanId) });
  return (
    <Card title="What would have placed it?">
      {!found.data && (
        <div className="row">
          <button
            type="button"
            className="button"
            disabled={found.isPending}
            onClick={() => {
              found.mutate();
            }}
          >
            Find out
          </button>
          <span className="muted">
            Runs the passes again with changed input until the smallest change is found. Nothing is
            recorded.
          </span>
        </div>
      )}
      <RequestState of={found} what="the answers" />
      {found.data && (
        <Table
          label="Changes that were tried"
          heads={["Change", "Answer"]}
          caption={`${count(found.data.runs, "run")} of the passes`}
        >
          <tbody>
            {found.data.kinds.map((result) => (
              <tr key={result.kind}>
                <th scope="row" className="nowrap">
                  {KINDS[result.kind]}
                </th>
                <td className={result.answer === "places" ? "text-cell" : "text-cell muted"}>
                  <Result result={result} />
                </td>
              </tr>
            ))}
          </tbody>
        </Table>
      )}
    </Card>
  );
}

/** Why the loan is, or is not, in a trade that a person names. */
export function WhyNot() {
  const tenant = useTenant();
  const { runId, loanId } = useParams({ from: "/runs/$runId/loans/$loanId" });
  const search = useSearch({ from: "/runs/$runId/loans/$loanId" });
  const navigate = useNavigate({ from: "/runs/$runId/loans/$loanId" });
  const [id, setId] = useState(search.trade ?? "");
  const asked = search.trade ?? "";
  const pair = useQuery({
    ...pairQuery(tenant.tenant_id, runId, loanId, asked),
    enabled: asked !== "",
  });
  return (
    <Card title="Why not in another trade?">
      <form
        className="row"
        onSubmit={(event) => {
          event.preventDefault();
          void navigate({ search: { trade: id.trim() || undefined }, replace: true });
        }}
      >
        <div className="field">
          <input
            aria-label="Id of a trade"
            placeholder="Trade"
            value={id}
            spellCheck={false}
            onChange={(event) => {
              setId(event.target.value);
            }}
          />
        </div>
        <button type="submit" className="button" disabled={id.trim() === ""}>
          Why?
        </button>
      </form>
      {asked !== "" && <RequestState of={pair} what="the answer" />}
      {pair.data && (
        <p role="status">
          {pair.data.verdict} <span className="muted">Trade</span>{" "}
          <TradeId id={pair.data.trade_id} />
        </p>
      )}
    </Card>
  );
}
