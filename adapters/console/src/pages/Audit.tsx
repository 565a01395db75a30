import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { goesOn, jobsQuery, readSeal, sealOf, type Job, type Seal } from "../api/jobs";
import { recentRunsQuery } from "../api/runs";
import { count, grouped, moment, percent, short, words } from "../format";
import { Card } from "../parts/Card";
import { num, Table } from "../parts/Table";
import { saveAs } from "../save";
import { FileButton } from "../shell/FileButton";
import { ProblemNotice, RequestState } from "../shell/Problem";
import { useTenant } from "../shell/tenant";
import { CancelJob, Replay, Verify } from "./Checks";
import { RunFiles } from "./RunFiles";
import { RunOptions } from "./RunOptions";

const keyOf = (tenant: string) => `powerfill-seals-${tenant}`;

/** The seals that this browser keeps, where nobody who can write the store can change them. */
function keptSeals(tenant: string): Seal[] {
  try {
    const kept = JSON.parse(localStorage.getItem(keyOf(tenant)) ?? "[]") as unknown[];
    return kept.flatMap((seal) => sealOf(JSON.stringify(seal)) ?? []);
  } catch {
    return [];
  }
}

function keep(tenant: string, seals: readonly Seal[]) {
  try {
    localStorage.setItem(keyOf(tenant), JSON.stringify(seals));
  } catch {
    // Without storage, the list ends with the page; the files stay.
  }
}

