import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import type { components } from "../generated/schema";
import { answer, api } from "./client";
import type { Overview } from "./overview";

export type RunHead = components["schemas"]["RunHead"];
export type RunListItem = components["schemas"]["RunListItem"];
export type RunView = components["schemas"]["RunView"];

export const OVER = ["Complete", "Failed", "Cancelled"];
export const isOver = (status: string) => OVER.includes(status);

/** What the list of runs shows. */
export interface RunFilter {
  status?: string;
  as_of?: string;
  since?: string;
  until?: string;
  scenarios?: boolean;
}

function runsPage(query: RunFilter & { limit: number; cursor?: string }) {
  return answer(api.GET("/api/powerfill/runs", { params: { query } }));
}

export const runsQuery = (tenant: string, filter: RunFilter) =>
  infiniteQueryOptions({
    queryKey: ["tenant", tenant, "runs", filter],
    queryFn: ({ pageParam }) =>
      runsPage({ ...filter, limit: 100, ...(pageParam === null ? {} : { cursor: pageParam }) }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next ?? null,
  });

/** The latest Complete runs, to choose from. */
export const recentRunsQuery = (tenant: string) =>
  queryOptions({
    queryKey: ["tenant", tenant, "runs", "recent"],
    queryFn: () => runsPage({ status: "Complete", limit: 100 }),
  });

export const runQuery = (tenant: string, runId: string) =>
  queryOptions({
    queryKey: ["tenant", tenant, "run", runId],
    queryFn: () =>
      answer(api.GET("/api/powerfill/runs/{run_id}", { params: { path: { run_id: runId } } })),
    // A run that is not over changes without this page's doing.
    refetchInterval: (query) =>
      query.state.data && isOver(query.state.data.status) ? false : 1000,
  });

export const overviewQuery = (tenant: string, runId: string) =>
  queryOptions({
    queryKey: ["tenant", tenant, "run", runId, "overview"],
    queryFn: async () =>
      (await answer(
        api.GET("/api/powerfill/runs/{run_id}/overview", { params: { path: { run_id: runId } } }),
      )) as unknown as Overview,
    // A Complete run does not change any more.
    staleTime: Infinity,
  });
