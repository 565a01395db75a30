import { queryOptions } from "@tanstack/react-query";
import { answer, api } from "./client";
import type { OverviewPrice } from "./overview";

/** The members of an explanation that the pages show (specification 3.4). */
export interface Node {
  investor_id: string;
  investor_instrument_name: string;
  constraint_name: string;
  constraint_priority: number;
}

export interface Pricing {
  price: string;
  payup: string;
  carry_cost: string | null;
  prx_plus_carry: string | null;
  score: string;
}

export interface FillingLoan {
  loan_id: string;
  loan_amount: string;
  pass: string | null;
}

export interface FullLimit {
  node: Node;
  hi_amount: string;
  used_amount: string;
  used_by?: FillingLoan[];
}

export type Verdict =
  | { is: "chosen" | "not_reached" }
  | { is: "given_up"; allocation_seq: number }
  | { is: "placed_before"; trade_id: string; pass: string }
  | { is: "completed_another"; trade_id: string }
  | {
      is: "no_room";
      filled_amount: string;
      max_amount: string;
      excess_amount: string;
      filled_by?: FillingLoan[];
    }
  | { is: "at_open_amount"; filled_amount: string; open_amount: string; filled_by?: FillingLoan[] }
  | {
      is: "limit_barred";
      filled_amount: string;
      room_amount: string;
      filled_by?: FillingLoan[];
      full_limits: FullLimit[];
    };

export interface Candidate {
  turn: number;
  candidate_rank: number;
  node: Node;
  trade_id: string;
  settlement_date: string | null;
  pricing: Pricing;
  verdict: Verdict;
  at_end: {
    filled_amount: string;
    room_amount: string;
    excess_amount: string | null;
    full_limits: FullLimit[];
  } | null;
}

export type Outcome =
  | {
      outcome: "allocated";
      trade_id: string;
      node: Node;
      turn: number;
      pass: string;
      allocation_seq: number;
      pricing: Pricing;
      settlement_date: string;
      filled_after: string;
    }
  | {
      outcome: "kicked_out";
      reason: string;
      best_trade_id: string | null;
      best_score: string | null;
      candidates: number;
      constraints_matched: number;
      pool_name: string | null;
    }
  | { outcome: "pinned"; trade_id: string | null; pool_name: string; held_reason: string }
  | { outcome: "undecided" | "no_part" };

export interface NodeFailure {
  failed: string;
  rule_name?: string;
  clause?: string;
  attached_to?: string;
  unknown?: boolean;
  values?: { column: string; value: string | null }[];
  note_rate?: string;
  min_note_rate?: string;
  max_note_rate?: string;
  [name: string]: unknown;
}

export interface LoanExplanation {
  run_id: string;
  loan_id: string;
  loan_amount: string | null;
  status: string;
  pool_name: string | null;
  present_trade_id: string | null;
  outcome: Outcome;
  candidates: Candidate[];
  steps: ({ step: string; turn: number; pass: string } & Record<string, unknown>)[];
  rejections: { reason: string; trade_id: string }[];
  postings: {
    pool_action: string;
    from_pool_name: string | null;
    to_pool_name: string | null;
    trade_id: string | null;
  }[];
  synthetic: {
    best: {
      price: string;
      slot: { investor_instrument_name: string; settlement_date: string };
    } | null;
    options: number;
    give_up: string | null;
  } | null;
  standing: {
    curr_status?: string;
    note_rate?: string;
    term_months?: string;
    close_date?: string | null;
    deliverable_on?: string | null;
    lock_expiration_date?: string | null;
    participation?: { takes_part: string } & Record<string, unknown>;
    nodes: {
      matched: boolean;
      node: Node;
      turn: number;
      trades: number;
      failures: NodeFailure[];
    }[];
  } | null;
}

export type TradeEntry = {
  loan_id: string;
  loan_amount: string;
  turn: number;
  pass: string;
  filled_after: string;
  score?: string;
} & (
  | { change: "placed" }
  | { change: "moved_in"; from_trade_id: string; made_room_for: string | null }
  | { change: "moved_out"; to_trade_id: string; made_room_for: string | null }
  | { change: "taken_out"; exchanged_for: string }
);