function Seals() {
  const tenant = useTenant();
  const [seals, setSeals] = useState(() => keptSeals(tenant.tenant_id));
  const [chosen, setChosen] = useState<Seal | null>(null);
  const [wrong, setWrong] = useState<string | null>(null);
  const add = (seal: Seal) => {
    const next = [seal, ...seals.filter((other) => other.seal !== seal.seal)].slice(0, 100);
    setSeals(next);
    keep(tenant.tenant_id, next);
    setChosen(seal);
  };
  const take = useMutation({ mutationFn: readSeal, onSuccess: add });
  return (
    <Card title="Seals">
      <p className="muted">
        A seal says how the log ends at a moment. Keep its file where nobody who administers the
        store can write: a log that was cut or rewritten later does not fit it.
      </p>
      <div className="row">
        <button
          type="button"
          className="button"
          disabled={take.isPending}
          onClick={() => {
            take.mutate();
          }}
        >
          Take a seal
        </button>
        <FileButton
          text="Add a file"
          accept=".seal,.json,application/json"
          onFile={(file) => {
            setWrong(null);
            void file.text().then((text) => {
              const seal = sealOf(text);
              if (!seal) setWrong(`${file.name} is no seal: choose a file of “Take a seal”.`);
              else if (seal.tenant !== null && seal.tenant !== tenant.tenant_id) {
                setWrong(`${file.name} is a seal of tenant ${seal.tenant}.`);
              } else add(seal);
            });
          }}
        />
      </div>
      {take.isError && <ProblemNotice error={take.error} />}
      {wrong && (
        <p className="wrong" role="alert">
          {wrong}
        </p>
      )}
      {seals.length > 0 && (
        <Table
          label="Seals that this browser keeps"
          heads={["Check", "Taken", num("Events"), "Seal", { name: "Actions", hidden: true }]}
        >
          <tbody>
            {seals.map((seal) => (
              <tr key={seal.seal}>
                <td className="check-cell">
                  <input
                    type="radio"
                    name="seal"
                    aria-label={`Check the seal of event ${grouped(seal.position)}`}
                    checked={chosen?.seal === seal.seal}
                    onChange={() => {
                      setChosen(seal);
                    }}
                  />
                </td>
                <td className="nowrap">{seal.exported_at ? moment(seal.exported_at) : ""}</td>
                <td className="num">{grouped(seal.position)}</td>
                <td>
                  <code title={seal.seal}>{short(seal.seal, 16)}</code>
                </td>
                <td className="row-actions">
                  <button
                    type="button"
                    className="button tight"
                    onClick={() => {
                      const text = `${JSON.stringify(seal, null, 2)}\n`;
                      const day = seal.exported_at?.slice(0, 10) ?? String(seal.position);
                      const blob = new Blob([text], { type: "application/json" });
                      saveAs(blob, `${tenant.tenant_id}-${day}.seal`);
                    }}
                  >
                    Download
                  </button>{" "}
                  <button
                    type="button"
                    className="button tight plain"
                    aria-label={`Forget the seal of event ${grouped(seal.position)}`}
                    onClick={() => {
                      const next = seals.filter((other) => other.seal !== seal.seal);
                      setSeals(next);
                      keep(tenant.tenant_id, next);
                      if (chosen?.seal === seal.seal) setChosen(null);
                    }}
                  >
                    ✕
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </Table>
      )}
      <Verify
        key={chosen?.seal ?? ""}
        name="Check the seal"
        of={chosen && { since: chosen }}
        says={
          chosen
            ? `Checks that the log contains the seal, and verifies what was recorded after event ${grouped(chosen.position)}.`
            : "Choose a seal, or take one."
        }
      />
    </Card>
  );
}

function OneRun() {
  const tenant = useTenant();
  const search = useSearch({ from: "/audit" });
  const navigate = useNavigate({ from: "/audit" });
  const runs = useQuery(recentRunsQuery(tenant.tenant_id));
  const runId = search.run ?? runs.data?.runs[0]?.run_id;
  return (
    <Card title="A run">
      <RequestState of={runs} what="runs" />
      {runs.data && runs.data.runs.length === 0 && <p className="empty">No run is Complete yet.</p>}
      {runId !== undefined && (
        <>
          <div className="row">
            <label className="field">
              <span className="label">Run</span>
              <select
                value={runId}
                onChange={(event) =>
                  void navigate({ search: { run: event.target.value }, replace: true })
                }
              >
                {search.run !== undefined &&
                  !runs.data?.runs.some((run) => run.run_id === search.run) && (
                    <option value={search.run}>{search.run}</option>
                  )}
                <RunOptions runs={runs.data?.runs} />
              </select>
            </label>
            <Link to="/runs/$runId" params={{ runId }} className="button low">
              Show the run
            </Link>
          </div>
          <Verify
            key={`verify ${runId}`}
            of={{ run_id: runId }}
            says="Checks hashes, seals, the snapshot, and the tables against the events."
          />
          <Replay key={`replay ${runId}`} runId={runId} />
          <RunFiles key={`files ${runId}`} runId={runId} />
        </>
      )}
    </Card>
  );
}

const KINDS: Record<string, string> = {
  verification: "Verification",
  replay: "Replay",
  comparison: "Comparison",
  export_comparison: "Comparison with an export",
  challenge: "Challenge",
};
const TONES: Record<string, string> = {
  whole: "good",
  reproduced: "good",
  same: "good",
  damaged: "bad",
  differs: "bad",
};

function JobState({ job }: { job: Job }) {
  if (goesOn(job)) {
    return (
      <span className="badge busy">
        {job.status === "Pending" ? "Waits" : percent(Number(job.fraction))}
      </span>
    );
  }
  if (job.answer === null) {
    return <span className="badge warn">{words(job.status)}</span>;
  }
  return <span className={`badge ${TONES[job.answer] ?? ""}`}>{words(job.answer)}</span>;
}

function Jobs() {
  const tenant = useTenant();
  const jobs = useQuery(jobsQuery(tenant.tenant_id));
  return (
    <Card title="What was checked lately">
      <p className="muted">
        The service remembers a check for an hour after its end, until it stops.
      </p>
      <RequestState of={jobs} what="the checks" />
      {jobs.data?.length === 0 && <p className="empty">Nothing was checked lately.</p>}
      {jobs.data && jobs.data.length > 0 && (
        <Table
          label="Checks"
          heads={["What", "Of", "Requested", "By", "Answer", { name: "Actions", hidden: true }]}
          caption={count(jobs.data.length, "check")}
        >
          <tbody>
            {jobs.data.map((job) => (
              <tr key={job.job_id}>
                <th scope="row">{KINDS[job.kind] ?? words(job.kind)}</th>
                <td>
                  {job.run_id === null ? (
                    "The store"
                  ) : (
                    <Link to="/runs/$runId" params={{ runId: job.run_id }} className="mono nowrap">
                      {short(job.run_id, 18)}
                    </Link>
                  )}
                </td>
                <td className="nowrap">{moment(job.requested_at)}</td>
                <td>{job.requested_by}</td>
                <td>
                  <JobState job={job} />
                  {job.failure && <div className="small">{job.failure.message}</div>}
                </td>
                <td className="row-actions">{goesOn(job) && <CancelJob job={job} />}</td>
              </tr>
            ))}
          </tbody>
        </Table>
      )}
    </Card>
  );
}

/** Verification, seals, and evidence, for whoever audits what was decided. */
export function AuditPage() {
  return (
    <>
      <h1>Audit</h1>
      <Card title="The whole store">
        <Verify
          name="Verify everything"
          of={{}}
          says="Checks each hash, each seal, each captured snapshot, and the tables against the events."
        />
      </Card>
      <Seals />
      <OneRun />
      <Jobs />
    </>
  );
}
