import { words } from "../format";

const TONES: Record<string, string> = {
  Complete: "good",
  Failed: "bad",
  Cancelled: "warn",
};

export function RunStatus({ status }: { status: string }) {
  return <span className={`badge ${TONES[status] ?? "busy"}`}>{words(status)}</span>;
}