export interface TradeExplanation {
  run_id: string;
  trade_id: string;
  status: string;
  trade: {
    investor_id: string;
    investor_instrument_name: string;
    trade_type: string | null;
    settlement_date: string | null;
    open_amount: string;
    exclusion_reason: string | null;
    band: { min_amount: string; max_amount: string; held_amount: string } | null;
  } | null;
  candidates: number;
  entries: TradeEntry[];
  pinned: { loan_id: string; loan_amount: string; held_reason: string; pool_name: string }[];
  fill: {
    fill_status: string;
    filled_amount: string;
    min_amount: string;
    open_amount: string;
    max_amount: string;
    shortfall_amount: string;
    loan_count: number;
    wavg_price: string | null;
  } | null;
  limits: {
    node: Node;
    hi_amount: string | null;
    lo_amount: string | null;
    lo_met: boolean | string | null;
    used_amount: string;
    used_share: string | null;
  }[];
  rejected: Record<string, number>;
  turned_away: {
    loan_id: string;
    loan_amount: string | null;
    turn: number;
    candidate_rank: number;
    score: string;
    verdict: Verdict;
    place:
      | { is: "trade"; trade_id: string; pass: string; score: string }
      | { is: "kicked_out"; reason: string }
      | { is: "unplaced" };
  }[];
  /** What more room in it is worth, highest first; null without a certificate of the run. */
  shadow_prices?: { challenge: string; prices: OverviewPrice[] } | null;
  shortage: {
    shortfall_amount: string;
    placed_elsewhere: number;
    placed_elsewhere_amount: string;
    kicked_out: number;
    kicked_out_amount: string;
  } | null;
}

export const loanQuery = (tenant: string, runId: string, loanId: string) =>
  queryOptions({
    queryKey: ["tenant", tenant, "run", runId, "loan", loanId],
    queryFn: async () =>
      (await answer(
        api.GET("/api/powerfill/runs/{run_id}/loans/{loan_id}/explain", {
          params: { path: { run_id: runId, loan_id: loanId } },
        }),
      )) as unknown as LoanExplanation,
  });

export const tradeQuery = (tenant: string, runId: string, tradeId: string) =>
  queryOptions({
    queryKey: ["tenant", tenant, "run", runId, "trade", tradeId],
    queryFn: async () =>
      (await answer(
        api.GET("/api/powerfill/runs/{run_id}/trades/{trade_id}/explain", {
          params: { path: { run_id: runId, trade_id: tradeId } },
        }),
      )) as unknown as TradeExplanation,
  });

export function nodeName(node: Node): string {
  return node.constraint_name
    ? `${node.investor_instrument_name}: ${node.constraint_name}`
    : node.investor_instrument_name || node.investor_id;
}

/** Why a loan is, or is not, in a trade: one sentence has the answer. */
export const pairQuery = (tenant: string, runId: string, loanId: string, trade: string) =>
  queryOptions({
    queryKey: ["tenant", tenant, "run", runId, "loan", loanId, "trade", trade],
    queryFn: async () =>
      (await answer(
        api.GET("/api/powerfill/runs/{run_id}/loans/{loan_id}/explain", {
          params: { path: { run_id: runId, loan_id: loanId }, query: { trade } },
        }),
      )) as unknown as { verdict: string; trade_id: string; relation: string },
    retry: false,
  });

/** A changed input that was tried. */
export type TrialChange =
  | {
      change: "freed_amount";
      trade_id: string;
      freed_amount: string;
      trade_amount: string;
      max_amount: string;
    }
  | { change: "limit_raised"; node: Node; raised_by: string; hi_limit: string }
  | { change: "price_floor_lowered"; lowered_by: string; bx_price_floor: string }
  | { change: "buffer_shortened"; days: number; eligible_settle_buffer_days: number }
  | { change: "horizon_lengthened"; days: number; max_trade_settle_days: number };

export type ChangeResult = { kind: TrialChange["change"]; runs: number } & (
  | {
      answer: "places";
      change: TrialChange;
      not_enough: TrialChange | null;
      exact: boolean;
      place: { trade_id: string; settlement_date: string; pass: string; pricing: Pricing };
      others: { moved: number; kicked_out: string[]; placed: string[] };
    }
  | { answer: "does_not"; tried: TrialChange[]; gave_up: boolean }
  | { answer: "not_tried"; reason: string }
);

export interface WhatIf {
  loan_id: string;
  runs: number;
  kinds: ChangeResult[];
}

export async function askWhatIf(runId: string, loanId: string): Promise<WhatIf> {
  const path = "/api/powerfill/runs/{run_id}/loans/{loan_id}/what-if";
  const params = { path: { run_id: runId, loan_id: loanId } };
  return (await answer(api.POST(path, { params }))) as unknown as WhatIf;
}
