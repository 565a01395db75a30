import type { Brief } from "../api/brief";
import type { WaterfallStep } from "../api/overview";
import { added } from "../money";

export const BRIDGE: Record<string, string> = {
  then: "Value then",
  loans_gone: "Loans that are gone",
  loans_new: "New loans",
  prices: "Prices",
  trades: "Trades",
  configuration: "Configuration",
  reallocation: "Other decisions",
  total: "Value now",
};

/** The bridge as steps of a waterfall, with the sums before and after each. */
export function bridgeSteps(bridge: Brief["bridge"]): WaterfallStep[] {
  const steps: WaterfallStep[] = [
    {
      step: "then",
      loans: null,
      amount: bridge.then_amount,
      from_amount: "0.00",
      to_amount: bridge.then_amount,
    },
  ];
  let sum = bridge.then_amount;
  for (const step of bridge.steps) {
    const after = added(sum, step.amount);
    steps.push({ ...step, from_amount: sum, to_amount: after });
    sum = after;
  }
  steps.push({
    step: "total",
    loans: null,
    amount: bridge.now_amount,
    from_amount: "0.00",
    to_amount: bridge.now_amount,
  });
  return steps;
}
