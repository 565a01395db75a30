import { Fragment, type ReactNode } from "react";
import type { Brief, BriefHead, BriefTrade, LoanChangeGroup, TableChange } from "../api/brief";
import { count, dollars, grouped, moment, shortDollars, words } from "../format";
import { bridgeSteps, BRIDGE } from "./bridge";
import { Card } from "./Card";
import { LoanId, RunLink, TradeId } from "./links";
import { ShowAll, useFirst } from "./ShowAll";
import { num, Table } from "./Table";
import { FillStatusBadge } from "./TradeBars";
import { Waterfall } from "./Waterfall";

const GROUPS = {
  moved: "Loans in another trade",
  newly_kicked_out: "Loans that lost their place",
  rescued: "Loans that got a place",
  new: "New loans",
  gone: "Loans that are gone",
} as const;

function LoanGroup({ title, group }: { title: string; group: LoanChangeGroup }) {
  const loans = useFirst(group.listed, 10);
  const { shown } = loans;
  return (
    <Card
      title={title}
      aside={
        <span className="muted">
          {count(group.loans, "loan")}, {shortDollars(group.loan_amount)}
        </span>
      }
    >
      {group.listed.length === 0 ? (
        <p className="muted">None.</p>
      ) : (
        <Table label={title} heads={["Loan", "From", "To", num("Dollars"), num("Value")]}>
          <tbody>
            {shown.map((loan) => (
              <tr key={loan.loan_id}>
                <th scope="row">
                  <LoanId id={loan.loan_id} />
                </th>
                <td>{loan.from_trade_id && <TradeId id={loan.from_trade_id} />}</td>
                <td>
                  {loan.to_trade_id && <TradeId id={loan.to_trade_id} />}
                  {loan.reason && <span className="muted">{words(loan.reason)}</span>}
                </td>
                <td className="num">{dollars(loan.loan_amount)}</td>
                <td className="num">{dollars(loan.value_amount)}</td>
              </tr>
            ))}
          </tbody>
        </Table>
      )}
      {group.loans > shown.length && (
        <p className="muted small">
          The {grouped(shown.length)} largest of {grouped(group.loans)}.
        </p>
      )}
      <ShowAll
        of={loans}
        text={`Show ${grouped(group.listed.length)}`}
        className="button tight no-print"
      />
    </Card>
  );
}

function TradeList({ title, trades }: { title: string; trades: BriefTrade[] }) {
  if (trades.length === 0) return null;
  return (
    <>
      <h3>
        {title} <span className="muted">{grouped(trades.length)}</span>
      </h3>
      <ul className="plain">
        {trades.slice(0, 12).map((trade) => (
          <li key={trade.trade_id}>
            <TradeId id={trade.trade_id} />{" "}
            {trade.fill_status && <FillStatusBadge status={trade.fill_status} />}{" "}
            <span className="muted">
              settles {trade.settlement_date ?? "without a date"}, {dollars(trade.open_amount)}
              {Number(trade.shortfall_amount) > 0 && `, short ${dollars(trade.shortfall_amount)}`}
            </span>
          </li>
        ))}
        {trades.length > 12 && <li className="muted">and {grouped(trades.length - 12)} more</li>}
      </ul>
    </>
  );
}

