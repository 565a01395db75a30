import type { ReactNode } from "react";
import type { Outcome, TriesView } from "../api/tries";
import { countChange, dollars, grouped, moneyChange } from "../format";
import { num, Table } from "../parts/Table";

const ROWS = [
  ["value", "Value"],
  ["proceeds", "Proceeds"],
  ["carry", "Carry"],
  ["pick_up", "Pick-up"],
  ["placed", "Loans placed"],
  ["kicked_out", "Loans kicked out"],
  ["filled", "Trades filled"],
  ["under", "Trades short"],
  ["switches", "Switches"],
] as const;

const shown = (value: number | string) =>
  typeof value === "number" ? grouped(value) : dollars(value);

function Against(props: { base: Outcome; outcome: Outcome; member: (typeof ROWS)[number][0] }) {
  const [was, is] = [props.base[props.member], props.outcome[props.member]];
  const change =
    typeof was === "number" && typeof is === "number"
      ? countChange(was, is)
      : moneyChange(String(was), String(is));
  return (
    <td className="num">
      {shown(is)}
      <div className="muted small">{change || "same"}</div>
    </td>
  );
}

/** What a base and its tries come to, side by side. */
export function Outcomes(props: {
  result: TriesView;
  label: string;
  base: string;
  children?: ReactNode;
}) {
  const { base, tries } = props.result;
  return (
    <Table
      label={props.label}
      heads={["What", num(props.base), ...tries.map((tried) => num(tried.name))]}
    >
      <tbody>
        {ROWS.map(([member, title]) => (
          <tr key={member}>
            <th scope="row">{title}</th>
            <td className="num">{shown(base[member])}</td>
            {tries.map((tried, index) =>
              tried.outcome.failure ? (
                <td key={index} className="num muted">
                  refused
                </td>
              ) : (
                <Against key={index} base={base} outcome={tried.outcome} member={member} />
              ),
            )}
          </tr>
        ))}
        {props.children}
      </tbody>
    </Table>
  );
}
