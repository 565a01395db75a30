import { queryOptions } from "@tanstack/react-query";
import { REPORTS } from "../generated/reports";
import { answer, answerWithHeaders, api, linkTo } from "./client";
import type { Report, Row } from "./reports";

export type ReportName = keyof typeof REPORTS;

export const isReport = (name: string): name is ReportName => Object.hasOwn(REPORTS, name);
export const reportOf = (name: ReportName): Report => REPORTS[name];

/** What a table shows: `where` has conditions as the API spells them, such as "price.ge=99". */
export interface View {
  sort?: string;
  where: readonly string[];
}

export interface RowPage {
  rows: Row[];
  next: string | null;
  total: number | null;
}

/** The parameters of a request; a column may be there several times. */
export function parameters(view: View, more: Record<string, string>): URLSearchParams {
  const query = new URLSearchParams(more);
  if (view.sort) query.set("sort", view.sort);
  for (const condition of view.where) {
    const at = condition.indexOf("=");
    if (at > 0) query.append(condition.slice(0, at), condition.slice(at + 1));
  }
  return query;
}

// Every report has these parameters; the filters are those of its columns.
const pathOf = (report: ReportName) =>
  `/api/powerfill/runs/{run_id}/${report}` as "/api/powerfill/runs/{run_id}/guide";

async function page(runId: string, report: ReportName, query: URLSearchParams) {
  const { data, headers } = await answerWithHeaders(
    api.GET(pathOf(report), {
      params: { path: { run_id: runId } },
      querySerializer: () => query.toString(),
    }),
  );
  const body = data as { rows: Row[]; next?: string | null };
  const total = headers.get("X-Total-Count");
  return {
    rows: body.rows,
    next: body.next ?? null,
    total: total === null ? null : Number(total),
  };
}

/** Rows of a page: a page is shown within a moment, and a screen needs two at most. */
export const PAGE_ROWS = 500;

/** What is known of the pages of a view: where each begins, and how many rows are there so far. */
export interface KnownPages {
  cursors: readonly (string | null)[];
  rows: number;
  /** Whether the last page is known. */
  complete: boolean;
  total: number | null;
}

const NONE: KnownPages = { cursors: [null], rows: 0, complete: false, total: null };
const known = new Map<string, KnownPages>();
const keyOf = (...of: [tenant: string, runId: string, report: ReportName, view: View]) =>
  JSON.stringify(of);

export const knownPages = (tenant: string, runId: string, report: ReportName, view: View) =>
  known.get(keyOf(tenant, runId, report, view)) ?? NONE;

/** What is known once a page is read: of pages that are read again, nothing new. */
export function withPage(pages: KnownPages, index: number, page: RowPage): KnownPages {
  if (index !== pages.cursors.length - 1 || pages.complete) return pages;
  return {
    cursors: page.next === null ? pages.cursors : [...pages.cursors, page.next],
    rows: index * PAGE_ROWS + page.rows.length,
    complete: page.next === null,
    total: page.total ?? pages.total,
  };
}

/** A page by its number. Those that left the screen are forgotten, and read again when needed. */
export const pageQuery = (
  tenant: string,
  runId: string,
  report: ReportName,
  view: View,
  index: number,
) =>
  queryOptions({
    queryKey: ["tenant", tenant, "run", runId, "rows", report, view, index],
    queryFn: async () => {
      const cursor = knownPages(tenant, runId, report, view).cursors[index] ?? null;
      const read = await page(
        runId,
        report,
        parameters(view, {
          limit: String(PAGE_ROWS),
          ...(cursor === null ? {} : { cursor }),
        }),
      );
      const pages = knownPages(tenant, runId, report, view);
      known.set(keyOf(tenant, runId, report, view), withPage(pages, index, read));
      return read.rows;
    },
    // A Complete run does not change.
    staleTime: Infinity,
    gcTime: 20_000,
  });

/** All rows of a view as CSV: the browser stores them as they come. */
export function csvLink(runId: string, report: ReportName, view: View): string {
  const path = `/runs/${encodeURIComponent(runId)}/${report}`;
  return linkTo(path, parameters(view, { format: "csv", whole: "true" }));
}

/** All rows of a view as a workbook, which the service refuses for very many rows. */
export async function workbookOf(runId: string, report: ReportName, view: View): Promise<Blob> {
  const query = parameters(view, { format: "xlsx" });
  const workbook: unknown = await answer(
    api.GET(pathOf(report), {
      params: { path: { run_id: runId } },
      querySerializer: () => query.toString(),
      parseAs: "blob",
    }),
  );
  return workbook as Blob;
}
