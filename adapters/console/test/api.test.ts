import { describe, expect, it } from "vitest";
import { faultOf, requested, type OptionField } from "../src/api/options";
import { faultWords, problemFrom, problemOf, ProblemError } from "../src/api/problem";
import { may } from "../src/api/session";
import { OPTIONS } from "../src/generated/options";
import { REPORTS } from "../src/generated/reports";

const option = (name: string): OptionField => {
  const found = OPTIONS.find((field) => field.name === name);
  if (!found) throw new Error(`the API has no option ${name}`);
  return found;
};

describe("options", () => {
  it("accept an empty value: it stands for the default", () => {
    for (const field of OPTIONS) expect(faultOf(field, "")).toBeNull();
  });
  it("say what is wrong", () => {
    expect(faultOf(option("max_eligible_days"), "1.5")).toBe("Write a whole number.");
    expect(faultOf(option("max_eligible_days"), "10000")).toBe("At most 9999.");
    expect(faultOf(option("exact_fit_variance"), "-1")).toBe("At least 0.");
    expect(faultOf(option("switch_threshold"), "0.123456789")).toBe("Too many digits.");
    expect(faultOf(option("as_of"), "15.1.2026")).toBe("Write a date as 2026-01-15.");
  });
  it("are sent as JSON has them: whole numbers as numbers, decimals as text", () => {
    expect(
      requested(OPTIONS, { max_eligible_days: "30", switch_threshold: "0.25", scope: "" }),
    ).toEqual({ max_eligible_days: 30, switch_threshold: "0.25" });
  });
  it("with choices offer them", () => {
    expect(option("price_mode").choices).toEqual(["po", "pc"]);
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
