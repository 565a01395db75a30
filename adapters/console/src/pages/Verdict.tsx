import { nodeName, type FullLimit, type Verdict as VerdictOf } from "../api/explain";
import { dollars, words } from "../format";
import { TradeId } from "../parts/links";

function Limits({ limits }: { limits: FullLimit[] }) {
  return (
    <>
      {limits.map((limit) => (
        <span key={JSON.stringify(limit.node)}>
          {" "}
          {nodeName(limit.node)} allows {dollars(limit.hi_amount)}, of which{" "}
          {dollars(limit.used_amount)} is used.
        </span>
      ))}
    </>
  );
}

/** Whether a candidate was taken, or what barred it, in a sentence. */
export function Verdict({ verdict }: { verdict: VerdictOf }) {
  switch (verdict.is) {
    case "chosen":
      return <strong>Taken: the loan is here at the end.</strong>;
    case "given_up":
      return <>It was here (placement {verdict.allocation_seq}); a later step took it away.</>;
    case "placed_before":
      return (
        <>
          The loan was already in <TradeId id={verdict.trade_id} />, placed by{" "}
          {words(verdict.pass).toLowerCase()}.
        </>
      );
    case "completed_another":
      return (
        <>
          The loan completed <TradeId id={verdict.trade_id} /> exactly.
        </>
      );
    case "no_room":
      return (
        <>
          No room: {dollars(verdict.filled_amount)} of at most {dollars(verdict.max_amount)} was
          filled; the loan is {dollars(verdict.excess_amount)} too large.
        </>
      );
    case "at_open_amount":
      return (
        <>
          The trade had reached its target of {dollars(verdict.open_amount)}; only orphan handling
          fills above it.
        </>
      );
    case "limit_barred":
      return (
        <>
          Room was there ({dollars(verdict.room_amount)}), but a limit barred the loan.
          <Limits limits={verdict.full_limits} />
        </>
      );
    case "not_reached":
      return <>The run ended before best fit reached it.</>;
  }
}

const NAMES: Record<VerdictOf["is"], [string, string]> = {
  chosen: ["Taken", "good"],
  given_up: ["Given up", "warn"],
  placed_before: ["Placed before", ""],
  completed_another: ["Placed before", ""],
  no_room: ["No room", "bad"],
  at_open_amount: ["At target", "warn"],
  limit_barred: ["Limit", "bad"],
  not_reached: ["Not reached", ""],
};

export function VerdictBadge({ verdict }: { verdict: VerdictOf }) {
  const [name, tone] = NAMES[verdict.is];
  return <span className={`badge ${tone}`}>{name}</span>;
}
