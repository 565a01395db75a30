import { queryOptions } from "@tanstack/react-query";
import { answer, api } from "./client";

/** The members of a brief that the page shows (specification part 9). */
export interface LoanChange {
  loan_id: string;
  loan_amount: string;
  value_amount: string;
  from_trade_id: string | null;
  to_trade_id: string | null;
  reason: string | null;
}

export interface LoanChangeGroup {
  loans: number;
  loan_amount: string;
  value_amount: string;
  kicked_out: number;
  listed: LoanChange[];
}

export interface BriefTrade {
  trade_id: string;
  settlement_date: string | null;
  open_amount: string;
  fill_status: string | null;
  shortfall_amount: string;
}

export interface TableChange {
  table: string;
  added: number;
  removed: number;
  changed: number;
  columns: Record<string, number>;
}

export interface BriefHead {
  run_id: string;
  as_of: string | null;
  requested_by: string | null;
  requested_at: string | null;
  value_amount: string;
  placed: number;
  pinned: number;
  kicked_out: number;
  trades: Record<string, number>;
}

export interface Brief {
  then: BriefHead;
  now: BriefHead;
  loans: Record<"new" | "gone" | "moved" | "rescued" | "newly_kicked_out", LoanChangeGroup>;
  trades: Record<"new" | "gone" | "filled" | "fallen_short", BriefTrade[]>;
  given: {
    other_engine: boolean;
    options: { option: string; here: unknown; there: unknown }[];
    configuration: TableChange[];
    prices: TableChange[];
    trades: TableChange[];
    others: TableChange[];
  };
  bridge: {
    then_amount: string;
    steps: { step: string; loans: number | null; amount: string }[];
    now_amount: string;
  };
  to_look_at: {
    kind: string;
    loan_id: string | null;
    trade_id: string | null;
    amount: string | null;
    text: string;
  }[];
}

export const briefQuery = (tenant: string, then: string | undefined, now: string | undefined) =>
  queryOptions({
    queryKey: ["tenant", tenant, "brief", then, now],
    queryFn: async () =>
      (await answer(
        api.GET("/api/powerfill/brief", { params: { query: { then, now } } }),
      )) as unknown as Brief,
    // Two Complete runs do not change, but which the latest two are does.
    staleTime: then === undefined || now === undefined ? 30_000 : Infinity,
    retry: false,
  });
