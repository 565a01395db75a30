import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useId, useState } from "react";
import { answer, api } from "../api/client";
import { may } from "../api/session";
import { moment } from "../format";
import { FormDialog } from "../shell/Dialog";
import { ProblemNotice } from "../shell/Problem";
import { useTenant } from "../shell/tenant";

const path = "/api/powerfill/runs/{run_id}/annotations";

/** The name and the notes of a run, which are no part of its events. */
export function Annotations({ runId }: { runId: string }) {
  const tenant = useTenant();
  const [open, setOpen] = useState(false);
  const query = useQuery({
    queryKey: ["tenant", tenant.tenant_id, "run", runId, "annotations"],
    queryFn: () => answer(api.GET(path, { params: { path: { run_id: runId } } })),
  });
  const view = query.data;
  if (!view) return null;
  return (
    <div className="row small">
      {view.name && <strong className="badge">{view.name}</strong>}
      {view.notes.slice(-3).map((note) => (
        <span key={note.at}>
          “{note.note}”{" "}
          <span className="muted">
            {note.by}, {moment(note.at)}
          </span>
        </span>
      ))}
      {may(tenant.role, "operator") && (
        <button
          type="button"
          className="button tight no-print"
          onClick={() => {
            setOpen(true);
          }}
        >
          Name or note
        </button>
      )}
      {open && (
        <Annotate
          runId={runId}
          name={view.name ?? ""}
          onClose={() => {
            setOpen(false);
          }}
        />
      )}
    </div>
  );
}

function Annotate(props: { runId: string; name: string; onClose: () => void }) {
  const tenant = useTenant();
  const client = useQueryClient();
  const id = useId();
  const [name, setName] = useState(props.name);
  const [note, setNote] = useState("");
  const save = useMutation({
    mutationFn: () =>
      answer(
        api.POST(path, {
          params: { path: { run_id: props.runId } },
          body: {
            ...(name.trim() === props.name ? {} : { name: name.trim() }),
            ...(note.trim() === "" ? {} : { note: note.trim() }),
          },
        }),
      ),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["tenant", tenant.tenant_id] });
      props.onClose();
    },
  });
  return (
    <FormDialog
      title="Name or note"
      submit="Save"
      ready={!save.isPending && (name.trim() !== props.name || note.trim() !== "")}
      onSubmit={() => {
        save.mutate();
      }}
      onClose={props.onClose}
    >
      <div className="field">
        <label htmlFor={`${id}-name`}>Name</label>
        <input
          id={`${id}-name`}
          value={name}
          maxLength={60}
          onChange={(event) => {
            setName(event.target.value);
          }}
        />
        <span className="help">Commands and this console find the run by it.</span>
      </div>
      <div className="field">
        <label htmlFor={`${id}-note`}>Note</label>
        <textarea
          id={`${id}-note`}
          value={note}
          rows={3}
          maxLength={4000}
          onChange={(event) => {
            setNote(event.target.value);
          }}
        />
      </div>
      {save.isError && <ProblemNotice error={save.error} />}
    </FormDialog>
  );
}
