import { useMutation, useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { answer, api } from "../api/client";
import { overviewQuery, runQuery } from "../api/runs";
import { count, grouped } from "../format";
import { Card } from "../parts/Card";
import { RunOverview } from "../parts/RunOverview";
import { Loading, ProblemNotice, RequestState } from "../shell/Problem";
import { useTenant } from "../shell/tenant";
import { RunLinks } from "./RunLinks";

function Verify({ runId }: { runId: string }) {
  const verify = useMutation({
    mutationFn: () =>
      answer(
        api.POST("/api/powerfill/runs/{run_id}/verify", { params: { path: { run_id: runId } } }),
      ),
  });
  const verdict = verify.data;
  return (
    <>
      <div className="row">
        <button
          type="button"
          className="button"
          disabled={verify.isPending}
          onClick={() => {
            verify.mutate();
          }}
        >
          Verify
        </button>
        <span className="muted">
          Checks hashes, seals, the snapshot, and the tables against the events.
        </span>
      </div>
      <RequestState of={verify} what="the verification" />
      {verdict && (
        <div className={verdict.answer === "whole" ? "notice good" : "notice bad"} role="status">
          <strong>
            {verdict.answer === "whole" ? "Everything matches" : "The evidence is damaged"}
          </strong>
          {verdict.found && <p>{verdict.found}</p>}
          <p>
            {count(verdict.events, "event")}, {count(verdict.appends, "seal")},{" "}
            {count(verdict.rows, "row")} of tables, {grouped(verdict.index_entries)} entries of the
            index.
          </p>
        </div>
      )}
    </>
  );
}

const REPLAYS: Record<string, string> = {
  reproduced: "The engine decided the same again, event by event",
  reproduced_so_far: "The engine decided the same as far as the run got",
  differs: "The engine decides otherwise now",
  unreadable: "The events cannot be read",
};

function Replay({ runId }: { runId: string }) {
  const replay = useMutation({
    mutationFn: async () =>
      (await answer(
        api.POST("/api/powerfill/runs/{run_id}/replay", { params: { path: { run_id: runId } } }),
      )) as Record<string, unknown>,
  });
  const verdict = replay.data;
  const reply = String(verdict?.["answer"]);
  return (
    <>
      <div className="row">
        <button
          type="button"
          className="button"
          disabled={replay.isPending}
          onClick={() => {
            replay.mutate();
          }}
        >
          Replay
        </button>
        <span className="muted">Runs the engine again on the captured snapshot.</span>
      </div>
      <RequestState of={replay} what="the replay" />
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
    </>
  );
}

/** What a run is worth and what it did. */
export function RunHome() {
  const tenant = useTenant();
  const { runId } = useParams({ from: "/runs/$runId" });
  const run = useQuery(runQuery(tenant.tenant_id, runId));
  const complete = run.data ? run.data.status === "Complete" : true;
  const overview = useQuery({ ...overviewQuery(tenant.tenant_id, runId), enabled: complete });
  return (
    <RunLinks runId={runId}>
      {complete && overview.isPending && <Loading what="the overview" />}
      {overview.isError && run.data?.status === "Complete" && (
        <ProblemNotice error={overview.error} retry={() => void overview.refetch()} />
      )}
      {overview.data && <RunOverview overview={overview.data} />}
      {run.data && (
        <Card title="Is it still what was decided?">
          <Verify runId={runId} />
          <Replay runId={runId} />
        </Card>
      )}
    </RunLinks>
  );
}
