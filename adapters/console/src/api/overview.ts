/**
 * The document of a run (`docs/reference/overview.schema.json`), as `GET /runs/{id}/overview` and the
 * report page have it, with the names that the charts use.
 */

export type Pass = "exact_fit" | "best_fit" | "fill_remaining" | "orphan_handling" | "challenger";

export interface Worth {
  loans: number;
  unpriced_loans: number;
  loan_amount: string;
  proceeds_amount: string;
  wavg_price: string | null;
  payup_amount: string;
  carry_amount: string;
  value_amount: string;
  pick_up_loans: number;
  pick_up_amount: string;
  give_up_loans: number;
  give_up_amount: string;
}

export type NamedWorth = Worth & { name: string };

export interface WaterfallStep {
  step: string;
  loans: number | null;
  amount: string;
  from_amount: string;
  to_amount: string;
}

/** What a bar in its band needs. */
export interface Band {
  min_amount: string;
  open_amount: string;
  max_amount: string;
  filled_amount: string;
  held_amount: string;
  passes: { pass: Pass; loans: number; amount: string }[];
}

export interface OverviewTrade extends Band {
  trade_id: string;
  investor_id: string;
  investor_instrument_name: string;
  trade_type: string | null;
  settlement_date: string | null;
  fill_status: string;
  loans: number;
  wavg_price: string | null;
  value_amount: string | null;
  shortfall_amount: string;
  shortfall_value_amount: string | null;
  fill_loans: number | null;
  fill_amount: string | null;
}

export interface OverviewTradeGroup {
  investor_id: string;
  investor_instrument_name: string;
  settlement_date: string | null;
  trades: number;
  under: number;
  over: number;
  min_amount: string;
  open_amount: string;
  max_amount: string;
  filled_amount: string;
  held_amount: string;
  shortfall_amount: string;
  shortfall_value_amount: string;
}

export interface FlowEnd {
  kind: "trade" | "pool" | "new" | "kicked_out";
  name: string | null;
}

export interface FlowLink {
  from: FlowEnd;
  to: FlowEnd;
  stays: boolean;
  loans: number;
  amount: string;
}

export interface Flow {
  links: FlowLink[];
  other_links: number;
  other_loans: number;
  other_amount: string;
}

export interface KickoutGroup {
  reason: string;
  meaning: string;
  remedy: string;
  loans: number;
  loan_amount: string;
  synthetic_loans: number;
  synthetic_amount: string;
  best_trades: { trade_id: string; loans: number; loan_amount: string; room_amount: string }[];
  other_trades: number;
}

export interface PoolMove {
  pool_action: string;
  from_pool_name: string | null;
  from_trade_id: string | null;
  to_pool_name: string | null;
  to_trade_id: string | null;
  loans: number;
  amount: string;
}

export interface OverviewRun {
  run_id: string;
  tenant_id: string;
  as_of: string | null;
  status: string;
  requested_by: string;
  requested_at: string;
  started_at: string;
  ended_at: string;
  events: number;
  engine_version: string;
  spec_version: string;
  input_digest: string;
  output_digest: string;
  options: { name: string; value: string | null; default: string | null; is_changed: boolean }[];
  source_warnings: string[];
  origin: {
    provenance: {
      kind: string;
      place: string | null;
      files: { name: string; bytes: number | null; modified_at: string | null }[];
      configuration_version: number | null;
      tables: { table: string; rows: number; digest: string }[];
    } | null;
  };
  participation: Record<string, number>;
  inclusion: Record<string, number>;
  checks: { invariant: number; statement: string; checked: number }[];
  table_rows: Record<string, number>;
}

/** A shadow price (10.2): of the room of a trade, of a limit in a trade, or of a turn's priority. */
export interface OverviewPrice {
  subject:
    | { kind: "trade"; trade_id: string }
    | {
        kind: "block";
        trade_id: string;
        node: { investor_id: string; investor_instrument_name: string; constraint_name: string };
      }
    | { kind: "turn"; turn: number };
  price: string;
  run_gap: string;
  /** Absent where a trade is explained. */
  hundred_thousand_amount?: string;
}

export interface OverviewCertificate {
  challenge: string;
  gap_bp: string;
  bound: string;
  run_worth: string;
  gap: string;
  eligible_amount: string;
  prices: OverviewPrice[];
  other_prices: number;
}

export interface Overview {
  version: number;
  run: OverviewRun;
  value: {
    all: Worth;
    placed: Worth;
    investors: NamedWorth[];
    instruments: NamedWorth[];
    settlement_dates: NamedWorth[];
    passes: NamedWorth[];
    pool_actions: NamedWorth[];
  };
  waterfall: WaterfallStep[];
  /** Absent in documents of earlier versions; null where nothing is recorded. */
  certificate?: OverviewCertificate | null;
  trades: OverviewTrade[];
  trade_groups: OverviewTradeGroup[];
  flow: Flow;
  instrument_flow: Flow;
  kickouts: { loans: number; loan_amount: string; reasons: KickoutGroup[] };
  moves: {
    actions: { pool_action: string; loans: number; amount: string }[];
    moves: PoolMove[];
    other_moves: number;
    other_loans: number;
    other_amount: string;
  };
  findings: {
    warnings: number;
    codes: Record<string, number>;
    first: { code: string; severity: string; subject: string | null; message: string }[];
  };
  log: { step: string; message: string; row_count: number | null }[];
}
