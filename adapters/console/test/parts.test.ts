import { describe, expect, it } from "vitest";
import type { FlowLink, OverviewTrade, WaterfallStep } from "../src/api/overview";
import { partsOf } from "../src/parts/BandBar";
import { endName, flowGraph, thresholdFor } from "../src/parts/flow";
import { groupTrades } from "../src/parts/TradeBars";
import { shownRange } from "../src/parts/Waterfall";

const trade = (members: Partial<OverviewTrade>): OverviewTrade => ({
  trade_id: "T1",
  investor_id: "FNMA",
  investor_instrument_name: "FN30 5.5",
  trade_type: "forward",
  settlement_date: "2026-02-12",
  fill_status: "Filled",
  min_amount: "90.00",
  open_amount: "100.00",
  max_amount: "110.00",
  filled_amount: "100.00",
  held_amount: "0.00",
  passes: [],
  loans: 1,
  wavg_price: null,
  value_amount: null,
  shortfall_amount: "0.00",
  shortfall_value_amount: null,
  fill_loans: null,
  fill_amount: null,
  ...members,
});

describe("trades", () => {
  it("are grouped by instrument and day, the largest shortfall first", () => {
    const groups = groupTrades([
      trade({ trade_id: "T1" }),
      trade({ trade_id: "T2", investor_instrument_name: "G2 30 4.0", shortfall_amount: "5.00" }),
      trade({ trade_id: "T3" }),
      trade({ trade_id: "T4", settlement_date: "2026-01-12" }),
    ]);
    expect(groups.map((group) => group.trades.map((member) => member.trade_id))).toEqual([
      ["T2"],
      ["T4"],
      ["T1", "T3"],
    ]);
  });
  it("stack what is held, then the passes in their order", () => {
    const parts = partsOf(
      trade({
        held_amount: "10.00",
        passes: [
          { pass: "best_fit", loans: 1, amount: "60.00" },
          { pass: "exact_fit", loans: 1, amount: "30.00" },
        ],
      }),
    );
    expect(parts).toEqual([
      { name: "held", amount: 10 },
      { name: "exact_fit", amount: 30 },
      { name: "best_fit", amount: 60 },
    ]);
  });
});

describe("waterfall", () => {
  const step = (name: string, from: string, to: string): WaterfallStep => ({
    step: name,
    loans: null,
    amount: "0.00",
    from_amount: from,
    to_amount: to,
  });
  it("shows the ends of the steps, not the way from zero", () => {
    const [low, high] = shownRange([
      step("as_is", "0.00", "1000.00"),
      step("joins", "1000.00", "1100.00"),
      step("total", "0.00", "1100.00"),
    ]);
    expect(low).toBeCloseTo(988);
    expect(high).toBeGreaterThan(1100);
  });
  it("begins at zero where the sums are near it, and has a width where nothing changes", () => {
    expect(shownRange([step("as_is", "0.00", "5.00"), step("carry", "5.00", "100.00")])[0]).toBe(0);
    const [low, high] = shownRange([step("as_is", "0.00", "0.00")]);
    expect(high).toBeGreaterThan(low);
  });
});

describe("flow", () => {
  const link = (from: string, to: string, amount: string): FlowLink => ({
    from: { kind: "trade", name: from },
    to: { kind: "trade", name: to },
    stays: from === to,
    loans: 1,
    amount,
  });
  const links = [link("A", "B", "50.00"), link("A", "A", "40.00"), link("B", "A", "10.00")];
  it("keeps both sides apart, so that the graph has no cycle", () => {
    const graph = flowGraph(links, 0, true);
    expect(graph.nodes.map((node) => node.name)).toEqual(["A", "B", "A", "B"]);
    expect(graph.links).toHaveLength(3);
  });
  it("leaves out what is below the threshold, and what stays", () => {
    expect(flowGraph(links, 20, false).links.map(({ link }) => link.amount)).toEqual(["50.00"]);
  });
  it("finds the threshold for a number of links", () => {
    expect(thresholdFor(links, 2, true)).toBe(40);
    expect(thresholdFor(links, 3, true)).toBe(0);
  });
  it("names ends without a name", () => {
    expect(endName({ kind: "kicked_out", name: null }, "to")).toBe("Kicked out");
    expect(endName({ kind: "pool", name: "P1" }, "from")).toBe("Pool P1");
  });
});
