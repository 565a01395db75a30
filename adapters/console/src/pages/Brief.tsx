import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { briefQuery } from "../api/brief";
import { ProblemError } from "../api/problem";
import { recentRunsQuery } from "../api/runs";
import { BriefOverview } from "../parts/BriefOverview";
import { RequestState } from "../shell/Problem";
import { useTenant } from "../shell/tenant";
import { RunLinks } from "./RunLinks";
import { RunOptions } from "./RunOptions";

function Choose(props: {
  label: string;
  value: string | undefined;
  onChange: (run: string | undefined) => void;
}) {
  const tenant = useTenant();
  const runs = useQuery(recentRunsQuery(tenant.tenant_id));
  return (
    <label className="field">
      <span className="label">{props.label}</span>
      <select
        value={props.value ?? ""}
        onChange={(event) => {
          props.onChange(event.target.value || undefined);
        }}
      >
        <option value="">The latest ones</option>
        <RunOptions runs={runs.data?.runs} />
      </select>
    </label>
  );
}

/** Yesterday against today: where the value went, what changed, and what to look at. */
export function BriefPage() {
  const tenant = useTenant();
  const search = useSearch({ from: "/brief" });
  const navigate = useNavigate({ from: "/brief" });
  const query = useQuery(briefQuery(tenant.tenant_id, search.then, search.now));
  const brief = query.data;
  const isTooEarly =
    search.then === undefined &&
    search.now === undefined &&
    query.error instanceof ProblemError &&
    query.error.problem.status === 409;
  return (
    <>
      <div className="head">
        <h1 className="grow">Brief</h1>
        <div className="row no-print">
          <Choose
            label="Then"
            value={search.then}
            onChange={(then) => void navigate({ search: (before) => ({ ...before, then }) })}
          />
          <Choose
            label="Now"
            value={search.now}
            onChange={(now) => void navigate({ search: (before) => ({ ...before, now }) })}
          />
        </div>
      </div>
      {isTooEarly ? (
        <div className="empty">
          <strong>There is no brief yet</strong>
          <p>
            It compares two official runs that are Complete, such as those of yesterday and today.
            Start one in the list of <Link to="/runs">runs</Link>.
          </p>
        </div>
      ) : (
        <RequestState of={query} what="the brief" />
      )}
      {brief && (
        <RunLinks runId={brief.now.run_id}>
          <BriefOverview brief={brief} />
        </RunLinks>
      )}
    </>
  );
}
