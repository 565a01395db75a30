import type { ReactNode } from "react";
import type { Cell, Column } from "../api/reports";
import { grouped, words } from "../format";
import { LoanId, TradeId } from "../parts/links";

export const isNumber = (column: Column) => column.kind === "integer" || column.kind === "decimal";

/** Ranks, versions, and the like are numbers that no one adds up or reads in thousands. */
export function cellText(column: Column, cell: Cell | undefined): string {
  if (cell === null || cell === undefined) return "";
  return isNumber(column) ? grouped(cell as string | number) : String(cell);
}

export function cellNode(column: Column, cell: Cell | undefined): ReactNode {
  if (typeof cell === "string" && cell !== "") {
    if (column.name === "loan_id") return <LoanId id={cell} />;
    // A synthetic trade exists only as a price.
    if (column.name.endsWith("trade_id") && column.name !== "syn_trade_id") {
      return <TradeId id={cell} />;
    }
  }
  return cellText(column, cell);
}

const NAMES: Record<string, string> = {
  loan_amount: "Loan amount",
  trade_id: "Trade",
  loan_id: "Loan",
  syn_trade_id: "Synthetic trade",
  best_trade_id: "Best trade",
  allocated_trade_id: "Allocated trade",
  prior_trade_id: "Present trade",
  prior_pool_name: "Present pool",
  pool_name: "Pool",
  from_pool_name: "From pool",
  to_pool_name: "To pool",
  investor_id: "Investor",
  investor_instrument_name: "Instrument",
  constraint_name: "Constraint",
  constraint_priority: "Priority",
  prx_plus_carry: "Price and carry",
  candidate_rank: "Rank",
  pa_key: "Action key",
  lo_met: "Goal met",
  lo_amount: "Goal",
  hi_amount: "Limit",
  wavg_fico: "Average FICO",
  wavg_ltv: "Average LTV",
  wavg_price: "Average price",
  wavg_note_rate: "Average note rate",
};

export function columnName(name: string): string {
  return NAMES[name] ?? words(name.replace(/_amount$/, ""));
}

/** The width of a column in pixels. */
export function columnWidth(column: Column): number {
  if (column.kind === "date") return 118;
  if (column.kind === "integer") return 112;
  if (column.kind === "decimal") return 148;
  return /name|reason|status/.test(column.name) ? 190 : 150;
}
