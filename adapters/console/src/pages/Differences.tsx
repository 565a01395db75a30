import { useState } from "react";
import type {
  Comparison,
  LoanPath,
  Place,
  RowDifference,
  TableComparison,
} from "../api/comparison";
import { count, dollars, grouped, words } from "../format";
import { Card } from "../parts/Card";
import { LoanId, TradeId } from "../parts/links";
import { ShowAll, useFirst } from "../parts/ShowAll";
import { num, Table } from "../parts/Table";

/** The names of both sides. */
type Sides = readonly [here: string, there: string];

function PlaceOf({ place }: { place: Place }) {
  switch (place.place) {
    case "allocated":
    case "pinned":
      return (
        <>
          {place.place === "pinned" && "stays in "}
          {place.trade_id ? <TradeId id={place.trade_id} /> : (place.pool_name ?? "its pool")}
        </>
      );
    case "kicked_out":
      return <>kicked out: {words(place.reason).toLowerCase()}</>;
    default:
      return <>{words(place.place).toLowerCase()}</>;
  }
}

type Kind = "all" | "out_here" | "out_there" | "moved";

const isOfKind = (kind: Kind, { here, there }: LoanPath): boolean => {
  const [isOutHere, isOutThere] = [here.place === "kicked_out", there.place === "kicked_out"];
  switch (kind) {
    case "all":
      return true;
    case "out_here":
      return isOutHere;
    case "out_there":
      return isOutThere;
    case "moved":
      return !isOutHere && !isOutThere;
  }
};

/** One entry per loan whose decision differs, with the reason in a sentence. */
function Loans({ comparison, sides }: { comparison: Comparison; sides: Sides }) {
  const [kind, setKind] = useState<Kind>("all");
  const [find, setFind] = useState("");
  const fits = comparison.loans.filter(
    (path) => isOfKind(kind, path) && path.loan_id.toLowerCase().includes(find.toLowerCase()),
  );
  const loans = useFirst(fits, 30);
  if (comparison.loans_parted === 0) {
    return <p className="empty">Each loan has the same place on both sides.</p>;
  }
  return (
    <>
      <div className="row">
        <label className="field">
          <span className="label">Show</span>
          <select
            value={kind}
            onChange={(event) => {
              setKind(event.target.value as Kind);
            }}
          >
            <option value="all">Every loan</option>
            <option value="out_here">Kicked out {sides[0].toLowerCase()}</option>
            <option value="out_there">Kicked out {sides[1].toLowerCase()}</option>
            <option value="moved">In another trade</option>
          </select>
        </label>
        <label className="field">
          <span className="label">Loan</span>
          <input
            type="search"
            value={find}
            spellCheck={false}
            onChange={(event) => {
              setFind(event.target.value);
            }}
          />
        </label>
        <span className="muted low" role="status">
          {count(fits.length, "loan")}
          {comparison.loans.length < comparison.loans_parted &&
            ` of the first ${grouped(comparison.loans.length)}; ${grouped(comparison.loans_parted)} differ in all`}
        </span>
      </div>
      {fits.length > 0 && (
        <Table
          label="Loans with another decision"
          heads={["Loan", num("Dollars"), ...sides, "Why"]}
        >
          <tbody>
            {loans.shown.map((path) => (
              <tr key={path.loan_id}>
                <th scope="row">
                  <LoanId id={path.loan_id} />
                </th>
                <td className="num">{path.loan_amount ? dollars(path.loan_amount) : ""}</td>
                <td>
                  <PlaceOf place={path.here} />
                </td>
                <td>
                  <PlaceOf place={path.there} />
                </td>
                <td className="text-cell">{path.because ?? path.parted?.what ?? ""}</td>
              </tr>
            ))}
          </tbody>
        </Table>
      )}
      <ShowAll of={loans} text={`Show all ${grouped(fits.length)}`} />
    </>
  );
}

const cell = (value: unknown) =>
  value === null || value === undefined
    ? "none"
    : typeof value === "string"
      ? value
      : JSON.stringify(value);

