import { answer, api } from "./client";
import type { Job } from "./jobs";

/** The members of a comparison that the pages show (specification 3.4). */
export type Place =
  | { place: "allocated" | "pinned"; trade_id?: string | null; pool_name?: string | null }
  | { place: "kicked_out"; reason: string }
  | { place: "no_part" | "undecided" };

export interface LoanPath {
  loan_id: string;
  loan_amount: string | null;
  here: Place;
  there: Place;
  parted: { pass: string; turn: number; what: string } | null;
  because: string | null;
}

export interface RowDifference {
  key: string[];
  verdict: "other_numbers" | "other_decision" | "only_here" | "only_there";
  cells: { column: string; here: unknown; there: unknown; decision: boolean }[];
  class: string | null;
  note: string;
  pending: boolean;
}

export interface TableComparison {
  table: string;
  key: string[];
  rows_here: number;
  rows_there: number;
  counts: Record<"same" | RowDifference["verdict"], number>;
  differences: RowDifference[];
}

export interface Comparison {
  answer: "same" | "different" | "incomparable";
  same: number;
  differences: number;
  classified: {
    classes: Record<string, number>;
    unclassified: number;
    pending: number;
    stale: unknown[];
  };
  incomparable: { message: string }[];
  tables: TableComparison[];
  loans_parted: number;
  loans: LoanPath[];
  /** The classifications with an entry for each difference that has none. */
  proposed_classifications?: string | null;
}

const EXPLAINED = 2_000;
/** The differing rows of a table that a page can list. */
const ROWS = 500;

export const compareRuns = async (runId: string, against: string) =>
  (await answer(
    api.POST("/api/powerfill/runs/{run_id}/comparisons", {
      params: { path: { run_id: runId } },
      body: { against, explain: EXPLAINED, rows: ROWS },
    }),
  )) as Job;

/** An export of another system, and how it is read and judged. */
export interface Export {
  files: readonly File[];
  mapping: string;
  classifications: string;
}

function formOf(files: readonly File[], parts: Record<string, string> = {}): FormData {
  const form = new FormData();
  for (const [name, text] of Object.entries(parts)) {
    if (text.trim() !== "") form.append(name, text);
  }
  for (const file of files) form.append("file", file, file.name);
  return form;
}

/** The browser writes the form and its boundary. */
const asForm = (form: unknown) => form as FormData;

export const compareExport = async (runId: string, { files, ...texts }: Export) =>
  (await answer(
    api.POST("/api/powerfill/runs/{run_id}/export-comparisons", {
      params: { path: { run_id: runId } },
      body: formOf(files, {
        ...texts,
        explain: String(EXPLAINED),
        rows: String(ROWS),
      }) as never,
      bodySerializer: asForm,
    }),
  )) as Job;

export const draftMapping = (runId: string, files: readonly File[]) =>
  answer(
    api.POST("/api/powerfill/runs/{run_id}/export-mapping", {
      params: { path: { run_id: runId } },
      body: formOf(files) as never,
      bodySerializer: asForm,
    }),
  );
