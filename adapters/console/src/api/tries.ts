import type { components } from "../generated/schema";

/** Tries and scenarios (specification part 8). */

type Schemas = components["schemas"];
export type Outcome = Schemas["OutcomeView"];
export type TryView = Schemas["TryView"];
export type TriesView = Schemas["TriesView"];

/** A name in an edit: one with a sign of the form is in quotes, in which a quote is doubled. */
export function quoted(name: string): string {
  return /[/:="]/.test(name) ? `"${name.replace(/"/g, '""')}"` : name;
}

/** A node of the constraint tree as edits name it. */
export const nodeOf = (node: {
  investor_id: string;
  investor_instrument_name: string;
  constraint_name: string;
}): string =>
  [node.investor_id, node.investor_instrument_name, node.constraint_name]
    .filter((part) => part !== "")
    .map(quoted)
    .join("/");

/** A kind of edit: its fields, and the line that they make. */
export interface EditKind {
  name: string;
  fields: readonly { name: string; label: string; choices?: readonly string[]; help?: string }[];
  line: (values: Readonly<Record<string, string>>) => string;
}

const of = (values: Readonly<Record<string, string>>, name: string) => (values[name] ?? "").trim();
const name = (values: Readonly<Record<string, string>>, field: string) => quoted(of(values, field));

const NODE = {
  name: "node",
  label: "Constraint",
  help: "INVESTOR/INSTRUMENT or INVESTOR/INSTRUMENT/NAME",
} as const;

export const EDIT_KINDS: readonly EditKind[] = [
  {
    name: "Option of the run",
    fields: [
      {
        name: "option",
        label: "Option",
        choices: [
          "price_mode",
          "switch_threshold",
          "scope",
          "min_status",
          "max_eligible_days",
          "max_trade_settle_days",
          "eligible_settle_buffer_days",
          "bx_price_floor",
          "exact_fit_variance",
          "max_fill_iterations",
        ],
      },
      { name: "value", label: "Value" },
    ],
    line: (values) => `${of(values, "option")}=${of(values, "value")}`,
  },
  {
    name: "Constraint",
    fields: [
      NODE,
      { name: "column", label: "What", choices: ["hi_limit", "lo_limit", "constraint_priority"] },
      { name: "value", label: "Value", help: "Empty: none" },
    ],
    line: (values) =>
      `constraint:${of(values, "node")}:${of(values, "column")}=${of(values, "value")}`,
  },
  {
    name: "Rule",
    fields: [
      { name: "rule", label: "Rule" },
      { name: "value", label: "A loan meets it if" },
    ],
    line: (values) => `rule:${name(values, "rule")}=${of(values, "value")}`,
  },
  {
    name: "Trade",
    fields: [
      { name: "trade", label: "Trade" },
      {
        name: "column",
        label: "What",
        choices: ["amount", "tolerance", "price", "date", "in", "out"],
      },
      { name: "value", label: "Value", help: "Not for in and out" },
    ],
    line: (values) => {
      const column = of(values, "column");
      return column === "in" || column === "out"
        ? `trade:${name(values, "trade")}=${column}`
        : `trade:${name(values, "trade")}:${column}=${of(values, "value")}`;
    },
  },
  {
    name: "Prices of the grid",
    fields: [
      { name: "instrument", label: "Instrument", help: "Empty: all" },
      { name: "shift", label: "32nds", help: "As +4 or −1.5" },
    ],
    line: (values) => {
      const shift = of(values, "shift").replace("−", "-");
      const instrument = name(values, "instrument");
      const signed = /^[+-]/.test(shift) ? shift : `+${shift}`;
      return `prices${instrument === "" ? "" : `:${instrument}`}=${signed}/32`;
    },
  },
  {
    name: "Carry",
    fields: [
      { name: "instrument", label: "Instrument" },
      { name: "value", label: "Annual rate, percent" },
    ],
    line: (values) => `carry:${name(values, "instrument")}=${of(values, "value")}`,
  },
  {
    name: "Loan out",
    fields: [{ name: "loan", label: "Loan" }],
    line: (values) => `loan:${name(values, "loan")}=out`,
  },
  {
    name: "Pool locked or open",
    fields: [
      { name: "pool", label: "Pool" },
      { name: "value", label: "Locked", choices: ["Y", "N"] },
    ],
    line: (values) => `lockdown:${name(values, "pool")}=${of(values, "value")}`,
  },
  {
    name: "A line as the command takes it",
    fields: [{ name: "line", label: "Edit", help: "As powerfill try --set takes it" }],
    line: (values) => of(values, "line"),
  },
];
