import type { FlowEnd, FlowLink } from "../api/overview";

export function endName(end: FlowEnd, side: "from" | "to"): string {
  switch (end.kind) {
    case "new":
      return "New loans";
    case "kicked_out":
      return "Kicked out";
    case "pool":
      return end.name === null ? "Pools without a trade" : `Pool ${end.name}`;
    case "trade":
      return end.name ?? (side === "from" ? "No trade" : "Any trade");
  }
}

const endKey = (end: FlowEnd, side: string) => JSON.stringify([side, end.kind, end.name]);

export interface FlowGraph {
  nodes: { key: string; name: string }[];
  links: { source: number; target: number; value: number; link: FlowLink }[];
}

/** The graph of the links from a threshold on. Left and right nodes differ, so it has no cycle. */
export function flowGraph(links: FlowLink[], threshold: number, stays: boolean): FlowGraph {
  const nodes: FlowGraph["nodes"] = [];
  const index = new Map<string, number>();
  const node = (end: FlowEnd, side: "from" | "to") => {
    const key = endKey(end, side);
    const known = index.get(key);
    if (known !== undefined) return known;
    nodes.push({ key, name: endName(end, side) });
    index.set(key, nodes.length - 1);
    return nodes.length - 1;
  };
  const shown = links.filter(
    (link) => Number(link.amount) >= threshold && Number(link.amount) > 0 && (stays || !link.stays),
  );
  return {
    links: shown.map((link) => ({
      source: node(link.from, "from"),
      target: node(link.to, "to"),
      value: Number(link.amount),
      link,
    })),
    nodes,
  };
}

/** The threshold at which at most `most` links remain. */
export function thresholdFor(links: FlowLink[], most: number, stays: boolean): number {
  const amounts = links
    .filter((link) => stays || !link.stays)
    .map((link) => Number(link.amount))
    .sort((a, b) => b - a);
  return amounts.length <= most ? 0 : (amounts[most - 1] ?? 0);
}
