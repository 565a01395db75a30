import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { overviewQuery, runQuery } from "../api/runs";
import { Card } from "../parts/Card";
import { RunOverview } from "../parts/RunOverview";
import { Loading, ProblemNotice } from "../shell/Problem";
import { useTenant } from "../shell/tenant";
import { Challenges } from "./Challenge";
import { Replay, Verify } from "./Checks";
import { RunFiles } from "./RunFiles";
import { RunLinks } from "./RunLinks";

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
      {overview.data && (
        <RunOverview overview={overview.data}>
          <Challenges runId={runId} />
        </RunOverview>
      )}
      {run.data && (
        <div className="columns">
          <Card title="Is it still what was decided?">
            <Verify
              of={{ run_id: runId }}
              says="Checks hashes, seals, the snapshot, and the tables against the events."
            />
            <Replay runId={runId} />
          </Card>
          {run.data.status === "Complete" && (
            <Card title="To keep and to send">
              <RunFiles runId={runId} />
            </Card>
          )}
        </div>
      )}
    </RunLinks>
  );
}
