import type { WaterfallStep } from "../api/overview";
import { dollars, grouped, isZero, signedDollars } from "../format";
import { num, Table } from "./Table";

const NAMES: Record<string, string> = {
  as_is: "Loans where they are now",
  switches: "Switches to another trade",
  leaving: "Loans that leave and are kicked out",
  joins: "Loans that join a trade",
  payups: "Pay-ups",
  carry: "Carry",
  total: "Value of the run",
};

/** The shown interval: the ends of the steps, so that small steps beside large sums stay visible. */
export function shownRange(steps: WaterfallStep[]): [number, number] {
  const ends = steps.map((step) => Number(step.to_amount));
  const low = Math.min(...ends);
  const high = Math.max(...ends);
  const margin = (high - low || Math.abs(high) || 1) * 0.12;
  const from = low > 0 && low - margin < 0 ? 0 : low - margin;
  return [low >= 0 ? Math.max(0, from) : from, high + margin * 0.2];
}

/** A bar for each step, from the sum before it to the sum after it (7.4); also a table. */
export function Waterfall(props: {
  steps: WaterfallStep[];
  names?: Record<string, string>;
  label: string;
}) {
  const { steps } = props;
  const names = props.names ?? NAMES;
  const [low, high] = shownRange(steps);
  const place = (amount: number) => ((amount - low) / (high - low)) * 100;
  return (
    <Table
      label="Steps of the value"
      caption={
        <>
          {props.label}
          {low > 0 && ` The bars begin at ${dollars(low.toFixed(0))}.`}
        </>
      }
      heads={[
        "Step",
        { name: "Bar", className: "bar-cell roomy", hidden: true },
        num("Loans"),
        num("Dollars"),
      ]}
    >
      <tbody>
        {steps.map((step) => {
          const whole = step.step === "total" || Number(step.from_amount) === 0;
          const ends = whole
            ? [0, place(Number(step.to_amount))]
            : [place(Number(step.from_amount)), place(Number(step.to_amount))];
          const left = Math.max(0, Math.min(...ends));
          const width = Math.max(0.4, Math.max(...ends) - left);
          const tone = whole ? "total" : step.amount.startsWith("-") ? "down" : "up";
          return (
            <tr key={step.step}>
              <th scope="row">{names[step.step] ?? step.step}</th>
              <td className="bar-cell roomy">
                <svg className="bar" aria-hidden="true">
                  <rect className="track" width="100%" height="20" rx="2" />
                  {!isZero(step.amount) && (
                    <rect
                      className={`fill-${tone}`}
                      x={`${left.toFixed(3)}%`}
                      width={`${width.toFixed(3)}%`}
                      y="2"
                      height="16"
                      rx="1"
                    />
                  )}
                </svg>
              </td>
              <td className="num">{step.loans === null ? "" : grouped(step.loans)}</td>
              <td className="num">{whole ? dollars(step.amount) : signedDollars(step.amount)}</td>
            </tr>
          );
        })}
      </tbody>
    </Table>
  );
}