function Rows({ table, sides }: { table: TableComparison; sides: Sides }) {
  const rows = useFirst(table.differences, 30);
  const all = Object.entries(table.counts).reduce(
    (sum, [name, number]) => (name === "same" ? sum : sum + number),
    0,
  );
  const verdicts: Record<RowDifference["verdict"], string> = {
    other_decision: "another decision",
    other_numbers: "other numbers",
    only_here: `only ${sides[0].toLowerCase()}`,
    only_there: `only ${sides[1].toLowerCase()}`,
  };
  return (
    <>
      <Table
        label={`Differing rows of ${table.table}`}
        heads={[...table.key.map(words), "How", "What differs", "Class"]}
        caption={
          table.differences.length < all
            ? `The first ${grouped(table.differences.length)} of ${grouped(all)}`
            : count(all, "row")
        }
      >
        <tbody>
          {rows.shown.map((row) => (
            <tr key={row.key.join("\n")}>
              {row.key.map((part, index) => (
                <td key={index}>
                  {table.key[index] === "loan_id" ? (
                    <LoanId id={part} />
                  ) : table.key[index] === "trade_id" ? (
                    <TradeId id={part} />
                  ) : (
                    part
                  )}
                </td>
              ))}
              <td className="nowrap">{verdicts[row.verdict]}</td>
              <td className="text-cell small">
                {row.cells.map(({ column, here, there }) => (
                  <div key={column}>
                    {words(column)}:{" "}
                    {row.verdict === "only_here"
                      ? cell(here)
                      : row.verdict === "only_there"
                        ? cell(there)
                        : `${cell(here)} to ${cell(there)}`}
                  </div>
                ))}
              </td>
              <td>
                {row.class && <span className="badge">{words(row.class)}</span>}
                {row.pending && <span className="badge warn">to fill in</span>}
                {row.note && <div className="muted small">{row.note}</div>}
              </td>
            </tr>
          ))}
        </tbody>
      </Table>
      <ShowAll of={rows} text={`Show all ${grouped(table.differences.length)}`} />
    </>
  );
}

const NAMES: Record<string, string> = {
  pfill_kickout_guide_01: "Kickouts",
  pfill_trade_recap: "Recap of trades",
  pfill_powerfill_guide: "Guide",
  pfill_pool_guide: "Pooling guide",
};
const FIRST = ["pfill_kickout_guide_01", "pfill_trade_recap", "pfill_powerfill_guide"];

function Tables({ comparison, sides }: { comparison: Comparison; sides: Sides }) {
  const [here, there] = [sides[0].toLowerCase(), sides[1].toLowerCase()];
  const differing = comparison.tables.filter((table) => table.differences.length > 0);
  const [chosen, setChosen] = useState<string | null>(null);
  const table =
    differing.find((other) => other.table === chosen) ??
    FIRST.flatMap((name) => differing.find((other) => other.table === name) ?? [])[0] ??
    differing[0];
  return (
    <>
      <Table
        label="Tables of both sides"
        heads={[
          "Table",
          num(`Rows ${here}`),
          num(`Rows ${there}`),
          num("Same"),
          num("Another decision"),
          num("Other numbers"),
          num(`Only ${here}`),
          num(`Only ${there}`),
        ]}
      >
        <tbody>
          {comparison.tables.map(({ table, rows_here, rows_there, counts }) => (
            <tr key={table}>
              <th scope="row">{NAMES[table] ?? words(table.replace(/^pfill_/, ""))}</th>
              <td className="num">{grouped(rows_here)}</td>
              <td className="num">{grouped(rows_there)}</td>
              <td className="num">{grouped(counts.same)}</td>
              {(["other_decision", "other_numbers", "only_here", "only_there"] as const).map(
                (verdict) => (
                  <td className="num" key={verdict}>
                    {counts[verdict] === 0 ? "" : grouped(counts[verdict])}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </Table>
      {table && (
        <>
          <label className="field narrow">
            <span className="label">Differing rows of</span>
            <select
              value={table.table}
              onChange={(event) => {
                setChosen(event.target.value);
              }}
            >
              {differing.map((other) => (
                <option key={other.table} value={other.table}>
                  {NAMES[other.table] ?? words(other.table.replace(/^pfill_/, ""))}
                </option>
              ))}
            </select>
          </label>
          <Rows key={table.table} table={table} sides={sides} />
        </>
      )}
    </>
  );
}

const ANSWERS = {
  same: ["good", "Nothing is left to explain"],
  different: ["warn", "They differ"],
  incomparable: ["bad", "They cannot be compared"],
} as const;

/** A comparison, loan by loan and table by table. */
export function Differences(props: { comparison: Comparison; sides: Sides }) {
  const { comparison, sides } = props;
  const { classified } = comparison;
  const [tone, title] = ANSWERS[comparison.answer];
  return (
    <>
      <div className={`notice ${tone}`} role="status">
        <strong>{title}</strong>
        {comparison.incomparable.map(({ message }, index) => (
          <p key={index}>{message}</p>
        ))}
        <p>
          {count(comparison.same, "row")} {comparison.same === 1 ? "is" : "are"} the same,{" "}
          {grouped(comparison.differences)} differ
          {Object.keys(classified.classes).length > 0 &&
            `; ${Object.entries(classified.classes)
              .map(([name, number]) => `${grouped(number)} ${words(name).toLowerCase()}`)
              .join(", ")}, ${grouped(classified.unclassified)} without a class`}
          .
        </p>
      </div>
      <Card title="Loan by loan" long>
        <Loans comparison={comparison} sides={sides} />
      </Card>
      <Card title="Table by table" long>
        <Tables comparison={comparison} sides={sides} />
      </Card>
    </>
  );
}
