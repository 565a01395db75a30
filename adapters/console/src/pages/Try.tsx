import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useId, useState } from "react";
import { answer, api } from "../api/client";
import { recentRunsQuery } from "../api/runs";
import { EDIT_KINDS, type TriesView, type TryView } from "../api/tries";
import { count, dollars, grouped, signedDollars } from "../format";
import { Card } from "../parts/Card";
import { LoanId, TradeId } from "../parts/links";
import { num, Table } from "../parts/Table";
import { FormDialog } from "../shell/Dialog";
import { ProblemNotice, RequestState } from "../shell/Problem";
import { useTenant } from "../shell/tenant";
import { textOrNull } from "../values";
import { Outcomes } from "./Outcomes";
import { RunLinks } from "./RunLinks";
import { RunOptions } from "./RunOptions";

function Results(props: { result: TriesView; onKeep: (tried: TryView) => void }) {
  const { tries } = props.result;
  return (
    <>
      <Card title="Side by side">
        <Outcomes result={props.result} label="Base and tries" base="Base">
          <tr>
            <th scope="row">Loans elsewhere than in the base</th>
            <td />
            {tries.map((tried, index) => (
              <td className="num" key={index}>
                {grouped(tried.moved)}
              </td>
            ))}
          </tr>
          <tr>
            <td />
            <td />
            {tries.map((tried, index) => (
              <td className="num" key={index}>
                <button
                  type="button"
                  className="button tight"
                  aria-label={`Keep ${tried.name}`}
                  onClick={() => {
                    props.onKeep(tried);
                  }}
                >
                  Keep
                </button>
              </td>
            ))}
          </tr>
        </Outcomes>
      </Card>
      {tries.map((tried, index) => (
        <Card key={index} title={`Largest movers: ${tried.name}`}>
          {tried.outcome.failure && (
            <div className="notice bad">
              <strong>Preflight refuses this input</strong>
              <p>{tried.outcome.failure}</p>
            </div>
          )}
          {tried.movers.length === 0 ? (
            <p className="muted">Each loan is where it is in the base.</p>
          ) : (
            <Table
              label={`Movers of ${tried.name}`}
              heads={["Loan", "In the base", "In the try", num("Dollars"), num("Change of value")]}
            >
              <tbody>
                {tried.movers.map((mover) => (
                  <tr key={mover.loan_id}>
                    <th scope="row">
                      <LoanId id={mover.loan_id} />
                    </th>
                    <td>{mover.from_trade_id ? <TradeId id={mover.from_trade_id} /> : "none"}</td>
                    <td>{mover.to_trade_id ? <TradeId id={mover.to_trade_id} /> : "none"}</td>
                    <td className="num">{dollars(mover.loan_amount)}</td>
                    <td className="num">{signedDollars(mover.value_change)}</td>
                  </tr>
                ))}
              </tbody>
            </Table>
          )}
        </Card>
      ))}
    </>
  );
}

/** Makes the line of an edit from a form. */
function EditForm(props: { tries: number; onAdd: (line: string, to: number) => void }) {
  const id = useId();
  const [kind, setKind] = useState(0);
  const [values, setValues] = useState<Record<string, string>>({});
  const [to, setTo] = useState(-1);
  const shown = EDIT_KINDS[kind] ?? EDIT_KINDS[0];
  if (!shown) return null;
  const filled = { ...values };
  for (const field of shown.fields) filled[field.name] ??= field.choices?.[0] ?? "";
  const line = shown.line(filled);
  const first = shown.fields[0];
  const ready = first !== undefined && (filled[first.name] ?? "").trim() !== "";
  return (
    <form
      className="stack"
      aria-label="Edit"
      onSubmit={(event) => {
        event.preventDefault();
        if (!ready) return;
        props.onAdd(line, to);
        setValues({});
      }}
    >
      <div className="form-grid">
        <div className="field">
          <label htmlFor={`${id}-kind`}>Change</label>
          <select
            id={`${id}-kind`}
            value={kind}
            onChange={(event) => {
              setKind(Number(event.target.value));
              setValues({});
            }}
          >
            {EDIT_KINDS.map((each, index) => (
              <option key={each.name} value={index}>
                {each.name}
              </option>
            ))}
          </select>
        </div>
        {shown.fields.map((field) => (
          <div className="field" key={field.name}>
            <label htmlFor={`${id}-${field.name}`}>{field.label}</label>
            {field.choices ? (
              <select
                id={`${id}-${field.name}`}
                value={filled[field.name]}
                onChange={(event) => {
                  setValues({ ...values, [field.name]: event.target.value });
                }}
              >
                {field.choices.map((choice) => (
                  <option key={choice}>{choice}</option>
                ))}
              </select>
            ) : (
              <input
                id={`${id}-${field.name}`}
                value={filled[field.name]}
                spellCheck={false}
                onChange={(event) => {
                  setValues({ ...values, [field.name]: event.target.value });
                }}
              />
            )}
            {field.help && <span className="help">{field.help}</span>}
          </div>
        ))}
        <div className="field">
          <label htmlFor={`${id}-to`}>In</label>
          <select
            id={`${id}-to`}
            value={to}
            onChange={(event) => {
              setTo(Number(event.target.value));
            }}
          >
            <option value={-1}>A new try</option>
            {Array.from({ length: props.tries }, (_, index) => (
              <option key={index} value={index}>
                Try {index + 1}
              </option>
            ))}
          </select>
        </div>
      </div>
      <div className="row">
        <button type="submit" className="button" disabled={!ready}>
          Add
        </button>
        {ready && <code className="muted">{line}</code>}
      </div>
    </form>
  );
}

