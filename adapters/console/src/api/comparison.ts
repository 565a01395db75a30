import { PATHS } from "../generated/paths";
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

/** Whether the service drafts mappings, classifies, and returns the first differing rows alone. */
export const CLASSIFIES = PATHS.includes("/api/powerfill/runs/{run_id}/export-mapping");

const EXPLAINED = 2_000;
/** The differing rows of a table that a page can list. */
const ROWS = 500;

export const compareRuns = async (runId: string, against: string) =>
  (await answer(
    api.POST("/api/powerfill/runs/{run_id}/comparisons", {
      params: { path: { run_id: runId } },
      body: { against, explain: EXPLAINED, ...(CLASSIFIES ? { rows: ROWS } : {}) },
    }),
  )) as Job;

/** An export of another system, and how it is read and judged. */
export interface Export {
  files: readonly File[];
  mapping: string;
  classifications: string;
}

function formOf({ files, mapping, classifications }: Export): FormData {
  const form = new FormData();
  if (mapping.trim() !== "") form.append("mapping", mapping);
  if (classifications.trim() !== "") form.append("classifications", classifications);
  form.append("explain", String(EXPLAINED));
  if (CLASSIFIES) form.append("rows", String(ROWS));
  for (const file of files) form.append("file", file, file.name);
  return form;
}

/** The browser writes the form and its boundary. */
const asForm = (form: unknown) => form as FormData;

export const compareExport = async (runId: string, sent: Export) =>
  (await answer(
    api.POST("/api/powerfill/runs/{run_id}/export-comparisons", {
      params: { path: { run_id: runId } },
      body: formOf(sent) as never,
      bodySerializer: asForm,
    }),
  )) as Job;

export const draftMapping = async (runId: string, files: readonly File[]) =>
  (await answer(
    api.POST("/api/powerfill/runs/{run_id}/export-mapping", {
      params: { path: { run_id: runId } },
      body: formOf({ files, mapping: "", classifications: "" }) as never,
      bodySerializer: asForm,
    }),
  )) as { mapping: string };
