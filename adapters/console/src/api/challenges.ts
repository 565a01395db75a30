import { queryOptions } from "@tanstack/react-query";
import type { components } from "../generated/schema";
import { answer, api } from "./client";
import type { Job } from "./jobs";

export type RecordedChallenge = components["schemas"]["ChallengeListItem"];

/** What an allocation comes to. */
export interface AllocationSums {
  placed: number;
  placed_amount: string;
  kicked_out: number;
  filled_trades: number;
  stays: number;
  switches: number;
  proceeds: string;
}

/** A loan that the challenger decides otherwise; null where it had no place, or has none. */
export interface ChallengedLoan {
  loan_id: string;
  loan_amount: string;
  from_trade_id: string | null;
  from_score: string | null;
  to_trade_id?: string;
  to_score?: string;
}

/** The members of a challenge that the pages show (specification 10.5). */
export interface Challenge {
  challenge: string;
  certified: { run_worth: string; gap: string } | null;
  completed: { steps: number; run: AllocationSums; challenger: AllocationSums | null } | null;
  verified: { worth: string; gap: string } | null;
  placed: ChallengedLoan[];
  released: ChallengedLoan[];
}

const key = (tenant: string) => ["tenant", tenant, "challenges"];

export const challengesQuery = (tenant: string, runId: string) =>
  queryOptions({
    queryKey: [...key(tenant), runId],
    queryFn: async () =>
      (
        await answer(
          api.GET("/api/powerfill/runs/{run_id}/challenges", {
            params: { path: { run_id: runId } },
          }),
        )
      ).challenges,
  });

export const challengeQuery = (tenant: string, challenge: string) =>
  queryOptions({
    queryKey: [...key(tenant), "one", challenge],
    queryFn: async () =>
      (await answer(
        api.GET("/api/powerfill/challenges/{challenge}", { params: { path: { challenge } } }),
      )) as unknown as Challenge,
    // What is recorded does not change.
    staleTime: Infinity,
  });

export const startChallenge = async (runId: string) =>
  (await answer(
    api.POST("/api/powerfill/runs/{run_id}/challenges", {
      params: { path: { run_id: runId } },
      body: {},
    }),
  )) as Job;

export const adoptChallenge = (challenge: string, key: string) =>
  answer(
    api.POST("/api/powerfill/challenges/{challenge}/adoption", {
      params: { path: { challenge }, header: { "Idempotency-Key": key } },
    }),
  );
