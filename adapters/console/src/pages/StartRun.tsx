import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useId, useState } from "react";
import { answer, api } from "../api/client";
import { faultOf, requested, type OptionField } from "../api/options";
import { count, words } from "../format";
import { OPTIONS } from "../generated/options";
import type { components } from "../generated/schema";
import { FormDialog } from "../shell/Dialog";
import { Loading, ProblemNotice } from "../shell/Problem";
import { useTenant } from "../shell/tenant";

type Preflight = components["schemas"]["Preflight"];

export function OptionInput(props: {
  field: OptionField;
  value: string;
  onChange: (value: string) => void;
}) {
  const { field, value, onChange } = props;
  const id = useId();
  const fault = faultOf(field, value);
  const shared = {
    id,
    value,
    "aria-invalid": fault !== null,
    "aria-describedby": `${id}-help`,
  };
  return (
    <div className="field">
      <label htmlFor={id}>{words(field.name)}</label>
      {field.choices ? (
        <select
          {...shared}
          onChange={(event) => {
            onChange(event.target.value);
          }}
        >
          <option value="">Default</option>
          {field.choices.map((choice) => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      ) : (
        <input
          {...shared}
          type={field.kind === "date" ? "date" : "text"}
          inputMode={
            field.kind === "integer" ? "numeric" : field.kind === "decimal" ? "decimal" : undefined
          }
          placeholder="Default"
          spellCheck={false}
          onChange={(event) => {
            onChange(event.target.value);
          }}
        />
      )}
      <span id={`${id}-help`} className={fault === null ? "help" : "wrong"}>
        {fault ?? field.help}
      </span>
    </div>
  );
}

function Findings({ preflight }: { preflight: Preflight }) {
  const errors = preflight.findings.filter((finding) => finding.severity === "error");
  const warnings = preflight.findings.length - errors.length;
  return (
    <div
      className={preflight.refused ? "notice bad" : warnings > 0 ? "notice warn" : "notice good"}
    >
      <strong>
        {preflight.refused
          ? `Preflight refuses this run: ${count(errors.length, "error")}`
          : warnings > 0
            ? `Preflight has ${count(warnings, "warning")} and refuses nothing`
            : "Preflight found nothing"}
      </strong>
      {preflight.findings.length > 0 && (
        <details open={preflight.refused}>
          <summary>Findings</summary>
          <ul>
            {preflight.findings.map((finding, index) => (
              <li key={index}>
                <code>{finding.code}</code> {finding.subject}: {finding.message}
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}

/** Requests a run: the options, then what preflight says about them, then the request. */
export function StartRun({ onClose }: { onClose: () => void }) {
  const tenant = useTenant();
  const navigate = useNavigate();
  const client = useQueryClient();
  const [values, setValues] = useState<Record<string, string>>({});
  // One request per dialog: pressing twice, or a retry after a broken connection, starts one run.
  const [key] = useState(() => crypto.randomUUID());
  const options = requested(OPTIONS, values);
  const wrong = OPTIONS.some((field) => faultOf(field, values[field.name] ?? "") !== null);
  const body = Object.keys(options).length === 0 ? {} : { options };
  const preflight = useMutation({
    mutationFn: () => answer(api.POST("/api/powerfill/preflight", { body })),
  });
  const start = useMutation({
    mutationFn: () =>
      answer(
        api.POST("/api/powerfill/run", {
          params: { header: { "Idempotency-Key": key } },
          body,
        }),
      ),
    onSuccess: async (accepted) => {
      await client.invalidateQueries({ queryKey: ["tenant", tenant.tenant_id, "runs"] });
      onClose();
      await navigate({ to: "/runs/$runId", params: { runId: accepted.run_id } });
    },
  });
  const checked = preflight.data;
  const passed = checked !== undefined && !checked.refused;
  return (
    <FormDialog
      wide
      title="Start a run"
      submit={passed ? "Start the run" : "Check first"}
      ready={passed ? !start.isPending : !wrong && !preflight.isPending}
      close="Do not start"
      onSubmit={() => {
        if (passed) start.mutate();
        else preflight.mutate();
      }}
      onClose={onClose}
    >
      <div className="form-grid">
        {OPTIONS.map((field) => (
          <OptionInput
            key={field.name}
            field={field}
            value={values[field.name] ?? ""}
            onChange={(value) => {
              setValues({ ...values, [field.name]: value });
              preflight.reset();
            }}
          />
        ))}
      </div>
      {preflight.isPending && <Loading what="the findings of preflight" />}
      {preflight.isError && <ProblemNotice error={preflight.error} />}
      {checked && <Findings preflight={checked} />}
      {start.isError && <ProblemNotice error={start.error} />}
    </FormDialog>
  );
}
