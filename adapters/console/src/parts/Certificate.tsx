import type { OverviewCertificate, OverviewPrice } from "../api/overview";
import { count, dollars, evenPoints, shortDollars, toCents } from "../format";
import { TradeId } from "./links";
import { ShowAll, useFirst } from "./ShowAll";
import { num, Table } from "./Table";

/** The prices that are shown at first. */
const FIRST = 8;

/** What one more dollar of is worth: room in a trade, room under a limit, less priority. */
function Subject({ subject }: { subject: OverviewPrice["subject"] }) {
  if (subject.kind === "turn") return <>less that turns 1 to {subject.turn} must place</>;
  if (subject.kind === "trade") {
    return (
      <>
        room in <TradeId id={subject.trade_id} />
      </>
    );
  }
  const { constraint_name: name, investor_instrument_name: instrument } = subject.node;
  return (
    <>
      room under {name ? `limit ${name}` : "the limit"} of {instrument} in{" "}
      <TradeId id={subject.trade_id} />
    </>
  );
}

/** What one more dollar of room, or less priority, is worth (specification 10.2). */
export function Prices({ prices, beyond = 0 }: { prices: OverviewPrice[]; beyond?: number }) {
  const list = useFirst(prices, FIRST);
  return (
    <>
      <Table
        label="What binds"
        caption="What one more $100,000 is worth, highest first."
        heads={["One more $100,000 of", num("Is worth"), num("Points"), num("Part of the gap")]}
      >
        <tbody>
          {list.shown.map((price) => (
            <tr key={JSON.stringify(price.subject)}>
              <th scope="row">
                <Subject subject={price.subject} />
              </th>
              <td className="num">
                {dollars(price.hundred_thousand_amount ?? (Number(price.price) * 1_000).toFixed(2))}
              </td>
              <td className="num">{evenPoints(price.price)}</td>
              <td className="num">{shortDollars(price.run_gap)}</td>
            </tr>
          ))}
        </tbody>
      </Table>
      <ShowAll of={list} text={`Show all ${count(prices.length, "price")}`} />
      {beyond > 0 && <p className="muted">and {count(beyond, "lower price")}</p>}
    </>
  );
}

/** How far a run is from the best possible, and what binds it (specification 10.2). */
export function Certificate({ certificate }: { certificate: OverviewCertificate }) {
  return (
    <>
      <p>
        This run is within <strong>{certificate.gap_bp} bp</strong> (
        <span title={dollars(toCents(certificate.gap))}>{shortDollars(certificate.gap)}</span>) of
        the best possible: no allocation of its candidates within rooms, limits, and priorities is
        worth more than {shortDollars(certificate.bound)}, and this one is worth{" "}
        {shortDollars(certificate.run_worth)}. <code>{certificate.challenge}</code> is the proof.
      </p>
      {certificate.prices.length === 0 ? (
        <p className="empty">No room, limit, or priority binds.</p>
      ) : (
        <Prices prices={certificate.prices} beyond={certificate.other_prices} />
      )}
    </>
  );
}
