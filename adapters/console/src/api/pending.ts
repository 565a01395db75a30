/** Operations that the service has before its document describes them. */
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

type Post<T, P, B> = Omit<NoMethods, "post"> & {
  parameters: NoParameters;
  post: {
    parameters: Omit<NoParameters, keyof P> & P;
    requestBody: { content: { "application/json": B } };
    responses: { 200: { headers: Record<string, unknown>; content: { "application/json": T } } };
  };
};

export interface PendingPaths {
  "/api/powerfill/runs/{run_id}/export-mapping": Post<
    { mapping: string },
    { path: { run_id: string } },
    FormData
  >;
}