function Keep(props: { tried: TryView; base: string | null; onClose: () => void }) {
  const navigate = useNavigate();
  const id = useId();
  const [name, setName] = useState("");
  const [note, setNote] = useState("");
  const [key] = useState(() => crypto.randomUUID());
  const keep = useMutation({
    mutationFn: () =>
      answer(
        api.POST("/api/powerfill/scenarios", {
          params: { header: { "Idempotency-Key": key } },
          body: {
            name: name.trim(),
            note: textOrNull(note),
            base_run: props.base,
            edits: props.tried.edits,
          },
        }),
      ),
    onSuccess: (accepted) => navigate({ to: "/runs/$runId", params: { runId: accepted.run_id } }),
  });
  return (
    <FormDialog
      title="Keep it as a scenario"
      submit="Keep"
      ready={name.trim() !== "" && !keep.isPending}
      onSubmit={() => {
        keep.mutate();
      }}
      onClose={props.onClose}
    >
      <p className="muted">
        A scenario is a recorded run that is never official: it can be explained, replayed, and
        compared, and it is never published.
      </p>
      <div className="field">
        <label htmlFor={`${id}-name`}>Name</label>
        <input
          id={`${id}-name`}
          value={name}
          onChange={(event) => {
            setName(event.target.value);
          }}
        />
      </div>
      <div className="field">
        <label htmlFor={`${id}-note`}>Why it was tried</label>
        <textarea
          id={`${id}-note`}
          value={note}
          rows={2}
          onChange={(event) => {
            setNote(event.target.value);
          }}
        />
      </div>
      {keep.isError && <ProblemNotice error={keep.error} />}
    </FormDialog>
  );
}

/** The base that is no run. */
const NOW = "now";

/** Changed inputs beside their base: decided in memory, nothing recorded until one is kept. */
export function TryPage() {
  const tenant = useTenant();
  const search = useSearch({ from: "/try" });
  const navigate = useNavigate({ from: "/try" });
  const runs = useQuery(recentRunsQuery(tenant.tenant_id));
  const [kept, setKept] = useState<TryView | null>(null);
  const tries = search.tries ?? [];
  const base = search.base ?? runs.data?.runs[0]?.run_id ?? NOW;
  const baseRun = base === NOW ? null : base;
  const run = useMutation({
    mutationFn: () =>
      answer(
        api.POST("/api/powerfill/tries", {
          body: { base_run: baseRun, tries: tries.map((edits) => ({ edits })) },
        }),
      ),
  });
  const show = (next: string[][]) => {
    run.reset();
    void navigate({
      search: (before) => ({ ...before, tries: next.length > 0 ? next : undefined }),
      replace: true,
    });
  };
  return (
    <>
      <h1>Try</h1>
      <Card title="What if">
        <RequestState of={runs} what="runs" />
        <label className="field narrow">
          <span className="label">Base</span>
          <select
            value={base}
            onChange={(event) => {
              run.reset();
              void navigate({
                search: (before) => ({ ...before, base: event.target.value || undefined }),
                replace: true,
              });
            }}
          >
            <RunOptions runs={runs.data?.runs} />
            <option value={NOW}>The book of now, as a run would read it</option>
          </select>
        </label>
        <EditForm
          tries={tries.length}
          onAdd={(line, to) => {
            show(
              to < 0
                ? [...tries, [line]]
                : tries.map((edits, index) => (index === to ? [...edits, line] : edits)),
            );
          }}
        />
        {tries.length === 0 ? (
          <p className="empty">
            Add a change. Several tries are decided side by side; nothing is recorded.
          </p>
        ) : (
          <ol className="plain">
            {tries.map((edits, index) => (
              <li key={index}>
                <span className="row">
                  <strong>Try {index + 1}</strong>
                  {edits.map((edit, place) => (
                    <button
                      type="button"
                      key={place}
                      className="button tight chip"
                      aria-label={`Remove ${edit} from try ${String(index + 1)}`}
                      onClick={() => {
                        show(
                          tries
                            .map((other, at) =>
                              at === index ? other.filter((_, p) => p !== place) : other,
                            )
                            .filter((other) => other.length > 0),
                        );
                      }}
                    >
                      <code>{edit}</code> <span aria-hidden="true">✕</span>
                    </button>
                  ))}
                </span>
              </li>
            ))}
          </ol>
        )}
        <div className="actions">
          <button
            type="button"
            className="button primary"
            disabled={tries.length === 0 || run.isPending}
            onClick={() => {
              run.mutate();
            }}
          >
            Decide {tries.length > 1 ? count(tries.length, "try", "tries") : "it"}
          </button>
        </div>
        <RequestState of={run} what="the tries" />
      </Card>
      {run.data && (
        // Without a run as its base, its ids have no pages.
        <RunLinks runId={baseRun}>
          <Results result={run.data} onKeep={setKept} />
        </RunLinks>
      )}
      {kept && (
        <Keep
          tried={kept}
          base={baseRun}
          onClose={() => {
            setKept(null);
          }}
        />
      )}
    </>
  );
}
