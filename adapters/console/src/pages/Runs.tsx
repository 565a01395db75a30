import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useId, useState } from "react";
import { answer, api } from "../api/client";
import { useLive } from "../api/live";
import { isOver, runQuery, runsQuery, type RunHead, type RunListItem } from "../api/runs";
import { may } from "../api/session";
import {
  count,
  dollars,
  grouped,
  moment,
  percent,
  short,
  shortDollars,
  toCents,
  words,
} from "../format";
import { num, Table } from "../parts/Table";
import { ProblemNotice, RequestState } from "../shell/Problem";
import { useTenant } from "../shell/tenant";
import { NextPage } from "./NextPage";
import { StartRun } from "./StartRun";
import { RunStatus } from "./status";

const MILESTONES = ["RunRequested", "RunStarted", "RunCompleted", "RunFailed", "RunCancelled"];
/** What changes the list, the gap of a run included. */
const LISTED = [...MILESTONES, "ChallengeCompleted"];
const STATUSES = [
  "Pending",
  "PreProcessing",
  "Allocating",
  "PostProcessing",
  "Complete",
  "Failed",
  "Cancelled",
];

const STEPS = [...MILESTONES, "PreflightCompleted", "PassCompleted", "InvariantsVerified"];

/** The step and the fraction of a run that is not over, as they change. */
export function LiveProgress({ runId }: { runId: string }) {
  const tenant = useTenant();
  const client = useQueryClient();
  const query = runQuery(tenant.tenant_id, runId);
  const run = useQuery(query);
  useLive({ types: STEPS, runId }, () => {
    void client.invalidateQueries({ queryKey: query.queryKey, exact: true });
  });
  if (!run.data) return null;
  const share = Number(run.data.fraction);
  const step = run.data.step ? words(run.data.step) : "Waiting for a worker";
  return (
    <div className="progress-cell">
      <div className="small">
        {step}, {percent(share)}
      </div>
      <progress value={share} max={1} aria-label={`Progress of run ${runId}`} />
    </div>
  );
}

export function CancelButton({ run }: { run: Pick<RunHead, "run_id" | "cancel_requested_by"> }) {
  const tenant = useTenant();
  const client = useQueryClient();
  const cancel = useMutation({
    mutationFn: () =>
      answer(
        api.POST("/api/powerfill/runs/{run_id}/cancel", {
          params: { path: { run_id: run.run_id } },
        }),
      ),
    onSettled: () => client.invalidateQueries({ queryKey: ["tenant", tenant.tenant_id] }),
  });
  if (cancel.isError) return <ProblemNotice error={cancel.error} />;
  return (
    <button
      type="button"
      className="button tight danger"
      disabled={cancel.isPending || Boolean(run.cancel_requested_by)}
      onClick={() => {
        cancel.mutate();
      }}
    >
      {run.cancel_requested_by ? "Is being cancelled" : "Cancel"}
    </button>
  );
}

/** The options that differ from their defaults: "price_mode pc". */
function changedOptions(run: RunListItem): string {
  return Object.entries(run.options as Record<string, unknown>)
    .map(([name, value]) => `${words(name)} ${String(value).replace(/(\.\d*?)0+$/, "$1")}`)
    .join(", ");
}

function RunRow(props: {
  run: RunListItem;
  checked: boolean;
  onCheck: (checked: boolean) => void;
}) {
  const { run } = props;
  const tenant = useTenant();
  const active = !isOver(run.status);
  return (
    <tr>
      <td className="check-cell">
        {run.status === "Complete" && (
          <input
            type="checkbox"
            aria-label={`Compare run ${run.run_id}`}
            checked={props.checked}
            onChange={(event) => {
              props.onCheck(event.target.checked);
            }}
          />
        )}
      </td>
      <td className="num">{run.number ?? ""}</td>
      <th scope="row" className="run-cell">
        <Link to="/runs/$runId" params={{ runId: run.run_id }} title={run.run_id}>
          {run.name ?? <span className="mono nowrap">{short(run.run_id, 13)}</span>}
        </Link>
        {run.scenario && <span className="badge">scenario</span>}
        <div className="small">{changedOptions(run)}</div>
        {run.last_note && <div className="muted small">{run.last_note}</div>}
      </th>
      <td>
        <RunStatus status={run.status} />
      </td>
      <td className="nowrap">{run.as_of}</td>
      <td>
        <span className="nowrap">{moment(run.requested_at)}</span>
        <div className="muted small">{run.requested_by}</div>
      </td>
      {active ? (
        <td colSpan={5}>
          <div className="row">
            <LiveProgress runId={run.run_id} />
            {may(tenant.role, "operator") && <CancelButton run={run} />}
          </div>
        </td>
      ) : (
        <>
          <td className="num">{typeof run.placed === "number" ? grouped(run.placed) : ""}</td>
          <td className="num">
            {typeof run.kicked_out === "number" ? grouped(run.kicked_out) : ""}
          </td>
          <td className="num" title={run.value_amount ? dollars(run.value_amount) : undefined}>
            {run.value_amount ? shortDollars(run.value_amount) : ""}
          </td>
          <td
            className="num"
            title={
              run.certificate
                ? `${dollars(toCents(run.certificate.gap))} from the best possible`
                : ""
            }
          >
            {run.certificate && `${run.certificate.gap_bp} bp`}
          </td>
          <td className="wide-only">
            {run.output_digest && (
              <code title={`Output digest ${run.output_digest}`}>
                {run.output_digest.slice(0, 8)}
              </code>
            )}
          </td>
        </>
      )}
    </tr>
  );
}