function Tables({ title, tables }: { title: string; tables: TableChange[] }) {
  if (tables.length === 0) return null;
  return (
    <>
      <h3>{title}</h3>
      <ul className="plain">
        {tables.map((table) => (
          <li key={table.table}>
            <code>{table.table}</code>{" "}
            <span className="muted">
              {[
                table.added > 0 && `${grouped(table.added)} added`,
                table.removed > 0 && `${grouped(table.removed)} removed`,
                table.changed > 0 && `${grouped(table.changed)} changed`,
              ]
                .filter(Boolean)
                .join(", ")}
              {Object.keys(table.columns).length > 0 &&
                ` (${Object.keys(table.columns).slice(0, 6).join(", ")})`}
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}

function Given({ given }: { given: Brief["given"] }) {
  const nothing =
    !given.other_engine &&
    [given.options, given.configuration, given.prices, given.trades, given.others].every(
      (list) => list.length === 0,
    );
  if (nothing) return <p className="muted">Nothing: both runs had the same input and options.</p>;
  return (
    <>
      {given.other_engine && <p>Another version of the engine decided.</p>}
      {given.options.map((option) => (
        <p key={option.option}>
          {words(option.option)}: {String(option.here ?? "none")} to{" "}
          <strong>{String(option.there ?? "none")}</strong>
        </p>
      ))}
      <Tables title="Configuration" tables={given.configuration} />
      <Tables title="Prices" tables={given.prices} />
      <Tables title="Trades" tables={given.trades} />
      <Tables title="Other tables" tables={given.others} />
    </>
  );
}

function Head({ name, head }: { name: string; head: BriefHead }) {
  return (
    <div className="tile">
      <div className="name">
        {name}, as of {head.as_of ?? "no day"}
      </div>
      <div className="value" title={dollars(head.value_amount)}>
        {shortDollars(head.value_amount)}
      </div>
      <div className="muted small">
        {count(head.placed, "loan")} placed, {grouped(head.kicked_out)} kicked out
      </div>
      <div className="small">
        <RunLink
          id={head.run_id}
          text={head.requested_at ? moment(head.requested_at) : "the run"}
        />{" "}
        <span className="muted">{head.requested_by && `by ${head.requested_by}`}</span>
      </div>
    </div>
  );
}

/** A text with the ids in it as links, and with the unit of its amount. */
function Linked({ note }: { note: Brief["to_look_at"][number] }) {
  const amount = grouped(note.amount ?? "").replace(/^\D/, "");
  const said = amount === "" ? note.text : note.text.replace(amount, `$${amount}`);
  const ids = [note.loan_id, note.trade_id].filter((id) => typeof id === "string" && id !== "");
  const parts = ids.reduce<string[]>(
    (texts, id) =>
      texts.flatMap((text) =>
        ids.includes(text)
          ? [text]
          : text.split(String(id)).flatMap((part, at) => (at === 0 ? [part] : [String(id), part])),
      ),
    [said],
  );
  return parts.map((part, index) => (
    <Fragment key={index}>
      {part === note.loan_id ? (
        <LoanId id={part} />
      ) : part === note.trade_id ? (
        <TradeId id={part} />
      ) : (
        part
      )}
    </Fragment>
  ));
}

function Notes({ notes }: { notes: Brief["to_look_at"] }): ReactNode {
  if (notes.length === 0) return <p className="muted">Nothing stands out.</p>;
  return (
    <ol className="plain">
      {notes.map((note, index) => (
        <li key={index}>
          <Linked note={note} />
        </li>
      ))}
    </ol>
  );
}

/** What changed between two runs: where the value went, what went in, and what to look at. */
export function BriefOverview({ brief }: { brief: Brief }) {
  return (
    <>
      <div className="tiles">
        <Head name="Then" head={brief.then} />
        <Head name="Now" head={brief.now} />
      </div>
      <Card title="What to look at">
        <Notes notes={brief.to_look_at} />
      </Card>
      <Card title="Where the value went">
        <Waterfall
          steps={bridgeSteps(brief.bridge)}
          names={BRIDGE}
          label="From the value then to the value now."
        />
      </Card>
      <div className="columns">
        <Card title="What went in">
          <Given given={brief.given} />
        </Card>
        <Card title="Trades">
          {Object.values(brief.trades).every((trades) => trades.length === 0) && (
            <p className="muted">No trade is new, gone, filled, or short since then.</p>
          )}
          <TradeList title="Fallen short" trades={brief.trades.fallen_short} />
          <TradeList title="Filled now" trades={brief.trades.filled} />
          <TradeList title="New" trades={brief.trades.new} />
          <TradeList title="Gone" trades={brief.trades.gone} />
        </Card>
      </div>
      {Object.entries(GROUPS).map(([name, title]) => (
        <LoanGroup key={name} title={title} group={brief.loans[name as keyof typeof GROUPS]} />
      ))}
    </>
  );
}
