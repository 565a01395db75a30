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

async function page(
  runId: string,
  report: ReportName,
  query: URLSearchParams,
  signal: AbortSignal,
) {
  const { data, headers } = await answerWithHeaders(
    api.GET(pathOf(report), {
      params: { path: { run_id: runId } },
      querySerializer: () => query.toString(),
      signal,
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

/** What is known of the pages of a view. */
export interface KnownPages {
  /** Where a page begins that follows one that was read. */
  cursors: ReadonlyMap<number, string>;
  /** How many rows are there so far. */
  rows: number;
  /** Whether the last page is known. */
  complete: boolean;
  /** All rows, if the service says it: then every page can be read, and not only the next one. */
  total: number | null;
}

export const NO_PAGES: KnownPages = { cursors: new Map(), rows: 0, complete: false, total: null };
const known = new Map<string, KnownPages>();
const keyOf = (...of: [tenant: string, runId: string, report: ReportName, view: View]) =>
  JSON.stringify(of);

export const knownPages = (tenant: string, runId: string, report: ReportName, view: View) =>
  known.get(keyOf(tenant, runId, report, view)) ?? NO_PAGES;

/** What is known once a page is read. */
export function withPage(pages: KnownPages, index: number, page: RowPage): KnownPages {
  return {
    cursors: page.next === null ? pages.cursors : new Map(pages.cursors).set(index + 1, page.next),
    rows: Math.max(pages.rows, index * PAGE_ROWS + page.rows.length),
    complete: pages.complete || page.next === null,
    total: page.total ?? pages.total,
  };
}

/** The last page that can be read: of all, or the one after those that were read. */
export const lastPage = (pages: KnownPages): number =>
  pages.total === null ? pages.cursors.size : Math.max(0, Math.ceil(pages.total / PAGE_ROWS) - 1);

/** Where a page begins, as a parameter: at a cursor, or else at its first row. */
export function beginOf(pages: KnownPages, index: number): Record<string, string> {
  const cursor = pages.cursors.get(index);
  if (cursor !== undefined) return { cursor };
  return index === 0 ? {} : { offset: String(index * PAGE_ROWS) };
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
    // The request of a page that was scrolled past is given up.
    queryFn: async ({ signal }) => {
      const begin = beginOf(knownPages(tenant, runId, report, view), index);
      const read = await page(
        runId,
        report,
        parameters(view, { limit: String(PAGE_ROWS), ...begin }),
        signal,
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
