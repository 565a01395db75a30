import { useMutation } from "@tanstack/react-query";
import { answer, api } from "../api/client";
import { ProblemNotice } from "../shell/Problem";
import { saveAs } from "../save";

/** The files of a run to keep: what each is, and how its name ends. */
const FILES = [
  {
    path: "/api/powerfill/runs/{run_id}/report",
    name: "Report",
    ending: "report.html",
    says: "What the run decided and is worth, as a page.",
  },
  {
    path: "/api/powerfill/runs/{run_id}/audit-certificate",
    name: "Certificate",
    ending: "certificate.html",
    says: "A page to sign: run, input, and options, and that it verifies and is reproduced now.",
  },
  {
    path: "/api/powerfill/runs/{run_id}/evidence",
    name: "Evidence",
    ending: "pfe",
    says: "One file that anybody checks without the store: powerfill evidence verify FILE.",
  },
  {
    path: "/api/powerfill/runs/{run_id}/workbook",
    name: "Workbook",
    ending: "xlsx",
    says: "The output tables, with a summary.",
  },
] as const;

/** A file that the service makes when it is asked for; a failure is told here. */
function RunFile({ runId, file }: { runId: string; file: (typeof FILES)[number] }) {
  const made = useMutation({
    mutationFn: async () => {
      const params = { path: { run_id: runId } };
      return (await answer(api.GET(file.path, { params, parseAs: "blob" }))) as unknown as Blob;
    },
    onSuccess: (blob) => {
      saveAs(blob, `${runId}.${file.ending}`);
    },
  });
  return (
    <>
      <div className="row">
        <button
          type="button"
          className="button"
          disabled={made.isPending}
          onClick={() => {
            made.mutate();
          }}
        >
          {file.name}
        </button>
        <span className="muted" role="status">
          {made.isPending ? "Is being made." : file.says}
        </span>
      </div>
      {made.isError && <ProblemNotice error={made.error} />}
    </>
  );
}

/** What a person takes away of a Complete run. */
export function RunFiles({ runId }: { runId: string }) {
  return (
    <>
      {FILES.map((file) => (
        <RunFile key={file.path} runId={runId} file={file} />
      ))}
    </>
  );
}
