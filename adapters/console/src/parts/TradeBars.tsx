import { useState } from "react";
import type { OverviewTrade } from "../api/overview";
import { count, dollars, grouped, shortDollars } from "../format";
import { BandBar, BandLegend, PASSES, partsOf } from "./BandBar";
import { ShowAll, useFirst } from "./ShowAll";
import { num, Table } from "./Table";
import { TradeId } from "./links";

export interface TradeGroup {
  key: string;
  title: string;
  settles: string | null;
  trades: OverviewTrade[];
  shortfall: number;
}

/** By instrument and settlement date; groups with a short trade first, the largest shortfall first. */
export function groupTrades(trades: OverviewTrade[]): TradeGroup[] {
  const groups = new Map<string, TradeGroup>();
  for (const trade of trades) {
    const key = JSON.stringify([
      trade.investor_id,
      trade.investor_instrument_name,
      trade.settlement_date,
    ]);
    const group = groups.get(key) ?? {
      key,
      title: `${trade.investor_instrument_name} · ${trade.investor_id}`,
      settles: trade.settlement_date,
      trades: [],
      shortfall: 0,
    };
    group.trades.push(trade);
    group.shortfall += Number(trade.shortfall_amount);
    groups.set(key, group);
  }
  return [...groups.values()].sort(
    (a, b) =>
      b.shortfall - a.shortfall ||
      (a.settles ?? "").localeCompare(b.settles ?? "") ||
      a.key.localeCompare(b.key),
  );
}

const STATUS_TONES: Record<string, string> = { Filled: "good", Under: "bad", Over: "warn" };

export function FillStatusBadge({ status }: { status: string }) {
  return <span className={`badge ${STATUS_TONES[status] ?? ""}`}>{status}</span>;
}

function TradeRow({ trade }: { trade: OverviewTrade }) {
  const short = Number(trade.shortfall_amount) > 0;
  return (
    <tr>
      <th scope="row" className="nowrap">
        <TradeId id={trade.trade_id} />
      </th>
      <td className="bar-cell">
        <BandBar band={trade} />
      </td>
      <td>
        <FillStatusBadge status={trade.fill_status} />
      </td>
      <td className="num">{grouped(trade.loans)}</td>
      <td className="num">{dollars(trade.filled_amount)}</td>
      <td className="num">{short ? dollars(trade.shortfall_amount) : ""}</td>
      <td className="num">
        {trade.fill_loans === null
          ? ""
          : `${count(trade.fill_loans, "loan")}, ${shortDollars(trade.fill_amount ?? "0")}`}
      </td>
    </tr>
  );
}

/** The included trades as bars in their bands, short ones first. */
export function TradeBars(props: { trades: OverviewTrade[]; first?: number }) {
  const [onlyShort, setOnlyShort] = useState(false);
  const first = props.first ?? 12;
  const short = props.trades.filter((trade) => Number(trade.shortfall_amount) > 0);
  const groups = groupTrades(onlyShort ? short : props.trades);
  const list = useFirst(groups, first);
  const used = ["held", ...PASSES].filter((pass) =>
    props.trades.some((trade) => partsOf(trade).some((part) => part.name === pass)),
  );
  if (props.trades.length === 0) return <p className="empty">No trade is in the run.</p>;
  return (
    <>
      <div className="row">
        <BandLegend passes={used} />
        {short.length > 0 && (
          <label className="check no-print">
            <input
              type="checkbox"
              checked={onlyShort}
              onChange={(event) => {
                setOnlyShort(event.target.checked);
              }}
            />
            Only short trades ({grouped(short.length)})
          </label>
        )}
      </div>
      <Table
        label="Trades in their bands"
        heads={[
          "Trade",
          { name: "Filled, in its band", className: "bar-cell" },
          "Status",
          num("Loans"),
          num("Filled"),
          num("Short of min"),
          num("Kicked-out candidates"),
        ]}
      >
        {list.shown.map((group) => (
          <tbody key={group.key}>
            <tr>
              <th scope="rowgroup" colSpan={7}>
                <strong>{group.title}</strong>{" "}
                <span className="muted">
                  settles {group.settles ?? "without a date"} ·{" "}
                  {count(group.trades.length, "trade")}
                </span>
              </th>
            </tr>
            {group.trades.map((trade) => (
              <TradeRow key={trade.trade_id} trade={trade} />
            ))}
          </tbody>
        ))}
      </Table>
      {!list.all && list.more > 0 && (
        <p className="muted print-only">
          {grouped(list.more)} more groups of trades are not printed; those that are short come
          first.
        </p>
      )}
      <ShowAll
        of={list}
        text={`Show all ${grouped(groups.length)} groups`}
        className="button no-print"
      />
    </>
  );
}
