import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useId, useState, type ReactNode } from "react";
import { ProblemError } from "../../api/problem";
import { may } from "../../api/session";
import { FormDialog } from "../../shell/Dialog";
import { ProblemNotice } from "../../shell/Problem";
import { useTenant } from "../../shell/tenant";
import { isDecimal } from "../../values";
import { Effect } from "./Effect";

/** A change of the configuration: its fields, why it is made, and what the service says to it. */
export function Change(props: {
  title: string;
  save: string;
  danger?: boolean;
  ready?: boolean;
  /** The same change as edits of a try, if a try can have it. */
  edits?: readonly string[];
  onSave: (reason: string) => Promise<unknown>;
  onClose: () => void;
  children?: ReactNode;
}) {
  const tenant = useTenant();
  const client = useQueryClient();
  const id = useId();
  const [reason, setReason] = useState("");
  const save = useMutation({
    mutationFn: () => props.onSave(reason),
    onSettled: () => client.invalidateQueries({ queryKey: ["tenant", tenant.tenant_id, "config"] }),
    onSuccess: props.onClose,
  });
  const stale = save.error instanceof ProblemError && save.error.is("stale");
  return (
    <FormDialog
      title={props.title}
      submit={props.save}
      danger={props.danger}
      ready={props.ready !== false && !save.isPending && !stale}
      onSubmit={() => {
        save.mutate();
      }}
      onClose={props.onClose}
    >
      {props.children}
      {props.edits && may(tenant.role, "operator") && <Effect edits={props.edits} />}
      <div className="field">
        <label htmlFor={id}>Why</label>
        <input
          id={id}
          value={reason}
          placeholder="For the history"
          onChange={(event) => {
            setReason(event.target.value);
          }}
        />
      </div>
      {save.isError && <ProblemNotice error={save.error} />}
      {stale && (
        <p>
          Another person changed it while this was open. Close this, look at what is there now, and
          change it again.
        </p>
      )}
    </FormDialog>
  );
}

/** A field of a change. */
export function TextField(props: {
  label: string;
  value: string;
  onChange: (value: string) => void;
  help?: string;
  wrong?: string | null;
  disabled?: boolean;
  numeric?: boolean;
}) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{props.label}</label>
      <input
        id={id}
        value={props.value}
        disabled={props.disabled}
        spellCheck={false}
        inputMode={props.numeric ? "decimal" : undefined}
        aria-invalid={Boolean(props.wrong)}
        aria-describedby={props.help || props.wrong ? `${id}-help` : undefined}
        onChange={(event) => {
          props.onChange(event.target.value);
        }}
      />
      {(props.wrong ?? props.help) && (
        <span id={`${id}-help`} className={props.wrong ? "wrong" : "help"}>
          {props.wrong ?? props.help}
        </span>
      )}
    </div>
  );
}

export const wrongNumber = (value: string) =>
  value.trim() === "" || isDecimal(value.trim()) ? null : "Write a number.";
