import createClient, { type Middleware } from "openapi-fetch";
import type { paths } from "../generated/schema";
import { ProblemError, problemFrom } from "./problem";

/** Whose data is asked for, and what proves that a change comes from this page. */
const asked: { tenant: string | null; csrf: string | null } = { tenant: null, csrf: null };

export function setTenant(tenant: string | null): void {
  asked.tenant = tenant;
}

export function setCsrf(csrf: string | null): void {
  asked.csrf = csrf;
}

const headers: Middleware = {
  onRequest({ request }) {
    if (asked.tenant !== null && !request.headers.has("X-Tenant-Id")) {
      request.headers.set("X-Tenant-Id", asked.tenant);
    }
    if (asked.csrf !== null && request.method !== "GET") {
      request.headers.set("X-CSRF-Token", asked.csrf);
    }
    return request;
  },
};

/** The header that names the tenant is set for every request that names no other one. */
type WithoutTenant<Operation> = Operation extends { parameters: { header: infer Header } }
  ? Omit<Operation, "parameters"> & {
      parameters: Omit<Operation["parameters"], "header"> & {
        header?: Omit<Header, "X-Tenant-Id">;
      };
    }
  : Operation;
type Described = {
  [Path in keyof paths]: {
    [Method in keyof paths[Path]]: WithoutTenant<paths[Path][Method]>;
  };
};

export const api = createClient<Described>({
  baseUrl: "",
  // A name that is assigned later, so that tests can replace `fetch`.
  fetch: (request) => globalThis.fetch(request),
});
api.use(headers);

type Request<T> = Promise<{ data?: T; error?: unknown; response: Response }>;

/** The body and the headers of an answer; a problem is thrown. */
export async function answerWithHeaders<T>(request: Request<T>) {
  const { data, error, response } = await request;
  if (!response.ok) throw new ProblemError(problemFrom(error, response.status));
  return { data, headers: response.headers };
}

/** The body of an answer; a problem is thrown. */
export async function answer<T>(request: Request<T>): Promise<T> {
  return (await answerWithHeaders(request)).data as T;
}

/** A link that the browser follows itself: it cannot send a header, so the tenant is in the query. */
export function linkTo(path: string, query: Record<string, string> | URLSearchParams = {}): string {
  const parameters = new URLSearchParams(query);
  if (asked.tenant !== null) parameters.set("x-tenant-id", asked.tenant);
  return `/api/powerfill${path}?${parameters.toString()}`;
}
