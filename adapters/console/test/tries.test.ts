import { describe, expect, it } from "vitest";
import { EDIT_KINDS, quoted } from "../src/api/tries";

const line = (kind: string, values: Record<string, string>) =>
  EDIT_KINDS.find((each) => each.name === kind)?.line(values);

describe("edits", () => {
  it("are lines as the command takes them", () => {
    expect(line("Option of the run", { option: "price_mode", value: "pc" })).toBe("price_mode=pc");
    expect(line("Constraint", { node: "FNMA/FN30 6.0", column: "hi_limit", value: "0.5" })).toBe(
      "constraint:FNMA/FN30 6.0:hi_limit=0.5",
    );
    expect(line("Trade", { trade: "T1", column: "amount", value: "5000000" })).toBe(
      "trade:T1:amount=5000000",
    );
    expect(line("Trade", { trade: "T1", column: "out", value: "" })).toBe("trade:T1=out");
    expect(line("Prices of the grid", { instrument: "", shift: "−8" })).toBe("prices=-8/32");
    expect(line("Prices of the grid", { instrument: "FN30 6.0", shift: "4" })).toBe(
      "prices:FN30 6.0=+4/32",
    );
  });
  it("quote names with signs of the form", () => {
    expect(quoted("T0001")).toBe("T0001");
    expect(quoted('a/b"c')).toBe('"a/b""c"');
    expect(line("Loan out", { loan: "L=1" })).toBe('loan:"L=1"=out');
  });
});
