import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { answer, api } from "../../api/client";
import { why } from "../../api/config";
import { may } from "../../api/session";
import { words } from "../../format";
import { RequestState } from "../../shell/Problem";
import { useTenant } from "../../shell/tenant";
import { Change, TextField, wrongNumber } from "./Change";

const HELP: Record<string, string> = {
  min_pipeline_loans: "Fewest eligible loans of a run.",
  max_snapshot_age_days: "Days by which a run's day may be later than the snapshot's.",
  max_price_age_days: "Days by which prices may be older than the run's day.",
  lockdown_days: "Days before a settlement at which the pools are proposed for lockdown.",
};
const NAMES = Object.keys(HELP);

export function Settings() {
  const tenant = useTenant();
  const [editing, setEditing] = useState(false);
  const [values, setValues] = useState<Record<string, string>>({});
  const query = useQuery({
    queryKey: ["tenant", tenant.tenant_id, "config", "settings"],
    queryFn: async () =>
      (await answer(api.GET("/api/powerfill/settings/preflight"))) as Record<string, number | null>,
  });
  if (!query.data) return <RequestState of={query} what="the settings" />;
  const shown = (name: string) => String(query.data[name] ?? "");
  return (
    <>
      <dl className="facts">
        {NAMES.map((name) => (
          <div key={name} className="pair">
            <dt>{words(name)}</dt>
            <dd>
              <strong>{shown(name)}</strong> <span className="muted">{HELP[name]}</span>
            </dd>
          </div>
        ))}
      </dl>
      {may(tenant.role, "admin") && (
        <button
          type="button"
          className="button"
          onClick={() => {
            setValues(Object.fromEntries(NAMES.map((name) => [name, shown(name)])));
            setEditing(true);
          }}
        >
          Edit
        </button>
      )}
      {editing && (
        <Change
          title="Settings of preflight"
          save="Save"
          ready={NAMES.every((name) => wrongNumber(values[name] ?? "") === null)}
          onClose={() => {
            setEditing(false);
          }}
          onSave={(reason) =>
            answer(
              api.PUT("/api/powerfill/settings/preflight", {
                params: { query: why(reason) },
                body: Object.fromEntries(
                  NAMES.filter((name) => (values[name] ?? "") !== "").map((name) => [
                    name,
                    Number(values[name]),
                  ]),
                ),
              }),
            )
          }
        >
          {NAMES.map((name) => (
            <TextField
              key={name}
              label={words(name)}
              numeric
              value={values[name] ?? ""}
              help={HELP[name]}
              wrong={wrongNumber(values[name] ?? "")}
              onChange={(value) => {
                setValues({ ...values, [name]: value });
              }}
            />
          ))}
        </Change>
      )}
    </>
  );
}
