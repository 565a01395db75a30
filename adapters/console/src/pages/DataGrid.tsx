import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, useLayoutEffect, useRef, useState, type KeyboardEvent } from "react";
import type { Column, Row } from "../api/reports";
import { grouped, count as rows } from "../format";
import { cellNode, columnName, columnWidth, isNumber } from "./cells";
import { FAR, MOST_ROWS, windowAt, windowStep } from "./rowWindow";

const ROW = 33;
const OVERSCAN = 10;

/** How long the scroll bar rests, in ms, before the rows at its place are asked for. */
const REST = 60;

const tone = (column: Column) => (isNumber(column) ? "cell num" : "cell");

/** A row stays as it is while others scroll in and out. */
const GridRow = memo(function GridRow(props: {
  columns: readonly Column[];
  row: Row | undefined;
  index: number;
  start: number;
}) {
  return (
    <div
      role="row"
      className="grid-row"
      aria-rowindex={props.index + 2}
      style={{ transform: `translateY(${String(props.start)}px)` }}
    >
      {props.columns.map((column) => (
        <div
          role="cell"
          key={column.name}
          className={tone(column)}
          style={{ width: columnWidth(column) }}
        >
          {props.row ? cellNode(column, props.row[column.name]) : "…"}
        </div>
      ))}
    </div>
  );
});

/** Rows under a virtual list: only those on the screen are elements, and only their pages are asked for. */
export function DataGrid(props: {
  label: string;
  columns: readonly Column[];
  count: number;
  total: number | null;
  rowAt: (index: number) => Row | undefined;
  onShow: (first: number, last: number) => void;
  sort: string | undefined;
  onSort: (sort: string | undefined) => void;
}) {
  const { columns, sort, onSort, onShow } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const [start, setStart] = useState(0);
  const virtual = useVirtualizer({
    count: Math.min(props.count - start, MOST_ROWS),
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: OVERSCAN,
  });
  const items = virtual.getVirtualItems();
  const first = items[0]?.index ?? 0;
  const last = items.at(-1)?.index ?? 0;
  const { count } = props;
  const before = useRef(0);
  const isFar = useRef(false);
  // Before anything is drawn: no screen has the rows of another place.
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const { scrollTop } = element;
    const way = Math.abs(scrollTop - before.current);
    before.current = scrollTop;
    if (way > FAR) {
      isFar.current = true;
      const next = windowAt(scrollTop / (element.scrollHeight - element.clientHeight), count);
      if (next !== start) {
        setStart(next);
        return;
      }
    }
    // The list still has the rows from before while the window moves.
    const top = Math.max(0, Math.floor(scrollTop / ROW) - OVERSCAN);
    const end = top + last - first;
    const step = windowStep(start, top, end, count);
    if (step !== 0) {
      setStart(start + step);
      element.scrollTop -= step * ROW;
      before.current = element.scrollTop;
      return;
    }
    if (!isFar.current) {
      onShow(start + top, start + end);
      return;
    }
    const show = setTimeout(() => {
      isFar.current = false;
      onShow(start + top, start + end);
    }, REST);
    return () => {
      clearTimeout(show);
    };
  }, [start, first, last, count, onShow]);
  /** The ends of the table, at once: the browser would go to those of the window, and slowly. */
  const onKey = (event: KeyboardEvent) => {
    const element = scroller.current;
    const isEnd = event.key === "End";
    if (element === null || (!isEnd && event.key !== "Home")) return;
    event.preventDefault();
    setStart(windowAt(isEnd ? 1 : 0, count));
    element.scrollTop = isEnd ? element.scrollHeight : 0;
    before.current = element.scrollTop;
  };
  const width = columns.reduce((sum, column) => sum + columnWidth(column), 0);
  const seen = virtual.range;
  return (
    <>
      <p className="muted">
        <span role="status">
          {props.total === null
            ? `${grouped(count)} rows so far, more below`
            : rows(props.total, "row")}
        </span>
        {seen &&
          `, ${grouped(start + seen.startIndex + 1)} to ${grouped(start + seen.endIndex + 1)} on the screen`}
      </p>
      <p className="print-only">
        These are the rows on the screen. All rows are in the file that the page offers to download.
      </p>
      <div
        className="grid-scroll"
        ref={scroller}
        tabIndex={0}
        role="group"
        aria-label={props.label}
        onKeyDown={onKey}
      >
        <div
          role="table"
          aria-label={props.label}
          aria-rowcount={props.total === null ? -1 : props.total + 1}
          aria-colcount={columns.length}
          style={{ width }}
        >
          <div role="rowgroup" className="grid-head">
            <div role="row" className="grid-row" aria-rowindex={1}>
              {columns.map((column) => {
                const up = sort === column.name;
                const down = sort === `-${column.name}`;
                return (
                  <div
                    role="columnheader"
                    key={column.name}
                    className={tone(column)}
                    style={{ width: columnWidth(column) }}
                    aria-sort={up ? "ascending" : down ? "descending" : "none"}
                  >
                    <button
                      type="button"
                      className="sort"
                      title={column.name}
                      onClick={() => {
                        onSort(up ? `-${column.name}` : down ? undefined : column.name);
                      }}
                    >
                      {columnName(column.name)}
                      <span aria-hidden="true">{up ? " ▲" : down ? " ▼" : ""}</span>
                    </button>
                  </div>
                );
              })}
            </div>
          </div>
          <div role="rowgroup" className="grid-body" style={{ height: virtual.getTotalSize() }}>
            {items.map((item) => (
              <GridRow
                key={item.key}
                columns={columns}
                row={props.rowAt(start + item.index)}
                index={start + item.index}
                start={item.start}
              />
            ))}
          </div>
        </div>
      </div>
    </>
  );
}
