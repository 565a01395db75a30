import { flexRender, getCoreRowModel, useReactTable, type ColumnDef } from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef } from "react";
import type { Column, Row } from "../api/reports";
import { cellNode, columnName, columnWidth, isNumber } from "./cells";

const ROW = 33;

/** Rows under a virtual list: only those on the screen are elements; more are asked for near the end. */
export function DataGrid(props: {
  label: string;
  columns: readonly Column[];
  rows: Row[];
  total: number | null;
  more: boolean;
  loading: boolean;
  onMore: () => void;
  sort: string | undefined;
  onSort: (sort: string | undefined) => void;
}) {
  const { columns, rows, sort, onSort, more, loading, onMore } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const definitions = useMemo(
    () =>
      columns.map((column): ColumnDef<Row> => ({
        id: column.name,
        accessorFn: (row) => row[column.name],
        header: columnName(column.name),
        size: columnWidth(column),
        cell: ({ row }) => cellNode(column, row.original[column.name]),
      })),
    [columns],
  );
  const table = useReactTable({
    data: rows,
    columns: definitions,
    getCoreRowModel: getCoreRowModel(),
    manualSorting: true,
  });
  const model = table.getRowModel().rows;
  const virtual = useVirtualizer({
    count: model.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 12,
  });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? -1;
  useEffect(() => {
    if (more && !loading && last >= model.length - 100) onMore();
  }, [more, loading, last, model.length, onMore]);
  const width = table.getTotalSize();
  const kinds = new Map(columns.map((column) => [column.name, column]));
  const tone = (name: string) => {
    const column = kinds.get(name);
    return column && isNumber(column) ? "cell num" : "cell";
  };
  return (
    <div className="grid-scroll" ref={scroller} tabIndex={0} role="group" aria-label={props.label}>
      <div
        role="table"
        aria-label={props.label}
        aria-rowcount={props.total === null ? -1 : props.total + 1}
        aria-colcount={columns.length}
        style={{ width }}
      >
        <div role="rowgroup" className="grid-head">
          {table.getHeaderGroups().map((group) => (
            <div role="row" className="grid-row" aria-rowindex={1} key={group.id}>
              {group.headers.map((header) => {
                const name = header.column.id;
                const up = sort === name;
                const down = sort === `-${name}`;
                return (
                  <div
                    role="columnheader"
                    key={header.id}
                    className={tone(name)}
                    style={{ width: header.getSize() }}
                    aria-sort={up ? "ascending" : down ? "descending" : "none"}
                  >
                    <button
                      type="button"
                      className="sort"
                      title={name}
                      onClick={() => {
                        onSort(up ? `-${name}` : down ? undefined : name);
                      }}
                    >
                      {flexRender(header.column.columnDef.header, header.getContext())}
                      <span aria-hidden="true">{up ? " ▲" : down ? " ▼" : ""}</span>
                    </button>
                  </div>
                );
              })}
            </div>
          ))}
        </div>
        <div role="rowgroup" className="grid-body" style={{ height: virtual.getTotalSize() }}>
          {items.map((item) => {
            const row = model[item.index];
            return (
              row && (
                <div
                  role="row"
                  className="grid-row"
                  key={row.id}
                  aria-rowindex={item.index + 2}
                  style={{ transform: `translateY(${String(item.start)}px)` }}
                >
                  {row.getVisibleCells().map((cell) => (
                    <div
                      role="cell"
                      key={cell.id}
                      className={tone(cell.column.id)}
                      style={{ width: cell.column.getSize() }}
                    >
                      {flexRender(cell.column.columnDef.cell, cell.getContext())}
                    </div>
                  ))}
                </div>
              )
            );
          })}
        </div>
      </div>
    </div>
  );
}
