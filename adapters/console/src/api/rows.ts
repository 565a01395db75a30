import { infiniteQueryOptions } from "@tanstack/react-query";
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

export const rowsQuery = (tenant: string, runId: string, report: ReportName, view: View) =>
  infiniteQueryOptions({
    queryKey: ["tenant", tenant, "run", runId, "rows", report, view],
    queryFn: ({ pageParam }): Promise<RowPage> =>
      page(
        runId,
        report,
        parameters(view, { limit: "500", ...(pageParam === null ? {} : { cursor: pageParam }) }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    // A Complete run does not change.
    staleTime: Infinity,
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
