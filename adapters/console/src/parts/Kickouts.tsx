import type { Overview } from "../api/overview";
import { count, dollars, grouped, shortDollars, words } from "../format";
import { Rows, TradeId } from "./links";
import { num, Table } from "./Table";

/** Kicked-out loans by reason, with dollars and what would place them. */
export function Kickouts({ kickouts }: { kickouts: Overview["kickouts"] }) {
  if (kickouts.loans === 0) return <p className="empty">Every eligible loan has a place.</p>;
  const most = Math.max(...kickouts.reasons.map((reason) => Number(reason.loan_amount)), 1);
  return (
    <Table
      label="Kickouts by reason"
      heads={[
        "Reason",
        num("Loans"),
        num("Dollars"),
        { name: "Bar", hidden: true },
        "What would place them",
      ]}
    >
      <tbody>
        {kickouts.reasons.map((group) => (
          <tr key={group.reason}>
            <th scope="row" className="text-cell">
              {words(group.reason)}
              <div className="muted small">{group.meaning}</div>
            </th>
            <td className="num">
              <Rows report="kickouts" filter={{ reason: group.reason }}>
                {grouped(group.loans)}
              </Rows>
            </td>
            <td className="num">{dollars(group.loan_amount)}</td>
            <td className="small-bar">
              <svg className="bar" aria-hidden="true">
                <rect
                  className="fill-down"
                  y="4"
                  height="12"
                  rx="1"
                  width={`${((Number(group.loan_amount) / most) * 100).toFixed(2)}%`}
                />
              </svg>
            </td>
            <td className="text-cell">
              {group.remedy}
              {group.synthetic_loans > 0 && (
                <div className="muted small">
                  {count(group.synthetic_loans, "loan")} would bring{" "}
                  {shortDollars(group.synthetic_amount)} at the best synthetic option.
                </div>
              )}
              {group.best_trades.length > 0 && (
                <div className="muted small">
                  Nearest trades:{" "}
                  {group.best_trades.slice(0, 3).map((trade, index) => (
                    <span key={trade.trade_id}>
                      {index > 0 && ", "}
                      <TradeId id={trade.trade_id} /> ({count(trade.loans, "loan")}, room{" "}
                      {shortDollars(trade.room_amount)})
                    </span>
                  ))}
                </div>
              )}
            </td>
          </tr>
        ))}
      </tbody>
      <tfoot>
        <tr>
          <th scope="row">All</th>
          <td className="num">{grouped(kickouts.loans)}</td>
          <td className="num">{dollars(kickouts.loan_amount)}</td>
          <td colSpan={2} />
        </tr>
      </tfoot>
    </Table>
  );
}
