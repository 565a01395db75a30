import { Link } from "@tanstack/react-router";
import { faultWords, problemOf } from "../api/problem";

/** What happened and what to do, for a person; the id of the request leads to the service's log. */
export function ProblemNotice({ error, retry }: { error: unknown; retry?: () => void }) {
  const problem = problemOf(error);
  const faults = problem.faults ?? [];
  return (
    <div className="notice bad" role="alert">
      <strong>{problem.title}</strong>
      <p>{problem.detail}</p>
      {faults.length > 0 && (
        <ul>
          {faults.slice(0, 50).map((fault, index) => (
            <li key={index}>{faultWords(fault)}</li>
          ))}
          {faults.length > 50 && <li>and {faults.length - 50} more</li>}
        </ul>
      )}
      {problem.message && <p>{problem.message}</p>}
      {problem.run_id && (
        <Link to="/runs/$runId" params={{ runId: problem.run_id }}>
          Show that run
        </Link>
      )}
      <div className="row">
        {retry && (
          <button type="button" className="button tight" onClick={retry}>
            Try again
          </button>
        )}
        {problem.request_id && (
          <span className="muted small">
            Request <code>{problem.request_id}</code>
          </span>
        )}
      </div>
    </div>
  );
}

export function Loading({ what }: { what: string }) {
  return (
    <p className="loading" role="status">
      Loading {what}
    </p>
  );
}

/** What a request is at: a line while it waits, and what happened if it failed; else nothing. */
export function RequestState(props: {
  of: { isPending: boolean; isError: boolean; error: unknown; refetch?: () => unknown };
  what: string;
}) {
  const { isPending, isError, error, refetch } = props.of;
  if (isPending) return <Loading what={props.what} />;
  if (!isError) return null;
  return <ProblemNotice error={error} {...(refetch && { retry: () => void refetch() })} />;
}
