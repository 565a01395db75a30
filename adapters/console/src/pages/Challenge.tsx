import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import {
  adoptChallenge,
  challengeQuery,
  challengesQuery,
  startChallenge,
  type AllocationSums,
  type Challenge,
  type ChallengedLoan,
  type RecordedChallenge,
} from "../api/challenges";
import { useJob } from "../api/jobs";
import { useLive } from "../api/live";
import { overviewQuery } from "../api/runs";
import { may } from "../api/session";
import {
  count,
  countChange,
  dollars,
  grouped,
  moment,
  moneyChange,
  points,
  toCents,
} from "../format";
import { Card } from "../parts/Card";
import { LoanId, TradeId } from "../parts/links";
import { ShowAll, useFirst } from "../parts/ShowAll";
import { num, Table } from "../parts/Table";
import { FormDialog } from "../shell/Dialog";
import { ProblemNotice, RequestState } from "../shell/Problem";
import { useTenant } from "../shell/tenant";
import { JobProgress } from "./Checks";

const COUNTS: [keyof AllocationSums, string][] = [
  ["placed", "Loans placed"],
  ["kicked_out", "Loans kicked out"],
  ["filled_trades", "Trades filled"],
  ["stays", "Loans that stay"],
  ["switches", "Switches"],
];

function Sums({ found }: { found: Challenge }) {
  const { certified, completed, verified } = found;
  if (!completed?.challenger || !certified || !verified) return null;
  const { run, challenger } = completed;
  const money: [string, string, string][] = [
    ["Worth", toCents(certified.run_worth), toCents(verified.worth)],
    ["Proceeds", run.proceeds, challenger.proceeds],
    ["Placed", run.placed_amount, challenger.placed_amount],
    ["From the best possible", toCents(certified.gap), toCents(verified.gap)],
  ];
  return (
    <Table
      label="The run and the better allocation"
      heads={["What", num("The run"), num("Challenger"), num("Difference")]}
    >
      <tbody>
        {money.map(([name, was, is]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td className="num">{dollars(was)}</td>
            <td className="num">{dollars(is)}</td>
            <td className="num">{moneyChange(was, is)}</td>
          </tr>
        ))}
        {COUNTS.map(([member, name]) => (
          <tr key={member}>
            <th scope="row">{name}</th>
            <td className="num">{grouped(run[member])}</td>
            <td className="num">{grouped(challenger[member])}</td>
            <td className="num">{countChange(Number(run[member]), Number(challenger[member]))}</td>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}

function Place({ id, score }: { id: string | null | undefined; score: string | null | undefined }) {
  if (!id) return <span className="muted">kicked out</span>;
  return (
    <>
      <TradeId id={id} /> {score && <span className="muted">at {points(score)}</span>}
    </>
  );
}

function Movers({ loans }: { loans: ChallengedLoan[] }) {
  const list = useFirst(loans, 12);
  return (
    <>
      <Table
        label="Loans that the challenger decides otherwise"
        heads={["Loan", num("Dollars"), "In the run", "In the challenger"]}
        caption={`${count(loans.length, "loan")} decided otherwise, kicked-out ones that get a place first`}
      >
        <tbody>
          {list.shown.map((loan) => (
            <tr key={loan.loan_id}>
              <th scope="row">
                <LoanId id={loan.loan_id} />
              </th>
              <td className="num">{dollars(loan.loan_amount)}</td>
              <td>
                <Place id={loan.from_trade_id} score={loan.from_score} />
              </td>
              <td>
                <Place id={loan.to_trade_id} score={loan.to_score} />
              </td>
            </tr>
          ))}
        </tbody>
      </Table>
      <ShowAll of={list} text={`Show all ${grouped(loans.length)}`} />
    </>
  );
}

/** Makes the allocation of a challenge an official run, where the settings allow it. */
function Adopt({ challenge, onClose }: { challenge: string; onClose: () => void }) {
  const navigate = useNavigate();
  const [key] = useState(() => crypto.randomUUID());
  const adopt = useMutation({
    mutationFn: () => adoptChallenge(challenge, key),
    onSuccess: ({ run_id }) => navigate({ to: "/runs/$runId", params: { runId: run_id } }),
  });
  return (
    <FormDialog
      title="Adopt this allocation"
      submit="Make an official run"
      ready={!adopt.isPending}
      onSubmit={() => {
        adopt.mutate();
      }}
      onClose={onClose}
    >
      <p>
        The new run has the input and the options of this one, and the placements of the challenger
        in place of those of the passes. Each statement of the challenge is checked again first.
      </p>
      {adopt.isError && <ProblemNotice error={adopt.error} />}
    </FormDialog>
  );
}

function Found({ name }: { name: string }) {
  const tenant = useTenant();
  const query = useQuery(challengeQuery(tenant.tenant_id, name));
  const [adopting, setAdopting] = useState(false);
  const found = query.data;
  if (!found) return <RequestState of={query} what="the challenge" />;
  const loans = [
    ...found.placed.filter((loan) => loan.from_trade_id === null),
    ...found.released,
    ...found.placed.filter((loan) => loan.from_trade_id !== null),
  ];
  return (
    <>
      <Sums found={found} />
      {loans.length > 0 && <Movers loans={loans} />}
      <div className="row">
        {may(tenant.role, "operator") && (
          <button
            type="button"
            className="button no-print"
            onClick={() => {
              setAdopting(true);
            }}
          >
            Adopt it
          </button>
        )}
        <span className="muted small">
          Recorded as <code>{found.challenge}</code>.
        </span>
      </div>
      {adopting && (
        <Adopt
          challenge={found.challenge}
          onClose={() => {
            setAdopting(false);
          }}
        />
      )}
    </>
  );
}

const nameOf = (challenge: RecordedChallenge) =>
  `${challenge.challenge.split("-").at(-1) ?? ""}: ${challenge.challenger_gap_bp ?? "?"} bp, ` +
  `${count(challenge.steps, "step")}, ${moment(challenge.recorded_at)} by ${challenge.requested_by ?? "unknown"}`;

/** The better allocations that were found for a run, and the search for one. */
export function Challenges({ runId }: { runId: string }) {
  const tenant = useTenant();
  const client = useQueryClient();
  const list = useQuery(challengesQuery(tenant.tenant_id, runId));
  const search = useJob<Challenge>(() => startChallenge(runId));
  const [chosen, setChosen] = useState<string | null>(null);
  const found = search.result?.challenge;
  // A search that is cancelled records what it has found a moment later.
  useLive({ types: ["ChallengeCompleted"] }, () => {
    for (const query of [challengesQuery, overviewQuery]) {
      const { queryKey } = query(tenant.tenant_id, runId);
      void client.invalidateQueries({ queryKey });
    }
  });
  const searched = (list.data ?? []).filter((one) => typeof one.challenger_gap_bp === "string");
  const shown = chosen ?? found ?? searched.at(-1)?.challenge;
  return (
    <Card title="Is there a better allocation?">
      {may(tenant.role, "operator") && (
        <div className="row no-print">
          <button
            type="button"
            className="button"
            disabled={search.isBusy}
            onClick={() => {
              setChosen(null);
              search.begin();
            }}
          >
            Look for one
          </button>
          <span className="muted">
            A search that keeps rooms, limits, and priorities. It is recorded beside the run, which
            stays as it is.
          </span>
        </div>
      )}
      <JobProgress job={search.job} error={search.error} />
      <RequestState of={list} what="the challenges" />
      {list.data && searched.length === 0 && !search.isBusy && (
        <p className="muted">No search was made for this run yet.</p>
      )}
      {searched.length > 1 && (
        <label className="field narrow no-print">
          <span className="label">Challenge</span>
          <select
            value={shown}
            onChange={(event) => {
              setChosen(event.target.value);
            }}
          >
            {searched.map((one) => (
              <option key={one.challenge} value={one.challenge}>
                {nameOf(one)}
              </option>
            ))}
          </select>
        </label>
      )}
      {shown !== undefined && <Found key={shown} name={shown} />}
    </Card>
  );
}
