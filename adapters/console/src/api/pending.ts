import type { Session } from "./session";
import type { RunState, Timeline } from "./track";

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

export interface PendingPaths {
  "/api/powerfill/session": Omit<NoMethods, "get" | "post" | "delete"> & {
    parameters: NoParameters;
    get: Answer<Session> & { parameters: NoParameters; requestBody?: never };
    post: Answer<Session> & {
      parameters: NoParameters;
      requestBody: { content: { "application/json": { token: string } } };
    };
    delete: Answer<null> & { parameters: NoParameters; requestBody?: never };
  };
  "/api/powerfill/runs/{run_id}/timeline": Get<Timeline, { path: { run_id: string } }>;
  "/api/powerfill/runs/{run_id}/state": Get<
    RunState,
    { path: { run_id: string }; query: { version?: number; since?: number } }
  >;
  "/api/powerfill/runs/{run_id}/steps": Get<
    { versions: number[]; count: number },
    { path: { run_id: string }; query: { loan_id: string } | { trade_id: string } }
  >;
}
