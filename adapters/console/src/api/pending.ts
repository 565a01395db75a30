import type { Session } from "./session";

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
}