/** A day in ISO form. One that is half written asks for nothing. */
function DayField(props: {
  label: string;
  day: string | undefined;
  onDay: (day: string | undefined) => void;
}) {
  const id = useId();
  const [shown, setShown] = useState(props.day);
  const [text, setText] = useState(props.day ?? "");
  if (shown !== props.day) {
    // The address has another day now.
    setShown(props.day);
    setText(props.day ?? "");
  }
  return (
    <div className="field">
      <label htmlFor={id}>{props.label}</label>
      <input
        id={id}
        className="day"
        placeholder="2026-01-15"
        pattern="\d{4}-\d{2}-\d{2}"
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          if (event.target.validity.valid) props.onDay(event.target.value || undefined);
        }}
      />
    </div>
  );
}

export function RunsPage() {
  const tenant = useTenant();
  const search = useSearch({ from: "/runs" });
  const navigate = useNavigate({ from: "/runs" });
  const [starting, setStarting] = useState(false);
  const [checked, setChecked] = useState<string[]>([]);
  const client = useQueryClient();
  // A run that another person starts or ends appears by itself.
  useLive({ types: LISTED }, () => {
    void client.invalidateQueries({ queryKey: ["tenant", tenant.tenant_id, "runs"] });
  });
  const id = useId();
  // The service applies all but `find`, which looks in what is loaded.
  const { find: text, status, as_of, since, until, scenarios } = search;
  const filter = { status, as_of, since, until, scenarios };
  const runs = useInfiniteQuery(runsQuery(tenant.tenant_id, filter));
  const show = (change: typeof search) =>
    void navigate({ search: (before) => ({ ...before, ...change }), replace: true });
  const loaded = runs.data?.pages.flatMap((page) => page.runs) ?? [];
  const find = text?.toLowerCase() ?? "";
  const shown = loaded.filter((run) => JSON.stringify(run).toLowerCase().includes(find));
  const filtered = Object.values(filter).some((value) => value !== undefined);
  return (
    <>
      <div className="head">
        <h1 className="grow">Runs</h1>
        {may(tenant.role, "operator") && (
          <button
            type="button"
            className="button primary"
            onClick={() => {
              setStarting(true);
            }}
          >
            Start a run
          </button>
        )}
      </div>
      <section className="card" aria-label="Runs of the tenant">
        <div className="row">
          <div className="field">
            <label htmlFor={`${id}-status`}>Status</label>
            <select
              id={`${id}-status`}
              value={search.status ?? ""}
              onChange={(event) => {
                show({ status: event.target.value || undefined });
              }}
            >
              <option value="">Any</option>
              {STATUSES.map((status) => (
                <option key={status} value={status}>
                  {words(status)}
                </option>
              ))}
            </select>
          </div>
          <div className="field">
            <label htmlFor={`${id}-find`}>Find</label>
            <input
              id={`${id}-find`}
              type="search"
              placeholder="Name, id, person"
              value={search.find ?? ""}
              onChange={(event) => {
                show({ find: event.target.value || undefined });
              }}
            />
          </div>
          <DayField
            label="As of"
            day={search.as_of}
            onDay={(as_of) => {
              show({ as_of });
            }}
          />
          <DayField
            label="Requested from"
            day={search.since}
            onDay={(since) => {
              show({ since });
            }}
          />
          <DayField
            label="Requested to"
            day={search.until}
            onDay={(until) => {
              show({ until });
            }}
          />
          <label className="check low">
            <input
              type="checkbox"
              checked={search.scenarios === true}
              onChange={(event) => {
                show({ scenarios: event.target.checked || undefined });
              }}
            />
            Scenarios
          </label>
          <span className="muted low" role="status">
            {runs.data && count(shown.length, "run")}
          </span>
          {checked.length === 2 && (
            <Link
              to="/compare"
              search={{ here: checked[0], there: checked[1] }}
              className="button low"
            >
              Compare
            </Link>
          )}
        </div>
        <RequestState of={runs} what="runs" />
        {runs.data && loaded.length === 0 && filtered && (
          <p className="empty">No run matches the filter.</p>
        )}
        {runs.data && loaded.length === 0 && !filtered && (
          <div className="empty">
            <strong>This tenant has no run yet</strong>
            <p>
              A run decides where each loan goes and records why. Start one here, or with{" "}
              <code>powerfill run</code>.
            </p>
          </div>
        )}
        {loaded.length > 0 && shown.length === 0 && (
          <p className="empty">No run matches the filter.</p>
        )}
        {shown.length > 0 && (
          <Table
            label="Runs"
            heads={[
              { name: "Compare", hidden: true },
              num("No."),
              "Run",
              "Status",
              "As of",
              "Requested",
              num("Placed"),
              num("Kicked out"),
              num("Value"),
              num("Gap"),
              { name: "Digest", className: "wide-only" },
            ]}
          >
            <tbody>
              {shown.map((run) => (
                <RunRow
                  key={run.run_id}
                  run={run}
                  checked={checked.includes(run.run_id)}
                  onCheck={(on) => {
                    // The two that were checked last.
                    setChecked(
                      on
                        ? [...checked, run.run_id].slice(-2)
                        : checked.filter((other) => other !== run.run_id),
                    );
                  }}
                />
              ))}
            </tbody>
          </Table>
        )}
        <NextPage of={runs} text="Older runs" />
      </section>
      {starting && (
        <StartRun
          onClose={() => {
            setStarting(false);
          }}
        />
      )}
    </>
  );
}
