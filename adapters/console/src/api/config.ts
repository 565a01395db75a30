import { queryOptions } from "@tanstack/react-query";
import type { components } from "../generated/schema";
import { answer, api } from "./client";

export type Constraint = components["schemas"]["Constraint"];
export type SecRule = components["schemas"]["SecRule"];
export type CarryBucket = components["schemas"]["CarryBucket"];
export type PoolLock = components["schemas"]["PoolLock"];

/** A part of an address: an empty one is written "-". */
const part = (text: string) => (text === "" ? "-" : text);
export const nodePath = (node: {
  investor_id: string;
  investor_instrument_name: string;
  constraint_name: string;
}) => ({
  investor_id: node.investor_id,
  instrument: part(node.investor_instrument_name),
  name: part(node.constraint_name),
});

/** The header by which a change applies only if the row is still the one that was shown. */
export const unchanged = (token: number | null | undefined) =>
  token === null || token === undefined ? {} : { "If-Match": `"${String(token)}"` };

export const why = (reason: string) => (reason.trim() === "" ? {} : { reason: reason.trim() });

const key = (tenant: string, name: string) => ["tenant", tenant, "config", name];

export const constraintsQuery = (tenant: string) =>
  queryOptions({
    queryKey: key(tenant, "constraints"),
    queryFn: () => answer(api.GET("/api/powerfill/constraints")),
  });

export type ConstraintUse = components["schemas"]["ConstraintUse"];

/** What each node of the tree was used for in the latest Complete run. */
export const usesQuery = (tenant: string) =>
  queryOptions({
    queryKey: key(tenant, "use"),
    queryFn: () => answer(api.GET("/api/powerfill/constraints/use")),
    // It is beside the tree: without it, the tree is shown all the same.
    retry: false,
  });

export const rulesQuery = (tenant: string) =>
  queryOptions({
    queryKey: key(tenant, "rules"),
    queryFn: () => answer(api.GET("/api/powerfill/sec-rules")),
  });

export const carryQuery = (tenant: string) =>
  queryOptions({
    queryKey: key(tenant, "carry"),
    queryFn: () => answer(api.GET("/api/powerfill/carry-cost")),
  });

export const lockdownQuery = (tenant: string) =>
  queryOptions({
    queryKey: key(tenant, "lockdown"),
    queryFn: () => answer(api.GET("/api/powerfill/lockdown")),
  });

export const asOfQuery = (tenant: string, version: number) =>
  queryOptions({
    queryKey: [...key(tenant, "as of"), version],
    queryFn: () =>
      answer(api.GET("/api/powerfill/configuration", { params: { query: { version } } })),
  });

/** A turn: the nodes of one priority, which the passes walk together. */
export interface Turn {
  priority: number;
  nodes: Constraint[];
}

export const nodeKey = (node: {
  investor_id: string;
  investor_instrument_name: string;
  constraint_name: string;
}) => JSON.stringify([node.investor_id, node.investor_instrument_name, node.constraint_name]);

/** The nodes with an instrument by their priorities, which `changed` may override. */
export function turnsOf(
  nodes: readonly Constraint[],
  changed: ReadonlyMap<string, number>,
): Turn[] {
  const turns = new Map<number, Constraint[]>();
  for (const node of nodes) {
    if (node.investor_instrument_name === "") continue;
    const priority = changed.get(nodeKey(node)) ?? node.constraint_priority;
    turns.set(priority, [...(turns.get(priority) ?? []), node]);
  }
  return [...turns.entries()]
    .sort(([a], [b]) => a - b)
    .map(([priority, members]) => ({ priority, nodes: members }));
}

/** The priority of the turn before or after a node's; beyond the ends, a new turn. */
export function movedTo(turns: readonly Turn[], priority: number, by: -1 | 1): number | null {
  const index = turns.findIndex((turn) => turn.priority === priority);
  const next = turns[index + by];
  if (next) return next.priority;
  const alone = (turns[index]?.nodes.length ?? 0) <= 1;
  if (alone) return null;
  return by === 1 ? priority + 10 : priority - 10 >= 0 ? priority - 10 : null;
}
