import type { Job, Seal } from "./jobs";

/** Operations that the service has before its document describes them. */
interface Answer<T> {
  responses: { 200: { headers: Record<string, unknown>; content: { "application/json": T } } };
}
interface NoParameters {
  query?: never;
  header?: never;
  path?: never;
  cookie?: never;
}
interface NoMethods {
  get?: never;
  put?: never;
  post?: never;
  delete?: never;
  options?: never;
  head?: never;
  patch?: never;
  trace?: never;
}

type Get<T, P> = Omit<NoMethods, "get"> & {
  parameters: NoParameters;
  get: Answer<T> & { parameters: Omit<NoParameters, keyof P> & P; requestBody?: never };
};

type Post<T, P, B> = Omit<NoMethods, "post"> & {
  parameters: NoParameters;
  post: Answer<T> & {
    parameters: Omit<NoParameters, keyof P> & P;
    requestBody: { content: { "application/json": B } };
  };
};

type PostNothing<T, P> = Omit<NoMethods, "post"> & {
  parameters: NoParameters;
  post: Answer<T> & { parameters: Omit<NoParameters, keyof P> & P; requestBody?: never };
};

interface OfRun {
  path: { run_id: string };
}
interface OfJob {
  path: { job_id: string };
}

export interface PendingPaths {
  "/api/powerfill/jobs": Get<{ jobs: Job[] }, object>;
  "/api/powerfill/jobs/{job_id}": Get<Job, OfJob>;
  "/api/powerfill/jobs/{job_id}/result": Get<object, OfJob>;
  "/api/powerfill/jobs/{job_id}/cancel": PostNothing<Job, OfJob>;
  "/api/powerfill/seal": Get<Seal, object>;
  "/api/powerfill/verifications": Post<Job, object, { run_id?: string; since?: Seal }>;
  "/api/powerfill/runs/{run_id}/replays": PostNothing<Job, OfRun>;
  "/api/powerfill/runs/{run_id}/comparisons": Post<
    Job,
    OfRun,
    { against: string; explain?: number; rows?: number }
  >;
  "/api/powerfill/runs/{run_id}/export-comparisons": Post<Job, OfRun, FormData>;
  "/api/powerfill/runs/{run_id}/export-mapping": Post<{ mapping: string }, OfRun, FormData>;
}
