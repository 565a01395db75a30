import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useDeferredValue, useState } from "react";
import { answer, api } from "../../api/client";
import { rulesQuery, unchanged, why, type SecRule } from "../../api/config";
import { may } from "../../api/session";
import { quoted } from "../../api/tries";
import { count, dollars, grouped } from "../../format";
import { PATHS } from "../../generated/paths";
import { num, Table } from "../../parts/Table";
import { RequestState } from "../../shell/Problem";
import { useTenant } from "../../shell/tenant";
import { Change, TextField } from "./Change";
import { ACTIONS, RowActions } from "./RowActions";

/** What the rule matches in the latest run's loans, or what is wrong with it, while it is typed. */
function RulePreview({ syntax }: { syntax: string }) {
  const tenant = useTenant();
  const asked = useDeferredValue(syntax.trim());
  const preview = useQuery({
    queryKey: ["tenant", tenant.tenant_id, "rule", asked],
    queryFn: () =>
      answer(
        api.POST("/api/powerfill/rules/preview", { body: { rule_syntax: asked, examples: 3 } }),
      ),
    enabled: asked !== "" && PATHS.includes("/api/powerfill/rules/preview"),
    placeholderData: keepPreviousData,
    retry: false,
  });
  const found = preview.data;
  if (!found || asked === "") return null;
  return (
    <p className={found.valid ? "small" : "wrong"} role="status">
      {found.valid
        ? `${count(found.loans, "loan")} of ${grouped(found.of)} meet it (${dollars(found.amount)}), as of ${found.as_of}.`
        : `Character ${String(found.at ?? 1)}: ${found.message ?? "it cannot be read"}`}
    </p>
  );
}

function EditRule({ rule, onClose }: { rule: SecRule | null; onClose: () => void }) {
  const [name, setName] = useState(rule?.rule_name ?? "");
  const [syntax, setSyntax] = useState(rule?.rule_syntax ?? "");
  return (
    <Change
      title={rule ? `Rule ${rule.rule_name}` : "Add a rule"}
      save="Save"
      ready={name.trim() !== "" && syntax.trim() !== ""}
      edits={
        name.trim() === "" || syntax.trim() === "" || syntax.trim() === rule?.rule_syntax
          ? []
          : [`rule:${quoted(name.trim())}=${syntax.trim()}`]
      }
      onClose={onClose}
      onSave={(reason) =>
        answer(
          api.PUT("/api/powerfill/sec-rules/{rule_name}", {
            params: {
              path: { rule_name: name.trim() },
              query: why(reason),
              header: unchanged(rule?.token),
            },
            body: { rule_syntax: syntax.trim() },
          }),
        )
      }
    >
      <TextField label="Name" value={name} onChange={setName} disabled={rule !== null} />
      <TextField
        label="A loan meets it if"
        value={syntax}
        onChange={setSyntax}
        help="An expression over columns of the loan, such as fico >= 740 AND state <> 'NV'."
      />
      <RulePreview syntax={syntax} />
      {rule && rule.constraints.length > 0 && (
        <p className="muted">
          {count(rule.constraints.length, "constraint")}{" "}
          {rule.constraints.length === 1 ? "has" : "have"} it: a change applies to all of them with
          the next run.
        </p>
      )}
    </Change>
  );
}

export function Rules() {
  const tenant = useTenant();
  const admin = may(tenant.role, "admin");
  const query = useQuery(rulesQuery(tenant.tenant_id));
  const [edited, setEdited] = useState<SecRule | "new" | null>(null);
  const [removed, setRemoved] = useState<SecRule | null>(null);
  if (!query.data) return <RequestState of={query} what="the rules" />;
  return (
    <>
      {admin && (
        <button
          type="button"
          className="button"
          onClick={() => {
            setEdited("new");
          }}
        >
          Add a rule
        </button>
      )}
      {query.data.rows.length === 0 ? (
        <p className="empty">No rule is managed here.</p>
      ) : (
        <Table
          label="Rules"
          heads={["Rule", "A loan meets it if", num("Constraints"), ...(admin ? [ACTIONS] : [])]}
        >
          <tbody>
            {query.data.rows.map((rule) => (
              <tr key={rule.rule_name}>
                <th scope="row">{rule.rule_name}</th>
                <td className="text-cell">
                  <code>{rule.rule_syntax}</code>
                </td>
                <td className="num">{rule.constraints.length}</td>
                {admin && (
                  <td className="row-actions">
                    <RowActions
                      what={`rule ${rule.rule_name}`}
                      kept={rule.constraints.length > 0}
                      onEdit={() => {
                        setEdited(rule);
                      }}
                      onRemove={() => {
                        setRemoved(rule);
                      }}
                    />
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </Table>
      )}
      {edited && (
        <EditRule
          rule={edited === "new" ? null : edited}
          onClose={() => {
            setEdited(null);
          }}
        />
      )}
      {removed && (
        <Change
          title={`Remove rule ${removed.rule_name}`}
          save="Remove"
          danger
          onClose={() => {
            setRemoved(null);
          }}
          onSave={(reason) =>
            answer(
              api.DELETE("/api/powerfill/sec-rules/{rule_name}", {
                params: {
                  path: { rule_name: removed.rule_name },
                  query: why(reason),
                  header: unchanged(removed.token),
                },
              }),
            )
          }
        />
      )}
    </>
  );
}
