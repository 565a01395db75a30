import type { RunListItem } from "../api/runs";
import { moment } from "../format";

/** Runs to choose from, in a list of a form. */
export function RunOptions({ runs = [] }: { runs: readonly RunListItem[] | undefined }) {
  return runs.map((run) => (
    <option key={run.run_id} value={run.run_id}>
      {run.name ?? moment(run.requested_at)}, as of {run.as_of ?? "no day"}
    </option>
  ));
}
