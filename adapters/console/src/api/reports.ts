/** A column of a report, as the API describes it. */
export interface Column {
  readonly name: string;
  readonly kind: "text" | "integer" | "decimal" | "date";
  readonly places?: number;
}

/** A report of a run: one output table, or a part of one. */
export interface Report {
  readonly says: string;
  readonly columns: readonly Column[];
}

/** A cell as JSON has it: decimals are strings, so that no digit is lost. */
export type Cell = string | number | boolean | null;
export type Row = Readonly<Record<string, Cell>>;
