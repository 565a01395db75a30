import { queryOptions } from "@tanstack/react-query";
import type { components } from "../generated/schema";
import { answer, api, setCsrf } from "./client";

export type Session = components["schemas"]["Session"];
export type SessionTenant = Session["tenants"][number];
export type Role = SessionTenant["role"];

const keep = (session: Session): Session => {
  setCsrf(session.csrf ?? null);
  return session;
};

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: async () => keep(await answer(api.GET("/api/powerfill/session"))),
  staleTime: 60_000,
  retry: false,
});

export async function openSession(token: string): Promise<Session> {
  return keep(await answer(api.POST("/api/powerfill/session", { body: { token } })));
}

export async function closeSession(): Promise<void> {
  await answer(api.DELETE("/api/powerfill/session"));
  setCsrf(null);
}

const RANKS: Record<Role, number> = { viewer: 0, operator: 1, admin: 2 };

/** Whether a role may do what needs another one: what it may not do is not shown. */
export function may(role: Role, needs: Role): boolean {
  return RANKS[role] >= RANKS[needs];
}
