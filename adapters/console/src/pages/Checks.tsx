import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import {
  cancelJob,
  goesOn,
  jobsKey,
  replay,
  useJob,
  verify,
  type Job,
  type Seal,
} from "../api/jobs";
import { count, grouped, percent, words } from "../format";
import { ProblemNotice } from "../shell/Problem";
import { useTenant } from "../shell/tenant";

/** What a job does, and what ended it without a result. */
export function JobProgress({ job, error }: { job: Job | undefined; error: unknown }) {
  if (error) return <ProblemNotice error={error} />;
  if (!job) return null;
  if (job.failure) {
    return (
      <div className="notice bad" role="alert">
        <strong>It failed</strong>
        <p>{job.failure.message}</p>
      </div>
    );
  }
  if (job.status === "Cancelled") {
    return (
      <p className="muted" role="status">
        Cancelled{job.cancelled_by && ` by ${job.cancelled_by}`}.
      </p>
    );
  }
  if (!goesOn(job)) return null;
  const share = Number(job.fraction);
  return (
    <div className="row" role="status">
      <div className="progress-cell">
        <div className="small">
          {job.step ? words(job.step) : "Waits for its turn"}, {percent(share)}
        </div>
        <progress value={share} max={1} aria-label={`Progress of the ${words(job.kind)}`} />
      </div>
      <CancelJob job={job} />
    </div>
  );
}

/** Ends a job; a refusal is told. */
export function CancelJob({ job }: { job: Job }) {
  const tenant = useTenant();
  const client = useQueryClient();
  const cancel = useMutation({
    mutationFn: () => cancelJob(job.job_id),
    onSettled: () => client.invalidateQueries({ queryKey: jobsKey(tenant.tenant_id) }),
  });
  if (cancel.isError) return <ProblemNotice error={cancel.error} />;
  return (
    <button
      type="button"
      className="button tight"
      disabled={cancel.isPending}
      onClick={() => {
        cancel.mutate();
      }}
    >
      Cancel
    </button>
  );
}

/** A check that is begun by a button, with its answer below. */
function Check(props: {
  name: string;
  says: string;
  busy: boolean;
  disabled?: boolean;
  onBegin: () => void;
  children: ReactNode;
}) {
  return (
    <>
      <div className="row">
        <button
          type="button"
          className="button"
          disabled={props.busy || props.disabled}
          onClick={props.onBegin}
        >
          {props.name}
        </button>
        <span className="muted">{props.says}</span>
      </div>
      {props.children}
    </>
  );
}

interface Verification {
  answer: string;
  found: string | null;
  stream: string | null;
  stream_version: number | null;
  events: number;
  appends: number;
  snapshots: number;
  archived_runs?: number;
  rows: number;
  index_entries: number;
}

/** Verifies a run, what was recorded since a seal, or the whole store; null until one is chosen. */
export function Verify(props: {
  name?: string;
  of: { run_id?: string; since?: Seal } | null;
  says: string;
}) {
  const check = useJob<Verification>(() => verify(props.of ?? {}));
  const verdict = check.result;
  return (
    <Check
      name={props.name ?? "Verify"}
      says={props.says}
      busy={check.isBusy}
      disabled={props.of === null}
      onBegin={() => {
        check.begin();
      }}
    >
      <JobProgress job={check.job} error={check.error} />
      {verdict && (
        <div className={verdict.answer === "whole" ? "notice good" : "notice bad"} role="status">
          <strong>
            {verdict.answer === "whole" ? "Everything matches" : "The evidence is damaged"}
          </strong>
          {verdict.found && <p>{verdict.found}</p>}
          {verdict.stream && (
            <p>
              In {verdict.stream}
              {verdict.stream_version !== null && `, event ${grouped(verdict.stream_version)}`}.
              Nothing of this store after it is proved. Keep a copy of the store, and restore the
              last backup that verifies.
            </p>
          )}
          <p>
            {count(verdict.events, "event")}, {count(verdict.appends, "seal")},{" "}
            {count(verdict.snapshots, "snapshot")}, {count(verdict.rows, "row")} of tables,{" "}
            {grouped(verdict.index_entries)} entries of the index
            {(verdict.archived_runs ?? 0) > 0 &&
              `, ${count(verdict.archived_runs ?? 0, "archived run")}`}
            .
          </p>
        </div>
      )}
    </Check>
  );
}

const REPLAYS: Record<string, string> = {
  reproduced: "The engine decided the same again, event by event",
  reproduced_so_far: "The engine decided the same as far as the run got",
  differs: "The engine decides otherwise now",
  damaged: "The hashes do not match, so that nothing was compared",
  unreadable: "The events cannot be read",
};

/** Decides a run again from its captured snapshot, and compares event by event. */
export function Replay({ runId }: { runId: string }) {
  const check = useJob<Record<string, unknown>>(() => replay(runId));
  const verdict = check.result;
  const reply = String(verdict?.["answer"]);
  return (
    <Check
      name="Replay"
      says="Runs the engine again on the captured snapshot."
      busy={check.isBusy}
      onBegin={() => {
        check.begin();
      }}
    >
      <JobProgress job={check.job} error={check.error} />
      {verdict && (
        <div
          className={reply.startsWith("reproduced") ? "notice good" : "notice bad"}
          role="status"
        >
          <strong>{REPLAYS[reply] ?? reply}</strong>
          <dl className="facts">
            {Object.entries(verdict)
              .filter(([name]) => name !== "answer" && name !== "run_id")
              .map(([name, value]) => (
                <div key={name} className="pair">
                  <dt>{name.replace(/_/g, " ")}</dt>
                  <dd>
                    {typeof value === "number"
                      ? grouped(value)
                      : typeof value === "string"
                        ? value
                        : JSON.stringify(value)}
                  </dd>
                </div>
              ))}
          </dl>
        </div>
      )}
    </Check>
  );
}
