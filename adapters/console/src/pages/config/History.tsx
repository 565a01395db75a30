import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { answerWithHeaders, api } from "../../api/client";
import { moment, words } from "../../format";
import { num, Table } from "../../parts/Table";
import { RequestState } from "../../shell/Problem";
import { useTenant } from "../../shell/tenant";
import { NextPage } from "../NextPage";

type Cells = Record<string, string | null>;

/** The parts of a key, which stand before what differs. */
const KEYS = new Set([
  "investor_id",
  "investor_instrument_name",
  "constraint_name",
  "rule_name",
  "on_day",
  "pool_name",
]);

/** What differs between a row before and after a change: "hi_limit 0.15 to 0.20". */
export function differences(row: { before?: object | null; after?: object | null }): string {
  const before = (row.before ?? {}) as Cells;
  const after = (row.after ?? {}) as Cells;
  if (!row.after) return "removed";
  const names = Object.keys(after).filter((name) => before[name] !== after[name]);
  return names
    .filter((name) => row.before || (after[name] !== null && !KEYS.has(name)))
    .map((name) =>
      row.before
        ? `${name} ${before[name] ?? "none"} to ${after[name] ?? "none"}`
        : `${name} ${after[name] ?? "none"}`,
    )
    .join(", ");
}

const PAGE = 200;

const changesOf = (query: { after: number; limit: number }) =>
  answerWithHeaders(api.GET("/api/powerfill/configuration/history", { params: { query } }));

/** Changes up to a version, or the last ones: the newest first, which the service lists last. */
async function changesUpTo(version: number | null) {
  const last =
    version ?? Number((await changesOf({ after: 0, limit: 1 })).headers.get("X-Total-Count"));
  const after = Math.max(0, last - PAGE);
  if (last === 0) return { changes: [], after };
  const { data } = await changesOf({ after, limit: last - after });
  return { changes: (data?.changes ?? []).toReversed(), after };
}

export function History() {
  const tenant = useTenant();
  const query = useInfiniteQuery({
    queryKey: ["tenant", tenant.tenant_id, "config", "history"],
    queryFn: ({ pageParam }) => changesUpTo(pageParam),
    initialPageParam: null as number | null,
    getNextPageParam: (page) => (page.after === 0 ? null : page.after),
  });
  if (!query.data) return <RequestState of={query} what="the history" />;
  const changes = query.data.pages.flatMap((page) => page.changes);
  if (changes.length === 0) return <p className="empty">Nothing was changed here yet.</p>;
  return (
    <>
      <Table
        label="History of the configuration"
        heads={[num("Version"), "When", "Who", "What", "Why"]}
      >
        <tbody>
          {changes.map((change) => (
            <tr key={change.version}>
              <td className="num">
                <Link
                  to="/configuration/$part"
                  params={{ part: "as-of" }}
                  search={{ version: change.version }}
                >
                  {change.version}
                </Link>
              </td>
              <td className="nowrap">{moment(change.recorded_at)}</td>
              <td>{change.actor}</td>
              <td>
                {words(change.event)}
                {change.rows.map((row) => (
                  <div key={row.key} className="small">
                    <strong>{row.key.split("|").filter(Boolean).join(" · ")}</strong>{" "}
                    <span className="muted">{differences(row)}</span>
                  </div>
                ))}
              </td>
              <td>{change.reason}</td>
            </tr>
          ))}
        </tbody>
      </Table>
      <NextPage of={query} text="Earlier changes" />
    </>
  );
}
