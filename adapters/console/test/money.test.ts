import { describe, expect, it } from "vitest";
import { added, difference } from "../src/money";
import { bridgeSteps } from "../src/parts/bridge";

describe("dollars", () => {
  it("are added and subtracted exactly", () => {
    expect(added("9007199254740993.01", "0.01")).toBe("9007199254740993.02");
    expect(added("0.05", "-0.10")).toBe("-0.05");
    expect(difference("1.00", "0.99")).toBe("-0.01");
    expect(difference("-5.00", "5.00")).toBe("10.00");
  });
});

describe("bridge", () => {
  it("leads from then to now", () => {
    const steps = bridgeSteps({
      then_amount: "100.00",
      steps: [
        { step: "loans_gone", loans: 2, amount: "-30.00" },
        { step: "prices", loans: 5, amount: "1.50" },
      ],
      now_amount: "71.50",
    });
    expect(steps.map((step) => [step.step, step.from_amount, step.to_amount])).toEqual([
      ["then", "0.00", "100.00"],
      ["loans_gone", "100.00", "70.00"],
      ["prices", "70.00", "71.50"],
      ["total", "0.00", "71.50"],
    ]);
  });
});
