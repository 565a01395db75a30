import { keepPreviousData, useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import {
  csvLink,
  isReport,
  reportOf,
  rowsQuery,
  workbookOf,
  type ReportName,
  type View,
} from "../api/rows";
import { count, grouped, words } from "../format";
import { REPORTS } from "../generated/reports";
import { ProblemNotice, RequestState } from "../shell/Problem";
import { useTenant } from "../shell/tenant";
import { DataGrid } from "./DataGrid";
import { Filters } from "./Filters";
import { RunLinks } from "./RunLinks";

/** The reports in the order in which a desk reads them. */
const ORDER: ReportName[] = [
  "guide",
  "recap",
  "kickouts",
  "pool-candidates",
  "constraint-blocks",
  "switching",
  "existing-pool-disposition",
  "pooling-guide",
  "synthetic",
  "cash-trade-slotting",
  "trade-base",
  "value",
];
const NAMES: ReportName[] = [
  ...ORDER,
  ...Object.keys(REPORTS)
    .filter(isReport)
    .filter((name) => !ORDER.includes(name)),
];

function save(blob: Blob, name: string) {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}

function Downloads(props: { runId: string; report: ReportName; view: View }) {
  const { runId, report, view } = props;
  const workbook = useMutation({
    mutationFn: () => workbookOf(runId, report, view),
    onSuccess: (blob) => {
      save(blob, `${report}-${runId}.xlsx`);
    },
  });
  return (
    <>
      <a className="button" href={csvLink(runId, report, view)} download>
        CSV
      </a>
      <button
        type="button"
        className="button"
        disabled={workbook.isPending}
        onClick={() => {
          workbook.mutate();
        }}
      >
        {workbook.isPending ? "Is being made" : "XLSX"}
      </button>
      {workbook.isError && <ProblemNotice error={workbook.error} />}
    </>
  );
}

export function TablesPage() {
  const { runId, report } = useParams({ from: "/runs/$runId/tables/$report" });
  return (
    <RunLinks runId={runId}>
      <nav className="pills" aria-label="Tables of the run">
        {NAMES.map((name) => (
          <Link
            key={name}
            to="/runs/$runId/tables/$report"
            params={{ runId, report: name }}
            search={{}}
            activeProps={{ "aria-current": "page" }}
            activeOptions={{ includeSearch: false }}
          >
            {words(name.replace(/-/g, "_"))}
          </Link>
        ))}
      </nav>
      {isReport(report) ? (
        <ReportTable key={report} runId={runId} report={report} />
      ) : (
        <div className="notice">
          <strong>There is no such table</strong>
          <p>Choose one of those above.</p>
        </div>
      )}
    </RunLinks>
  );
}

function ReportTable({ runId, report }: { runId: string; report: ReportName }) {
  const tenant = useTenant();
  const search = useSearch({ from: "/runs/$runId/tables/$report" });
  const navigate = useNavigate({ from: "/runs/$runId/tables/$report" });
  const where = useMemo(() => search.where ?? [], [search.where]);
  const view = { sort: search.sort, where };
  const rows = useInfiniteQuery({
    ...rowsQuery(tenant.tenant_id, runId, report, view),
    placeholderData: keepPreviousData,
  });
  const loaded = useMemo(() => rows.data?.pages.flatMap((page) => page.rows) ?? [], [rows.data]);
  const { fetchNextPage } = rows;
  const onMore = useCallback(() => void fetchNextPage(), [fetchNextPage]);
  const { columns, says } = reportOf(report);
  const total = rows.data?.pages[0]?.total ?? null;
  const show = (change: { sort?: string; where?: string[] }) =>
    void navigate({ search: (before) => ({ ...before, ...change }), replace: true });
  return (
    <section className="card" aria-label={`Table ${report}`}>
      <div className="head">
        <p className="grow muted">
          {says.charAt(0).toUpperCase() + says.slice(1)}.{" "}
          <span role="status">
            {rows.data &&
              (total !== null
                ? count(total, "row")
                : rows.hasNextPage
                  ? `${grouped(loaded.length)} rows loaded, more below`
                  : count(loaded.length, "row"))}
          </span>
        </p>
        <div className="actions" role="group" aria-label="Download">
          <span className="muted">Download as</span>
          <Downloads runId={runId} report={report} view={view} />
        </div>
      </div>
      <Filters
        columns={columns}
        where={where}
        onChange={(next) => {
          show({ where: next.length > 0 ? next : undefined });
        }}
      />
      <RequestState of={rows} what="the table" />
      {rows.data && loaded.length === 0 && (
        <p className="empty">
          {where.length > 0 ? "No row fits the filters. Remove one." : "This table has no row."}
        </p>
      )}
      {loaded.length > 0 && (
        <DataGrid
          label={words(report.replace(/-/g, "_"))}
          columns={columns}
          rows={loaded}
          total={total ?? (rows.hasNextPage ? null : loaded.length)}
          more={rows.hasNextPage}
          loading={rows.isFetching}
          onMore={onMore}
          sort={search.sort}
          onSort={(sort) => {
            show({ sort });
          }}
        />
      )}
    </section>
  );
}
