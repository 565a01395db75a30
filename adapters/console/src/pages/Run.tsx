import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useParams, useRouterState } from "@tanstack/react-router";
import { isOver, runQuery } from "../api/runs";
import { may } from "../api/session";
import { moment, span } from "../format";
import { PATHS } from "../generated/paths";
import { Loading, ProblemNotice } from "../shell/Problem";
import { useTenant } from "../shell/tenant";
import { CancelButton, LiveProgress } from "./Runs";
import { Annotations } from "./Annotations";
import { Find } from "./Find";
import { RunStatus } from "./status";

/** The head of a run, above each of its pages. */
export function RunPage() {
  const tenant = useTenant();
  const { runId } = useParams({ from: "/runs/$runId" });
  const path = useRouterState({ select: (state) => state.location.pathname });
  const run = useQuery(runQuery(tenant.tenant_id, runId));
  if (run.isError) {
    return (
      <>
        <h1>Run</h1>
        <ProblemNotice error={run.error} retry={() => void run.refetch()} />
      </>
    );
  }
  const view = run.data;
  return (
    <>
      <div className="head">
        <div className="grow">
          <h1>
            Run <span className="mono">{runId}</span>
          </h1>
          {view && (
            <p className="muted">
              Requested {moment(view.requested_at)}
              {view.requested_by && ` by ${view.requested_by}`}
              {view.ended_at && `; took ${span(view.requested_at, view.ended_at)}`}
            </p>
          )}
        </div>
        {view && <RunStatus status={view.status} />}
      </div>
      <nav className="tabs" aria-label="Pages of the run">
        <Link
          to="/runs/$runId"
          params={{ runId }}
          activeOptions={{ exact: true }}
          activeProps={{ "aria-current": "page" }}
        >
          Overview
        </Link>
        <Link
          to="/runs/$runId/tables/$report"
          params={{ runId, report: "guide" }}
          activeProps={{}}
          aria-current={path.includes("/tables/") ? "page" : undefined}
        >
          Tables
        </Link>
        {PATHS.includes("/api/powerfill/runs/{run_id}/timeline") && (
          <Link
            to="/runs/$runId/time"
            params={{ runId }}
            search={{}}
            activeProps={{}}
            aria-current={path.endsWith("/time") ? "page" : undefined}
          >
            Time
          </Link>
        )}
        <Find runId={runId} />
      </nav>
      {view && <Annotations runId={runId} />}
      {!view && <Loading what="the run" />}
      {view && !isOver(view.status) && (
        <div className="card">
          <LiveProgress runId={runId} />
          {may(tenant.role, "operator") && (
            <div className="actions">
              <CancelButton run={view} />
            </div>
          )}
        </div>
      )}
      {view?.failure && (
        <div className="notice bad">
          <strong>The run failed in step {view.failure.step}</strong>
          <p>{view.failure.message}</p>
          <code>{view.failure.code}</code>
        </div>
      )}
      {view?.status === "Cancelled" && (
        <div className="notice warn">
          <strong>The run was cancelled{view.cancelled_by && ` by ${view.cancelled_by}`}</strong>
          <p>It has events up to its end and no tables. Start another run when you are ready.</p>
        </div>
      )}
      <Outlet />
    </>
  );
}
