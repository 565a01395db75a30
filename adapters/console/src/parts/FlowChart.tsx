import { Sankey, sankeyLinkHorizontal } from "@visx/sankey";
import { useMemo, useState } from "react";
import type { Flow, FlowEnd, FlowLink } from "../api/overview";
import { count, dollars, grouped, shortDollars } from "../format";
import { num, Table } from "./Table";
import { endName, flowGraph, thresholdFor, type FlowGraph } from "./flow";
import { TradeId } from "./links";
import { useWidth } from "./width";

const cut = (name: string, letters: number) =>
  name.length > letters ? `${name.slice(0, letters - 1)}…` : name;

const tone = (link: FlowLink) =>
  link.to.kind === "kicked_out"
    ? "out"
    : link.from.kind === "new"
      ? "new"
      : link.stays
        ? "stays"
        : "moves";

function Diagram({ graph, width }: { graph: FlowGraph; width: number }) {
  const side = Math.min(180, Math.max(84, width * 0.2));
  const letters = Math.floor(side / 7);
  const rows = Math.max(
    new Set(graph.links.map((link) => link.source)).size,
    new Set(graph.links.map((link) => link.target)).size,
  );
  const height = Math.max(160, Math.min(1400, rows * 24));
  return (
    <svg
      className="chart"
      viewBox={`0 0 ${String(width)} ${String(height + 12)}`}
      role="img"
      aria-label={`Flow of ${count(graph.links.length, "group")} of loans; the table has the same`}
    >
      <Sankey<FlowGraph["nodes"][number], FlowGraph["links"][number]>
        // The layout writes into what it gets.
        root={{
          nodes: graph.nodes.map((node) => ({ ...node })),
          links: graph.links.map((link) => ({ ...link })),
        }}
        nodeWidth={12}
        nodePadding={8}
        extent={[
          [side, 6],
          [Math.max(side + 60, width - side), height],
        ]}
      >
        {({ graph: laid }) => (
          <>
            {laid.links.map((link) => (
              <path
                key={`${String(link.link.from.name)}:${link.link.from.kind}>${String(link.link.to.name)}:${link.link.to.kind}`}
                className={`flow-link ${tone(link.link)}`}
                d={sankeyLinkHorizontal()(link as never) ?? ""}
                strokeWidth={Math.max(1, link.width ?? 1)}
              >
                <title>
                  {`${endName(link.link.from, "from")} to ${endName(link.link.to, "to")}: ${dollars(link.link.amount)}, ${count(link.link.loans, "loan")}`}
                </title>
              </path>
            ))}
            {laid.nodes.map((node) => {
              const { x0 = 0, x1 = 0, y0 = 0, y1 = 0 } = node;
              const left = node.depth === 0;
              return (
                <g key={node.key}>
                  <rect
                    className="flow-node"
                    x={x0}
                    y={y0}
                    width={x1 - x0}
                    height={Math.max(1, y1 - y0)}
                  >
                    <title>{`${node.name}: ${shortDollars(node.value ?? 0)}`}</title>
                  </rect>
                  <text
                    x={left ? x0 - 6 : x1 + 6}
                    y={(y0 + y1) / 2}
                    dy="0.35em"
                    textAnchor={left ? "end" : "start"}
                  >
                    {cut(node.name, letters)}
                  </text>
                </g>
              );
            })}
          </>
        )}
      </Sankey>
    </svg>
  );
}

function End({ end, side, ids }: { end: FlowEnd; side: "from" | "to"; ids: boolean }) {
  if (ids && end.kind === "trade" && end.name !== null) return <TradeId id={end.name} />;
  return endName(end, side);
}

/** The flow of loans from where they are to where they go, by dollars, with a table of the same. */
export function FlowChart({ byTrade, byInstrument }: { byTrade: Flow; byInstrument: Flow }) {
  const [trades, setTrades] = useState(false);
  const [stays, setStays] = useState(false);
  const [chosen, setChosen] = useState<number | null>(null);
  const [ref, width] = useWidth(900);
  const flow = trades ? byTrade : byInstrument;
  const most = width < 600 ? 16 : 36;
  const threshold = chosen ?? thresholdFor(flow.links, most, stays);
  const graph = useMemo(() => flowGraph(flow.links, threshold, stays), [flow, threshold, stays]);
  const largest = Math.max(0, ...flow.links.map((link) => Number(link.amount)));
  const step = Math.max(1, Math.round(largest / 200));
  return (
    <>
      <div className="row no-print">
        <div className="actions" role="group" aria-label="Flow by">
          <button
            type="button"
            className="button tight"
            aria-pressed={!trades}
            onClick={() => {
              setTrades(false);
              setChosen(null);
            }}
          >
            By instrument
          </button>
          <button
            type="button"
            className="button tight"
            aria-pressed={trades}
            onClick={() => {
              setTrades(true);
              setChosen(null);
            }}
          >
            By trade
          </button>
        </div>
        <label className="check">
          <input
            type="checkbox"
            checked={stays}
            onChange={(event) => {
              setStays(event.target.checked);
              setChosen(null);
            }}
          />
          Loans that stay, too
        </label>
        <label className="check">
          From
          <input
            type="range"
            min={0}
            max={largest}
            step={step}
            value={threshold}
            aria-valuetext={shortDollars(threshold)}
            onChange={(event) => {
              setChosen(Number(event.target.value));
            }}
          />
          <output className="num">{shortDollars(threshold)}</output>
        </label>
      </div>
      <div ref={ref}>
        {graph.links.length === 0 ? (
          <p className="empty">No group of loans is that large. Lower the threshold.</p>
        ) : (
          <Diagram graph={graph} width={width} />
        )}
      </div>
      <details>
        <summary>
          The same as a table: {count(graph.links.length, "group")}, the largest first
        </summary>
        <Table label="Flow of loans" heads={["From", "To", num("Loans"), num("Dollars")]}>
          <tbody>
            {graph.links.map(({ link, source, target }) => (
              <tr key={`${String(source)}-${String(target)}`}>
                <td>
                  <End end={link.from} side="from" ids={trades} />
                </td>
                <td>
                  <End end={link.to} side="to" ids={trades} />
                </td>
                <td className="num">{grouped(link.loans)}</td>
                <td className="num">{dollars(link.amount)}</td>
              </tr>
            ))}
          </tbody>
        </Table>
      </details>
      {flow.other_links > 0 && (
        <p className="muted small">
          {count(flow.other_links, "smaller group")} with {count(flow.other_loans, "loan")} and{" "}
          {dollars(flow.other_amount)} are not in this document.
        </p>
      )}
    </>
  );
}
