import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { answer, api } from "../../api/client";
import { lockdownQuery, unchanged, why, type PoolLock } from "../../api/config";
import { recentRunsQuery } from "../../api/runs";
import { may } from "../../api/session";
import { quoted } from "../../api/tries";
import { count } from "../../format";
import { TradeId } from "../../parts/links";
import { Table } from "../../parts/Table";
import { RequestState } from "../../shell/Problem";
import { useTenant } from "../../shell/tenant";
import { textOrNull } from "../../values";
import { RunLinks } from "../RunLinks";
import { Change, TextField } from "./Change";
import { ACTIONS, EditButton } from "./RowActions";

function EditLock({ lock, onClose }: { lock: PoolLock | null; onClose: () => void }) {
  const [pool, setPool] = useState(lock?.pool_name ?? "");
  const [trade, setTrade] = useState(lock?.trade_id ?? "");
  const [locked, setLocked] = useState(lock?.lock_pool ?? true);
  return (
    <Change
      title={lock ? `Pool ${lock.pool_name}` : "Add a pool"}
      save="Save"
      ready={pool.trim() !== ""}
      edits={
        pool.trim() === "" || locked === lock?.lock_pool
          ? []
          : [`lockdown:${quoted(pool.trim())}=${locked ? "Y" : "N"}`]
      }
      onClose={onClose}
      onSave={(reason) =>
        answer(
          api.PUT("/api/powerfill/lockdown/{pool_name}", {
            params: {
              path: { pool_name: pool.trim() },
              query: why(reason),
              header: unchanged(lock?.token),
            },
            body: {
              lock_pool: locked,
              trade_id: textOrNull(trade),
              investor_instrument_name: lock?.investor_instrument_name ?? null,
            },
          }),
        )
      }
    >
      <TextField label="Pool" value={pool} onChange={setPool} disabled={lock !== null} />
      <TextField label="Trade" value={trade} onChange={setTrade} />
      <label className="check">
        <input
          type="checkbox"
          checked={locked}
          onChange={(event) => {
            setLocked(event.target.checked);
          }}
        />
        Its loans stay in it
      </label>
    </Change>
  );
}

export function Lockdown() {
  const tenant = useTenant();
  const admin = may(tenant.role, "admin");
  const query = useQuery(lockdownQuery(tenant.tenant_id));
  // The trades of pools have their pages in the latest run.
  const latest = useQuery(recentRunsQuery(tenant.tenant_id)).data?.runs[0]?.run_id ?? null;
  const [edited, setEdited] = useState<PoolLock | "new" | null>(null);
  const [find, setFind] = useState("");
  if (!query.data) return <RequestState of={query} what="the lockdown guide" />;
  const shown = query.data.rows.filter((lock) =>
    `${lock.pool_name} ${lock.trade_id ?? ""} ${lock.investor_instrument_name ?? ""}`
      .toLowerCase()
      .includes(find.toLowerCase()),
  );
  return (
    <RunLinks runId={latest}>
      <div className="row">
        <div className="field">
          <input
            type="search"
            aria-label="Find a pool"
            placeholder="Find"
            value={find}
            onChange={(event) => {
              setFind(event.target.value);
            }}
          />
        </div>
        <span className="muted" role="status">
          {count(shown.length, "pool")}
        </span>
        {admin && (
          <button
            type="button"
            className="button"
            onClick={() => {
              setEdited("new");
            }}
          >
            Add a pool
          </button>
        )}
      </div>
      {shown.length === 0 ? (
        <p className="empty">
          {find === "" ? "No pool is in the lockdown guide." : `No pool has “${find}”.`}
        </p>
      ) : (
        <Table
          label="Lockdown guide"
          heads={["Pool", "Trade", "Instrument", "State", ...(admin ? [ACTIONS] : [])]}
        >
          <tbody>
            {shown.map((lock) => (
              <tr key={lock.pool_name}>
                <th scope="row">{lock.pool_name}</th>
                <td>{lock.trade_id && <TradeId id={lock.trade_id} />}</td>
                <td>{lock.investor_instrument_name}</td>
                <td>
                  <span className={lock.lock_pool ? "badge warn" : "badge good"}>
                    {lock.lock_pool ? "Locked" : "Open"}
                  </span>
                </td>
                {admin && (
                  <td>
                    <EditButton
                      what={`pool ${lock.pool_name}`}
                      onEdit={() => {
                        setEdited(lock);
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
        <EditLock
          lock={edited === "new" ? null : edited}
          onClose={() => {
            setEdited(null);
          }}
        />
      )}
    </RunLinks>
  );
}
