import { describe, expect, it } from "vitest";
import { faultOf, requested, usualValue, type OptionField } from "../src/api/options";
import { faultWords, problemFrom, problemOf, ProblemError } from "../src/api/problem";
import { may } from "../src/api/session";
import { REPORTS } from "../src/generated/reports";

const option = (name: string, kind: string, more: Partial<OptionField> = {}): OptionField => ({
  name,
  kind,
  choices: [],
  default: null,
  tenant_value: null,
  nullable: false,
  help: "",
  allowed: "",
  ...more,
});
const DAYS = option("max_eligible_days", "int", { min: 0, max: 9999, tenant_value: 30 });
const THRESHOLD = option("switch_threshold", "decimal", {
  min: 0,
  scale: 8,
  tenant_value: "0.50000000",
});
const DAY = option("as_of", "date");
const MODE = option("price_mode", "one_of", { choices: ["po", "pc"], tenant_value: "pc" });
const ALL = [DAYS, THRESHOLD, DAY, MODE];

describe("options", () => {
  it("accept an empty value: it stands for the usual one", () => {
    for (const field of ALL) expect(faultOf(field, "")).toBeNull();
  });
  it("say what is wrong", () => {
    expect(faultOf(DAYS, "1.5")).toBe("Write a whole number.");
    expect(faultOf(DAYS, "10000")).toBe("At most 9999.");
    expect(faultOf(THRESHOLD, "-1")).toBe("At least 0.");
    expect(faultOf(THRESHOLD, "1e3")).toBe("Write a number.");
    expect(faultOf(THRESHOLD, "0.123456789")).toBe("At most 8 decimals.");
    expect(faultOf(DAY, "15.1.2026")).toBe("Write a date as 2026-01-15.");
  });
  it("are sent as JSON has them: whole numbers as numbers, decimals as text", () => {
    expect(
      requested(ALL, { max_eligible_days: "30", switch_threshold: "0.25", price_mode: "" }),
    ).toEqual({ max_eligible_days: 30, switch_threshold: "0.25" });
  });
  it("say what the tenant has", () => {
    expect(ALL.map(usualValue)).toEqual(["30", "0.5", "", "pc"]);
  });
});

describe("problems", () => {
  const problem = { type: "urn:powerfill:problem:stale", title: "T", status: 412, detail: "D" };
  it("are shown as the service says them", () => {
    const error = new ProblemError(problemFrom(problem, 412));
    expect(problemOf(error)).toEqual(problem);
    expect(error.is("stale")).toBe(true);
  });
  it("have words also where a proxy answers", () => {
    expect(problemFrom("<html>", 502).title).toBe("The service is not available now");
    expect(problemFrom(undefined, 418).status).toBe(418);
  });
  it("have words where nothing answers", () => {
    expect(problemOf(new TypeError("Failed to fetch")).title).toBe("The service does not answer");
  });
  it("name the place of a fault", () => {
    expect(
      faultWords({ table: "loan", column: "note_rate", row: 7, message: "is no number" }),
    ).toBe("loan.note_rate, row 7: is no number");
  });
});

describe("roles", () => {
  it("may what lower ones may", () => {
    expect(may("admin", "operator")).toBe(true);
    expect(may("viewer", "operator")).toBe(false);
  });
});

describe("reports", () => {
  it("have the columns of the API with their kinds", () => {
    expect(REPORTS.recap.columns[0]).toEqual({ name: "trade_id", kind: "text" });
    expect(REPORTS.recap.columns).toContainEqual({
      name: "filled_amount",
      kind: "decimal",
      places: 2,
    });
    expect(REPORTS.kickouts.says).not.toBe("");
  });
});
