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

type Post<T, B> = Omit<NoMethods, "post"> & {
  parameters: NoParameters;
  post: Answer<T> & {
    parameters: Omit<NoParameters, "header"> & { header?: { "Idempotency-Key"?: string } };
    requestBody: { content: { "application/json": B } };
  };
};

export interface PendingPaths {
  "/api/powerfill/rules/preview": Post<
    {
      valid: boolean;
      message: string | null;
      at: number | null;
      loans: number;
      of: number;
      amount: string;
      as_of: string;
    },
    { rule_syntax: string; examples: number }
  >;
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
