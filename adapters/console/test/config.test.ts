import { describe, expect, it } from "vitest";
import { movedTo, nodePath, turnsOf, unchanged, type Constraint } from "../src/api/config";
import { condition, conditionWords } from "../src/pages/Filters";
import { editsOf } from "../src/pages/config/Carry";
import { differences } from "../src/pages/config/History";
import { parameters } from "../src/api/rows";

const node = (name: string, priority: number): Constraint => ({
  investor_id: "FNMA",
  investor_instrument_name: name,
  constraint_name: "",
  constraint_priority: priority,
  lo_limit: null,
  hi_limit: null,
  rules: [],
  token: 1,
});

describe("turns", () => {
  const nodes = [node("A", 10), node("B", 20), node("C", 10), node("", 0)];
  it("are the nodes of one priority, without those of investors", () => {
    const turns = turnsOf(nodes, new Map());
    expect(turns.map((turn) => turn.nodes.map((n) => n.investor_instrument_name))).toEqual([
      ["A", "C"],
      ["B"],
    ]);
  });
  it("move a node to the turn before or after, or to a new one at an end", () => {
    const turns = turnsOf(nodes, new Map());
    expect(movedTo(turns, 10, 1)).toBe(20);
    expect(movedTo(turns, 20, -1)).toBe(10);
    expect(movedTo(turns, 10, -1)).toBe(0);
    expect(movedTo(turns, 20, 1)).toBeNull();
  });
});

describe("addresses of the configuration", () => {
  it("write an empty part as a dash", () => {
    expect(nodePath(node("", 0))).toEqual({ investor_id: "FNMA", instrument: "-", name: "-" });
  });
  it("name the token that a change is based on", () => {
    expect(unchanged(7)).toEqual({ "If-Match": '"7"' });
    expect(unchanged(null)).toEqual({});
  });
});

describe("filters", () => {
  it("are conditions of the API, and words", () => {
    expect(condition("price", "ge", "99")).toBe("price.ge=99");
    expect(conditionWords("loan_amount.le=100000")).toBe("Loan amount is at most 100000");
    expect(conditionWords("pool_name=")).toBe("Pool is empty");
  });
  it("keep values with signs of their own", () => {
    const query = parameters({ where: ["rule=a=b&c"], sort: "-price" }, { limit: "5" });
    expect(query.toString()).toBe("limit=5&sort=-price&rule=a%3Db%26c");
  });
});

describe("history", () => {
  it("says what differs", () => {
    expect(
      differences({
        before: { hi_limit: "0.15", lo_limit: null },
        after: { hi_limit: "0.20", lo_limit: null },
      }),
    ).toBe("hi_limit 0.15 to 0.20");
    expect(differences({ before: { a: "1" }, after: null })).toBe("removed");
  });
});

describe("a carry bucket", () => {
  const bucket = {
    investor_instrument_name: "FN 6.0",
    on_day: 31,
    to_day: 60,
    annual_rate: "2.500000",
    token: 1,
  };
  const written = { from: "31", to: "60", rate: "2.500000" };
  it("is tried with what was changed of it", () => {
    expect(editsOf("FN 6.0", bucket, written)).toEqual([]);
    expect(editsOf("FN 6.0", bucket, { ...written, to: " 45 " })).toEqual([
      "carry:FN 6.0/31:to=45",
    ]);
    expect(editsOf("A/B", bucket, { ...written, rate: "3" })).toEqual(['carry:"A/B"/31:rate=3']);
  });
  it("is added with its end and its rate", () => {
    expect(editsOf("FN 6.0", null, { from: "61", to: "90", rate: "1.5" })).toEqual([
      "carry:FN 6.0/61:add=to=90, rate=1.5",
    ]);
  });
});
