import { keepPreviousData, useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo, useState } from "react";
import { csvOf, isReport, reportOf, rowsQuery, type ReportName } from "../api/rows";
import { count, grouped, words } from "../format";
import { REPORTS } from "../generated/reports";
import { Loading, ProblemNotice } from "../shell/Problem";
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

function Download(props: { runId: string; report: ReportName; sort?: string; where: string[] }) {
  const { runId, report, sort, where } = props;
  const [rows, setRows] = useState(0);
  const download = useMutation({
    mutationFn: () => csvOf(runId, report, { sort, where }, setRows),
    onSuccess: (blob) => {
      save(blob, `${report}-${runId}.csv`);
    },
  });
  return (
    <>
      <button
        type="button"
        className="button"
        disabled={download.isPending}
        onClick={() => {
          setRows(0);
          download.mutate();
        }}
      >
        {download.isPending ? `Loading, ${grouped(rows)} rows` : "Download as CSV"}
      </button>
      {download.isError && <ProblemNotice error={download.error} />}
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
  const rows = useInfiniteQuery({
    ...rowsQuery(tenant.tenant_id, runId, report, { sort: search.sort, where }),
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
        <div className="actions">
          <Download runId={runId} report={report} sort={search.sort} where={where} />
        </div>
      </div>
      <Filters
        columns={columns}
        where={where}
        onChange={(next) => {
          show({ where: next.length > 0 ? next : undefined });
        }}
      />
      {rows.isPending && <Loading what="the table" />}
      {rows.isError && <ProblemNotice error={rows.error} retry={() => void rows.refetch()} />}
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
