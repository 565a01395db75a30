import { queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTenant } from "../shell/tenant";
import { answer, api } from "./client";

/** A verification, a replay, or a comparison, which the service works on after its answer. */
export interface Job {
  job_id: string;
  kind: string;
  run_id: string | null;
  status: string;
  requested_by: string;
  requested_at: string;
  step: string | null;
  fraction: string;
  ended_at: string | null;
  answer: string | null;
  failure: { code: string; message: string } | null;
  cancelled_by: string | null;
}

/** The end of the log at a moment. A copy that is kept elsewhere proves what the log contained. */
export interface Seal {
  tenant: string | null;
  exported_at: string | null;
  seq: number;
  position: number;
  seal: string;
}

export const goesOn = (job: Job) => job.status === "Pending" || job.status === "Running";

export const jobsKey = (tenant: string) => ["tenant", tenant, "jobs"];

export const jobsQuery = (tenant: string) =>
  queryOptions({
    queryKey: jobsKey(tenant),
    queryFn: async () => (await answer(api.GET("/api/powerfill/jobs"))).jobs as Job[],
    refetchInterval: (query) => (query.state.data?.some(goesOn) ? 1_000 : 10_000),
  });

const jobQuery = (tenant: string, id: string | undefined) =>
  queryOptions({
    queryKey: [...jobsKey(tenant), id],
    queryFn: async () =>
      (await answer(
        api.GET("/api/powerfill/jobs/{job_id}", { params: { path: { job_id: id ?? "" } } }),
      )) as Job,
    enabled: id !== undefined,
    refetchInterval: (query) => (query.state.data && !goesOn(query.state.data) ? false : 400),
  });

const resultQuery = (tenant: string, id: string | undefined, complete: boolean) =>
  queryOptions({
    queryKey: [...jobsKey(tenant), id, "result"],
    queryFn: async () =>
      (await answer(
        api.GET("/api/powerfill/jobs/{job_id}/result", { params: { path: { job_id: id ?? "" } } }),
      )) as unknown,
    enabled: id !== undefined && complete,
    staleTime: Infinity,
  });

export const cancelJob = (id: string) =>
  answer(api.POST("/api/powerfill/jobs/{job_id}/cancel", { params: { path: { job_id: id } } }));

/** A job that this page begins, and its result when it is complete. */
export function useJob<Result, Asked = void>(begin: (asked: Asked) => Promise<Job>) {
  const tenant = useTenant();
  const client = useQueryClient();
  const begun = useMutation({
    mutationFn: begin,
    onSettled: () => client.invalidateQueries({ queryKey: jobsKey(tenant.tenant_id), exact: true }),
  });
  const id = begun.data?.job_id;
  const shown = useQuery(jobQuery(tenant.tenant_id, id));
  const job = id === undefined ? undefined : (shown.data ?? begun.data);
  const result = useQuery(resultQuery(tenant.tenant_id, id, job?.status === "Complete"));
  const error: unknown = begun.error ?? shown.error ?? result.error;
  return {
    begin: begun.mutate,
    job,
    result: id === undefined ? undefined : (result.data as Result | undefined),
    error,
    isBusy: begun.isPending || (job !== undefined && goesOn(job)) || result.isLoading,
  };
}

export const verify = async (asked: { run_id?: string; since?: Seal }) =>
  (await answer(api.POST("/api/powerfill/verifications", { body: asked }))) as Job;

export const replay = async (runId: string) =>
  (await answer(
    api.POST("/api/powerfill/runs/{run_id}/replays", { params: { path: { run_id: runId } } }),
  )) as Job;

export const readSeal = async () => (await answer(api.GET("/api/powerfill/seal"))) as Seal;

/** A seal from the text of its file; null if it is none. */
export function sealOf(text: string): Seal | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const seal = value as Partial<Seal> | null;
  if (typeof seal?.seal !== "string" || !/^[0-9a-f]{64}$/i.test(seal.seal)) return null;
  if (typeof seal.seq !== "number" || typeof seal.position !== "number") return null;
  const textAt = (name: "tenant" | "exported_at") => seal[name] ?? null;
  return {
    tenant: textAt("tenant"),
    exported_at: textAt("exported_at"),
    seq: seal.seq,
    position: seal.position,
    seal: seal.seal,
  };
}
