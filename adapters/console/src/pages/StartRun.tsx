import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useId, useState } from "react";
import { answer, api } from "../api/client";
import { faultOf, optionsQuery, requested, usualValue, type OptionField } from "../api/options";
import { count, words } from "../format";
import type { components } from "../generated/schema";
import { FormDialog } from "../shell/Dialog";
import { ProblemNotice, RequestState } from "../shell/Problem";
import { useTenant } from "../shell/tenant";

type Preflight = components["schemas"]["Preflight"];

function OptionInput(props: {
  field: OptionField;
  value: string;
  onChange: (value: string) => void;
}) {
  const { field, value, onChange } = props;
  const id = useId();
  const fault = faultOf(field, value);
  const usual = usualValue(field) || "none";
  const shared = {
    id,
    value,
    "aria-invalid": fault !== null,
    "aria-describedby": `${id}-help`,
  };
  return (
    <div className="field">
      <label htmlFor={id}>{words(field.name)}</label>
      {field.choices.length > 0 ? (
        <select
          {...shared}
          onChange={(event) => {
            onChange(event.target.value);
          }}
        >
          <option value="">{usual}</option>
          {field.choices
            .filter((choice) => choice !== usual)
            .map((choice) => (
              <option key={choice}>{choice}</option>
            ))}
        </select>
      ) : (
        <input
          {...shared}
          inputMode={
            field.kind === "int" ? "numeric" : field.kind === "decimal" ? "decimal" : undefined
          }
          placeholder={usual}
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
  const query = useQuery(optionsQuery(tenant.tenant_id));
  const fields = query.data?.options ?? [];
  const options = requested(fields, values);
  const wrong = fields.some((field) => faultOf(field, values[field.name] ?? "") !== null);
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
      ready={passed ? !start.isPending : query.isSuccess && !wrong && !preflight.isPending}
      close="Do not start"
      onSubmit={() => {
        if (passed) start.mutate();
        else preflight.mutate();
      }}
      onClose={onClose}
    >
      <p className="muted">
        An empty field has the value of the tenant, which stands in it in gray.
      </p>
      <RequestState of={query} what="the options" />
      <div className="form-grid">
        {fields.map((field) => (
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
      <RequestState of={preflight} what="the findings of preflight" />
      {checked && <Findings preflight={checked} />}
      {start.isError && <ProblemNotice error={start.error} />}
    </FormDialog>
  );
}
