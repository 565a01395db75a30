import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useId, useState } from "react";
import { compareExport, draftMapping, type Comparison, type Export } from "../api/comparison";
import { useJob } from "../api/jobs";
import { ProblemError } from "../api/problem";
import { recentRunsQuery } from "../api/runs";
import { bytes, count } from "../format";
import { Card } from "../parts/Card";
import { saveAs } from "../save";
import { FileButton } from "../shell/FileButton";
import { ProblemNotice, RequestState } from "../shell/Problem";
import { useTenant } from "../shell/tenant";
import { JobProgress } from "./Checks";
import { Classify } from "./Classify";
import { Differences } from "./Differences";
import { RunLinks } from "./RunLinks";
import { RunOptions } from "./RunOptions";

/** The part of the upload that a problem is about. */
const partOf = (error: unknown): string | null =>
  error instanceof ProblemError ? (error.problem.field ?? null) : null;

/** A text that is edited here and kept in a file of the person's own. */
function TextFile(props: {
  label: string;
  help: string;
  name: string;
  value: string;
  error: unknown;
  onChange: (text: string) => void;
}) {
  const id = useId();
  return (
    <div className="field">
      <div className="row">
        <label htmlFor={id} className="grow">
          {props.label}
        </label>
        <FileButton
          text="Open"
          className="button tight"
          accept=".toml,text/plain"
          onFile={(file) => void file.text().then(props.onChange)}
        />
        <button
          type="button"
          className="button tight"
          disabled={props.value.trim() === ""}
          onClick={() => {
            saveAs(new Blob([props.value], { type: "text/plain" }), props.name);
          }}
        >
          Save to a file
        </button>
      </div>
      <textarea
        id={id}
        className="mono"
        rows={12}
        spellCheck={false}
        value={props.value}
        aria-invalid={props.error !== null}
        aria-describedby={`${id}-help`}
        onChange={(event) => {
          props.onChange(event.target.value);
        }}
      />
      <span id={`${id}-help`} className="help">
        {props.help}
      </span>
      {props.error !== null && <ProblemNotice error={props.error} />}
    </div>
  );
}

/** A run against the outputs of another system, as files. */
export function CompareExport() {
  const tenant = useTenant();
  const search = useSearch({ from: "/compare/export" });
  const navigate = useNavigate({ from: "/compare/export" });
  const runs = useQuery(recentRunsQuery(tenant.tenant_id));
  const runId = search.run ?? runs.data?.runs[0]?.run_id;
  const [files, setFiles] = useState<readonly File[]>([]);
  const [mapping, setMapping] = useState("");
  const [classifications, setClassifications] = useState("");
  // What was sent: the proposal is made from it, and would undo what was written since.
  const [compared, setCompared] = useState("");
  const check = useJob<Comparison, Export>((sent) => compareExport(runId ?? "", sent));
  const draft = useMutation({
    mutationFn: () => draftMapping(runId ?? "", files),
    onSuccess: (drafted) => {
      setMapping(drafted.mapping);
    },
  });
  const part = partOf(check.error);
  const proposed = check.result?.proposed_classifications;
  return (
    <RunLinks runId={runId ?? ""}>
      <Card title="A run and an export">
        <RequestState of={runs} what="runs" />
        <form
          className="stack"
          onSubmit={(event) => {
            event.preventDefault();
            setCompared(classifications);
            check.begin({ files, mapping, classifications });
          }}
        >
          <div className="row top">
            <label className="field">
              <span className="label">Run</span>
              <select
                value={runId ?? ""}
                onChange={(event) =>
                  void navigate({ search: { run: event.target.value }, replace: true })
                }
              >
                {runs.data?.runs.length === 0 && <option value="">No run is Complete yet</option>}
                <RunOptions runs={runs.data?.runs} />
              </select>
            </label>
            <label className="field">
              <span className="label">Files of the export</span>
              <input
                type="file"
                multiple
                accept=".csv,.txt,.tsv,.psv,.gz,.xlsx"
                onChange={(event) => {
                  setFiles([...(event.target.files ?? [])]);
                }}
              />
              <span className="help">CSV files or workbooks; nothing of them is kept.</span>
            </label>
            <span className="muted" role="status">
              {files.length > 0 &&
                `${count(files.length, "file")}, ${bytes(files.reduce((sum, file) => sum + file.size, 0))}`}
            </span>
          </div>
          <div className="columns">
            <TextFile
              label="Mapping"
              name="mapping.toml"
              value={mapping}
              error={part === "mapping" ? check.error : null}
              onChange={setMapping}
              help="Which file, column, and value of the export is which of ours (TOML). Empty: the export has our names."
            />
            <TextFile
              label="Classifications"
              name="classifications.toml"
              value={classifications}
              error={part === "classifications" ? check.error : null}
              onChange={setClassifications}
              help="What each difference is: acceptable_variation, bug, or enhancement (TOML). A difference without a class is left to explain."
            />
          </div>
          <Classify text={classifications} onChange={setClassifications} />
          <div className="actions">
            <button
              type="submit"
              className="button primary"
              disabled={files.length === 0 || runId === undefined || check.isBusy}
            >
              Compare
            </button>
            <button
              type="button"
              className="button"
              disabled={files.length === 0 || runId === undefined || draft.isPending}
              onClick={() => {
                draft.mutate();
              }}
            >
              Draft a mapping
            </button>
            {proposed && classifications === compared && (
              <button
                type="button"
                className="button"
                onClick={() => {
                  setClassifications(proposed);
                }}
              >
                Add entries for what has no class
              </button>
            )}
          </div>
          <RequestState of={draft} what="the draft" />
          <JobProgress
            job={check.job}
            error={part === "mapping" || part === "classifications" ? null : check.error}
          />
        </form>
      </Card>
      {check.result && (
        <Differences comparison={check.result} sides={["In the run", "In the export"]} />
      )}
    </RunLinks>
  );
}
