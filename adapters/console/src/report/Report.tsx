import type { Brief } from "../api/brief";
import type { Overview } from "../api/overview";
import { moment } from "../format";
import { BriefOverview } from "../parts/BriefOverview";
import { RunOverview } from "../parts/RunOverview";

/** The overview of a run, and what changed since the official run before it. */
export type ReportData = Overview & { brief?: Brief | null };

/** The one-file report of a run, to send, to file, and to print. */
export function Report({ data }: { data: ReportData | null }) {
  if (!data) {
    return (
      <main className="main">
        <div className="notice">
          <strong>This page has no run in it</strong>
          <p>
            Make it with <code>powerfill report RUN --out run.html</code>.
          </p>
        </div>
      </main>
    );
  }
  const { run, brief } = data;
  return (
    <main className="main">
      <div className="head">
        <div className="grow">
          <h1>
            {run.tenant_id}, as of {run.as_of ?? "no day"}
          </h1>
          <p className="muted">
            Run <span className="mono">{run.run_id}</span>, requested {moment(run.requested_at)} by{" "}
            {run.requested_by}. {run.status}.
          </p>
        </div>
        <button
          type="button"
          className="button no-print"
          onClick={() => {
            globalThis.print();
          }}
        >
          Print
        </button>
      </div>
      <RunOverview overview={data} print>
        {brief && (
          <>
            <h2 className="new-page">Since the run before</h2>
            <BriefOverview brief={brief} />
          </>
        )}
      </RunOverview>
    </main>
  );
}
