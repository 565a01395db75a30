import { useMutation } from "@tanstack/react-query";
import { answer, api } from "../../api/client";
import type { TriesView } from "../../api/tries";
import { count } from "../../format";
import { RequestState } from "../../shell/Problem";
import { Outcomes } from "../Outcomes";

/** What a change would do to a run of now, before it is saved: decided in memory, recorded nowhere. */
export function Effect({ edits }: { edits: readonly string[] }) {
  const tried = useMutation({
    mutationFn: (asked: readonly string[]): Promise<TriesView> =>
      answer(
        api.POST("/api/powerfill/tries", {
          body: { base_run: null, tries: [{ name: "With the change", edits: [...asked] }] },
        }),
      ),
  });
  // An answer is about the change as it was when it was asked.
  const isOf = tried.variables?.join("\n") === edits.join("\n");
  const result = isOf ? tried.data : undefined;
  const failure = result?.tries[0]?.outcome.failure;
  return (
    <>
      <div className="row">
        <button
          type="button"
          className="button"
          disabled={edits.length === 0 || (tried.isPending && isOf)}
          onClick={() => {
            tried.mutate(edits);
          }}
        >
          Try it first
        </button>
        <span className="muted">
          {edits.length === 0 ? "Nothing is changed yet." : "Decides the book of now with it."}
        </span>
      </div>
      {isOf && <RequestState of={tried} what="the effect" />}
      {failure && (
        <div className="notice bad" role="status">
          <strong>With this change, preflight refuses the run</strong>
          <p>{failure}</p>
        </div>
      )}
      {result && !failure && (
        <>
          <Outcomes result={result} label="Without and with the change" base="As it is" />
          <p className="small" role="status">
            {result.tries[0]?.moved === 0
              ? "Each loan stays where it is."
              : `${count(result.tries[0]?.moved ?? 0, "loan goes", "loans go")} elsewhere.`}
          </p>
        </>
      )}
    </>
  );
}
