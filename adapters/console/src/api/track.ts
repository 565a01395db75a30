import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { answer, api } from "./client";
import type { CloudEvent } from "./live";

export interface Mark {
  version: number;
  last_version: number;
  kind: "step" | "turn" | "pass";
  step: string;
  turn: number | null;
  pass: string | null;
  allocated: number | null;
  moved: number | null;
  released: number | null;
}

export interface TimelineTrade {
  trade_id: string;
  investor_id: string;
  investor_instrument_name: string;
  settlement_date: string | null;
  exclusion_reason: string | null;
  open_amount: string;
  min_amount: string | null;
  max_amount: string | null;
  held_amount: string | null;
}

export interface Timeline {
  run_id: string;
  last_version: number;
  is_over: boolean;
  marks: Mark[];
  trades: TimelineTrade[];
}

export interface TradeState {
  trade_id: string;
  filled_amount: string;
  loan_count: number;
}

export interface StateChange {
  version: number;
  kind: "pinned" | "allocated" | "moved" | "released" | "kicked_out";
  turn: number | null;
  pass: string | null;
  loan_id: string;
  from_trade_id: string | null;
  to_trade_id: string | null;
  loan_amount: string;
}

export interface RunState {
  version: number;
  last_version: number;
  event: CloudEvent;
  status: string;
  step: string | null;
  turn: number | null;
  pass: string | null;
  counts: {
    placed: number;
    placed_amount: string;
    pinned: number;
    pinned_amount: string;
    kicked_out: number;
    kicked_out_amount: string;
    changes: number;
    short_trades: number;
  };
  trades: TradeState[];
  changes: StateChange[];
}

export type Fills = ReadonlyMap<string, TradeState>;

/** A state with the fill of every trade. */
export interface FullState {
  state: RunState;
  fills: Fills;
}

/** What is known of every trade after `state`, from what was known after another event. */
export function overlaid(before: Fills, state: RunState): Fills {
  const fills = new Map(before);
  for (const trade of state.trades) fills.set(trade.trade_id, trade);
  return fills;
}

export const timelineQuery = (tenant: string, runId: string) =>
  queryOptions({
    queryKey: ["tenant", tenant, "run", runId, "timeline"],
    queryFn: async () =>
      (await answer(
        api.GET("/api/powerfill/runs/{run_id}/timeline", { params: { path: { run_id: runId } } }),
      )) as unknown as Timeline,
    staleTime: Infinity,
  });

/** The last full state of a run: the next one asks only for what differs from it. */
const latest = new Map<string, FullState>();

export const stateQuery = (tenant: string, runId: string, version: number | null) =>
  queryOptions({
    queryKey: ["tenant", tenant, "run", runId, "state", version],
    queryFn: async (): Promise<FullState> => {
      const key = JSON.stringify([tenant, runId]);
      // Taken before the request, so that answers may arrive in any order.
      const before = latest.get(key);
      const state = (await answer(
        api.GET("/api/powerfill/runs/{run_id}/state", {
          params: {
            path: { run_id: runId },
            query: {
              ...(version === null ? {} : { version }),
              ...(before ? { since: before.state.version } : {}),
            },
          },
        }),
      )) as unknown as RunState;
      const full = { state, fills: overlaid(before?.fills ?? new Map(), state) };
      latest.set(key, full);
      return full;
    },
    enabled: version !== null,
    placeholderData: keepPreviousData,
    staleTime: Infinity,
    gcTime: 20_000,
  });

export type Subject = { kind: "loan" | "trade"; id: string };

export const stepsQuery = (tenant: string, runId: string, subject: Subject | null) =>
  queryOptions({
    queryKey: ["tenant", tenant, "run", runId, "steps", subject],
    queryFn: async () =>
      (await answer(
        api.GET("/api/powerfill/runs/{run_id}/steps", {
          params: {
            path: { run_id: runId },
            query:
              subject?.kind === "trade" ? { trade_id: subject.id } : { loan_id: subject?.id ?? "" },
          },
        }),
      )) as unknown as { versions: number[]; count: number },
    enabled: subject !== null,
    staleTime: Infinity,
    retry: false,
  });

/** The events from the first pass to the last, where loans get and lose their places. */
export function allocationRange(timeline: Timeline): [number, number] | null {
  const passes = timeline.marks.filter((mark) => mark.kind === "pass");
  const first = passes[0];
  const last = passes.at(-1);
  return first && last ? [Math.max(1, first.version - 1), last.last_version] : null;
}
