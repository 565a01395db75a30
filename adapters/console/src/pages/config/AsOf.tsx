import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { asOfQuery } from "../../api/config";
import { count } from "../../format";
import { Table } from "../../parts/Table";
import { RequestState } from "../../shell/Problem";
import { useTenant } from "../../shell/tenant";
import { columnName } from "../cells";

type Cells = Record<string, string | null>;

/** The names of the columns, what a row is about first. */
const KEYS = ["investor_id", "investor_instrument_name", "constraint_name", "rule_name"];
const namesOf = (row: Cells) => [
  ...KEYS.filter((name) => name in row),
  ...Object.keys(row).filter((name) => !KEYS.includes(name)),
];

function Rows({ table, names, rows }: { table: string; names: string[]; rows: Cells[] }) {
  return (
    <Table label={table} heads={names.map(columnName)}>
      <tbody>
        {rows.map((row, index) => (
          <tr key={index}>
            {names.map((name) => (
              <td key={name}>{row[name]}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </Table>
  );
}

/** The whole configuration as it was after a change. */
export function AsOf() {
  const tenant = useTenant();
  const search = useSearch({ from: "/configuration/$part" });
  const navigate = useNavigate({ from: "/configuration/$part" });
  const version = search.version ?? 0;
  const query = useQuery(asOfQuery(tenant.tenant_id, version));
  return (
    <>
      <label className="field narrow">
        <span className="label">Version</span>
        <input
          type="number"
          min={0}
          value={version}
          onChange={(event) =>
            void navigate({ search: { version: Number(event.target.value) || 0 }, replace: true })
          }
        />
      </label>
      <RequestState of={query} what="the configuration of that version" />
      {query.data &&
        Object.entries(query.data.tables as Record<string, Cells[]>).map(([table, rows]) => (
          <details key={table} open={table === "pfill_constraints"}>
            <summary>
              <strong>{table}</strong> <span className="muted">{count(rows.length, "row")}</span>
            </summary>
            {rows[0] && <Rows table={table} names={namesOf(rows[0])} rows={rows} />}
          </details>
        ))}
    </>
  );
}
