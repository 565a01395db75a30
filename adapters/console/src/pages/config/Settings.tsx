import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { answer, answerWithHeaders, api } from "../../api/client";
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
  // The tag of the settings that are edited; another person may change them meanwhile.
  const [edited, setEdited] = useState<string | null>(null);
  const [values, setValues] = useState<Record<string, string>>({});
  const query = useQuery({
    queryKey: ["tenant", tenant.tenant_id, "config", "settings"],
    queryFn: async () => {
      const { data, headers } = await answerWithHeaders(
        api.GET("/api/powerfill/settings/preflight"),
      );
      return { values: data as Record<string, number | null>, tag: headers.get("ETag") ?? "" };
    },
  });
  if (!query.data) return <RequestState of={query} what="the settings" />;
  const { values: current, tag } = query.data;
  const shown = (name: string) => String(current[name] ?? "");
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
            setEdited(tag);
          }}
        >
          Edit
        </button>
      )}
      {edited !== null && (
        <Change
          title="Settings of preflight"
          save="Save"
          ready={NAMES.every((name) => wrongNumber(values[name] ?? "") === null)}
          onClose={() => {
            setEdited(null);
          }}
          onSave={(reason) =>
            answer(
              api.PUT("/api/powerfill/settings/preflight", {
                params: {
                  query: why(reason),
                  header: edited === "" ? {} : { "If-Match": edited },
                },
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
