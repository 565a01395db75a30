import type { Overview } from "../api/overview";
import { count, dollars, grouped, points, shortDollars } from "../format";
import { Tile } from "./Tile";

function Money(props: { name: string; amount: string; says?: string }) {
  return (
    <Tile
      name={props.name}
      value={shortDollars(props.amount)}
      exact={dollars(props.amount)}
      down={props.amount.startsWith("-")}
      says={props.says}
    />
  );
}

/** What a run is worth and what it did, at a glance (specification 7.1). */
export function ValueTiles({ overview }: { overview: Overview }) {
  const { all, placed } = overview.value;
  const filled = overview.trades.filter((trade) => trade.fill_status === "Filled").length;
  const under = overview.trades.filter((trade) => trade.fill_status === "Under").length;
  const actions = new Map(overview.moves.actions.map((action) => [action.pool_action, action]));
  const switching = actions.get("Switching");
  return (
    <div className="tiles">
      <Money
        name="Value"
        amount={all.value_amount}
        says={`${count(all.loans, "loan")} in trades: proceeds and carry`}
      />
      <Money
        name="Proceeds"
        amount={all.proceeds_amount}
        says={all.wavg_price === null ? "no price" : `at ${points(all.wavg_price)} on average`}
      />
      <Money
        name="Pick-up"
        amount={all.pick_up_amount}
        says={`${count(all.pick_up_loans, "loan")} against the present trade`}
      />
      <Money
        name="Given up"
        amount={all.give_up_amount}
        says={`${count(all.give_up_loans, "loan")} against the best synthetic option`}
      />
      <Money
        name="Carry"
        amount={all.carry_amount}
        says={`pay-ups ${shortDollars(all.payup_amount)}`}
      />
      <Tile name="Placed" value={grouped(placed.loans)} says={shortDollars(placed.loan_amount)} />
      <Tile
        name="Kicked out"
        value={grouped(overview.kickouts.loans)}
        says={shortDollars(overview.kickouts.loan_amount)}
      />
      <Tile
        name="Trades filled"
        value={grouped(filled)}
        says={`of ${grouped(overview.trades.length)}; ${under === 0 ? "none is" : grouped(under)} short`}
      />
      <Tile
        name="Switches"
        value={grouped(switching?.loans ?? 0)}
        says={shortDollars(switching?.amount ?? "0")}
      />
    </div>
  );
}
