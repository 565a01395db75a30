import { useState } from "react";
import type { Overview, PoolMove } from "../api/overview";
import { count, dollars, grouped, shortDollars } from "../format";
import { ShowAll, useFirst } from "./ShowAll";
import { num, Table } from "./Table";
import { TradeId } from "./links";

function Place({ pool, trade }: { pool: string | null; trade: string | null }) {
  if (pool === null && trade === null) return <span className="muted">none</span>;
  return (
    <>
      {pool ?? "no pool"}
      {trade !== null && (
        <span className="muted">
          {" "}
          of <TradeId id={trade} />
        </span>
      )}
    </>
  );
}

const keyOf = (move: PoolMove) =>
  JSON.stringify([move.pool_action, move.from_pool_name, move.to_pool_name]);

/** What happens to pools: a tile per action, then the largest moves between two pools. */
export function Moves({ moves, first = 20 }: { moves: Overview["moves"]; first?: number }) {
  const [action, setAction] = useState("");
  const chosen = moves.moves.filter((move) => action === "" || move.pool_action === action);
  const list = useFirst(chosen, first);
  const actions = [...new Set(moves.moves.map((move) => move.pool_action))];
  return (
    <>
      <div className="tiles">
        {moves.actions.map((group) => (
          <div className="tile" key={group.pool_action}>
            <div className="name">{group.pool_action}</div>
            <div className="value">{grouped(group.loans)}</div>
            <div className="muted small" title={dollars(group.amount)}>
              {shortDollars(group.amount)}
            </div>
          </div>
        ))}
      </div>
      {actions.length > 1 && (
        <div className="actions no-print" role="group" aria-label="Moves shown">
          {["", ...actions].map((name) => (
            <button
              type="button"
              key={name}
              className="button tight"
              aria-pressed={name === action}
              onClick={() => {
                setAction(name);
              }}
            >
              {name || "All moves"}
            </button>
          ))}
        </div>
      )}
      {list.shown.length === 0 ? (
        <p className="empty">No loan moves between pools.</p>
      ) : (
        <Table
          label="Moves between pools"
          heads={["Action", "From pool", "To pool", num("Loans"), num("Dollars")]}
        >
          <tbody>
            {list.shown.map((move) => (
              <tr key={keyOf(move)}>
                <td>{move.pool_action}</td>
                <td>
                  <Place pool={move.from_pool_name} trade={move.from_trade_id} />
                </td>
                <td>
                  <Place pool={move.to_pool_name} trade={move.to_trade_id} />
                </td>
                <td className="num">{grouped(move.loans)}</td>
                <td className="num">{dollars(move.amount)}</td>
              </tr>
            ))}
          </tbody>
        </Table>
      )}
      {!list.all && list.more > 0 && (
        <p className="muted print-only">{grouped(list.more)} smaller moves are not printed.</p>
      )}
      <ShowAll
        of={list}
        text={`Show all ${grouped(chosen.length)} moves`}
        className="button no-print"
      />
      {moves.other_moves > 0 && (
        <p className="muted small">
          {count(moves.other_moves, "smaller move")} with {count(moves.other_loans, "loan")} and{" "}
          {dollars(moves.other_amount)} are not listed here.
        </p>
      )}
    </>
  );
}
