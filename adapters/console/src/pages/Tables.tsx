import { useMutation, useQueries } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo, useState } from "react";
import type { Column } from "../api/reports";
import {
  csvLink,
  isReport,
  knownPages,
  lastPage,
  PAGE_ROWS,
  pageQuery,
  reportOf,
  workbookOf,
  type ReportName,
  type View,
} from "../api/rows";
import { grouped, words } from "../format";
import { REPORTS } from "../generated/reports";
import { saveAs } from "../save";
import { Loading, ProblemNotice, RequestState } from "../shell/Problem";
import { useTenant } from "../shell/tenant";
import { columnName } from "./cells";
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

function Downloads(props: { runId: string; report: ReportName; view: View }) {
  const { runId, report, view } = props;
  const workbook = useMutation({
    mutationFn: () => workbookOf(runId, report, view),
    onSuccess: (blob) => {
      saveAs(blob, `${report}-${runId}.xlsx`);
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

/** The columns of a table, of which some may be hidden. */
function Columns(props: {
  columns: readonly Column[];
  hidden: readonly string[];
  onHide: (hidden: string[]) => void;
}) {
  const { columns, hidden, onHide } = props;
  return (
    <details>
      <summary>Columns{hidden.length > 0 && `, ${grouped(hidden.length)} of them hidden`}</summary>
      <fieldset className="choices row">
        <legend className="visually-hidden">Columns that are shown</legend>
        {columns.map(({ name }) => (
          <label className="check" key={name}>
            <input
              type="checkbox"
              checked={!hidden.includes(name)}
              disabled={!hidden.includes(name) && hidden.length === columns.length - 1}
              onChange={(event) => {
                onHide(
                  event.target.checked
                    ? hidden.filter((other) => other !== name)
                    : [...hidden, name],
                );
              }}
            />
            {columnName(name)}
          </label>
        ))}
      </fieldset>
    </details>
  );
}

function ReportTable({ runId, report }: { runId: string; report: ReportName }) {
  const search = useSearch({ from: "/runs/$runId/tables/$report" });
  const navigate = useNavigate({ from: "/runs/$runId/tables/$report" });
  const where = useMemo(() => search.where ?? [], [search.where]);
  const view = useMemo(() => ({ sort: search.sort, where }), [search.sort, where]);
  const hidden = search.hide ?? [];
  const { columns, says } = reportOf(report);
  const show = (change: { sort?: string; where?: string[]; hide?: string[] }) =>
    void navigate({ search: (before) => ({ ...before, ...change }), replace: true });
  const some = (list: string[]) => (list.length > 0 ? list : undefined);
  return (
    <section className="card" aria-label={`Table ${report}`}>
      <div className="head">
        <p className="grow muted">{says.charAt(0).toUpperCase() + says.slice(1)}.</p>
        <div className="actions" role="group" aria-label="Download">
          <span className="muted">Download as</span>
          <Downloads runId={runId} report={report} view={view} />
        </div>
      </div>
      <Filters
        columns={columns}
        where={where}
        onChange={(next) => {
          show({ where: some(next) });
        }}
      />
      <Columns
        columns={columns}
        hidden={hidden}
        onHide={(next) => {
          show({ hide: some(next) });
        }}
      />
      <Rows
        key={JSON.stringify(view)}
        runId={runId}
        report={report}
        view={view}
        hidden={hidden}
        onSort={(sort) => {
          show({ sort });
        }}
      />
    </section>
  );
}

/** The pages that the screen needs, and how many rows are known. */
function useRows(runId: string, report: ReportName, view: View) {
  const tenant = useTenant();
  const [[first, last], setShown] = useState<[number, number]>([0, 0]);
  const of = [tenant.tenant_id, runId, report, view] as const;
  const pages = knownPages(...of);
  const wanted: number[] = [];
  for (let page = first; page <= Math.min(last, lastPage(pages)); page++) {
    wanted.push(page);
  }
  const queries = useQueries({ queries: wanted.map((page) => pageQuery(...of, page)) });
  const read = new Map(wanted.map((page, at) => [page, queries[at]?.data]));
  const onShow = useCallback((row: number, to: number) => {
    // A screen ahead, so that the rows are there when they are scrolled to.
    const next = [Math.floor(row / PAGE_ROWS), Math.floor((to + 150) / PAGE_ROWS)] as const;
    setShown((before) => (before[0] === next[0] && before[1] === next[1] ? before : [...next]));
  }, []);
  return {
    // With the page that was read last.
    pages: knownPages(...of),
    failed: queries.find((query) => query.isError),
    rowAt: (index: number) => read.get(Math.floor(index / PAGE_ROWS))?.[index % PAGE_ROWS],
    onShow,
  };
}

function Rows(props: {
  runId: string;
  report: ReportName;
  view: View;
  hidden: readonly string[];
  onSort: (sort: string | undefined) => void;
}) {
  const { report, view } = props;
  const { pages, failed, rowAt, onShow } = useRows(props.runId, report, view);
  const { columns } = reportOf(report);
  const hidden = props.hidden.join();
  const shown = useMemo(
    () => columns.filter(({ name }) => !hidden.split(",").includes(name)),
    [columns, hidden],
  );
  if (failed) return <RequestState of={failed} what="the table" />;
  const isRead = pages.rows > 0 || pages.complete;
  const total = pages.total ?? (pages.complete ? pages.rows : null);
  if (!isRead) return <Loading what="the table" />;
  if (pages.rows === 0) {
    return (
      <p className="empty">
        {view.where.length > 0 ? "No row fits the filters. Remove one." : "This table has no row."}
      </p>
    );
  }
  return (
    <DataGrid
      label={words(report.replace(/-/g, "_"))}
      columns={shown}
      count={total ?? pages.rows}
      total={total}
      rowAt={rowAt}
      onShow={onShow}
      sort={view.sort}
      onSort={props.onSort}
    />
  );
}
