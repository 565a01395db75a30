import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { eventName } from "../api/live";
import {
  allocationRange,
  stateQuery,
  stepsQuery,
  timelineQuery,
  type Fills,
  type FullState,
  type Mark,
  type StateChange,
  type Subject,
  type Timeline,
  type TimelineTrade,
} from "../api/track";
import { count, dollars, grouped, shortDollars, words } from "../format";
import { BandBar } from "../parts/BandBar";
import { Card, Scroll } from "../parts/Card";
import { num, Table } from "../parts/Table";
import { Tile } from "../parts/Tile";
import { LoanId, TradeId } from "../parts/links";
import { ProblemNotice, RequestState } from "../shell/Problem";
import { useTenant } from "../shell/tenant";
import { RunLinks } from "./RunLinks";

const TICK = 120;
const SPEEDS = [1, 10, 100] as const;

/** Steps, turns, and passes as bands over the shown events; a band is a button to its beginning. */
function Tracks(props: {
  marks: Mark[];
  range: [number, number];
  at: number;
  onGo: (version: number) => void;
}) {
  const [from, to] = props.range;
  const place = (version: number) => ((version - from) / Math.max(1, to - from)) * 100;
  const rows = [
    ["step", "Steps"],
    ["turn", "Turns"],
    ["pass", "Passes"],
  ] as const;
  return (
    <div className="tracks">
      {rows.map(([kind, title]) => (
        <div key={kind} className="track-row" role="group" aria-label={title}>
          {props.marks
            .filter((mark) => mark.kind === kind && mark.last_version >= from && mark.version <= to)
            .map((mark) => {
              const left = Math.max(0, place(mark.version));
              const width = Math.min(100, place(mark.last_version + 1)) - left;
              const name =
                kind === "step"
                  ? words(mark.step)
                  : kind === "turn"
                    ? `Turn ${String(mark.turn)}`
                    : words(mark.pass ?? "");
              const here = props.at >= mark.version && props.at <= mark.last_version;
              return (
                <button
                  type="button"
                  key={`${String(mark.version)}-${String(mark.turn)}-${String(mark.pass)}`}
                  className={`track-mark ${kind === "pass" ? `fill-${mark.pass ?? ""}` : kind}`}
                  data-here={here}
                  title={`${name}, events ${grouped(mark.version)} to ${grouped(mark.last_version)}`}
                  aria-label={`${name}${kind === "pass" ? `, turn ${String(mark.turn)}` : ""}: go to its first event`}
                  style={{
                    left: `${left.toFixed(3)}%`,
                    width: `${Math.max(width, 0.15).toFixed(3)}%`,
                  }}
                  onClick={() => {
                    props.onGo(mark.version);
                  }}
                >
                  {width > 6 && name}
                </button>
              );
            })}
        </div>
      ))}
    </div>
  );
}

/** Every trade of the run as a small bar, filled from below to its max; marked while short. */
function FillMap({ trades, fills }: { trades: TimelineTrade[]; fills: Fills }) {
  const included = trades.filter((trade) => trade.exclusion_reason === null && trade.max_amount);
  const width = 100 / Math.max(1, included.length);
  const full = included.filter((trade) => {
    const fill = fills.get(trade.trade_id);
    return fill && Number(fill.filled_amount) >= Number(trade.min_amount);
  }).length;
  return (
    <svg
      className="fill-map"
      role="img"
      aria-label={`${grouped(full)} of ${grouped(included.length)} trades have reached their min`}
      viewBox="0 0 100 30"
      preserveAspectRatio="none"
    >
      {included.map((trade, index) => {
        const filled = Number(fills.get(trade.trade_id)?.filled_amount ?? 0);
        const share = Math.min(1, filled / Number(trade.max_amount));
        const short = filled < Number(trade.min_amount);
        return (
          <g key={trade.trade_id}>
            <rect className="track" x={index * width} width={width * 0.8} y="0" height="30" />
            <rect
              className={short ? "fill-held" : "fill-best_fit"}
              x={index * width}
              width={width * 0.8}
              y={30 - share * 30}
              height={share * 30}
            >
              <title>{`${trade.trade_id}: ${dollars(filled.toFixed(2))}`}</title>
            </rect>
          </g>
        );
      })}
    </svg>
  );
}

const KINDS: Record<StateChange["kind"], string> = {
  pinned: "stays in",
  allocated: "is placed in",
  moved: "is moved to",
  released: "is taken out of",
  kicked_out: "is kicked out",
};

function ChangeRow(props: { change: StateChange; at: number; onGo: (version: number) => void }) {
  const { change, at } = props;
  const trade = change.kind === "released" ? change.from_trade_id : change.to_trade_id;
  return (
    <tr data-here={change.version === at} className={change.version > at ? "ahead" : undefined}>
      <td className="num">
        <button
          type="button"
          className="button tight plain"
          title="Go to this event"
          aria-current={change.version === at ? "step" : undefined}
          onClick={() => {
            props.onGo(change.version);
          }}
        >
          {grouped(change.version)}
        </button>
      </td>
      <td>
        <LoanId id={change.loan_id} /> {KINDS[change.kind]} {trade && <TradeId id={trade} />}
        {change.kind === "moved" && change.from_trade_id && (
          <>
            {" "}
            from <TradeId id={change.from_trade_id} />
          </>
        )}
        {change.pass && <span className="muted"> by {words(change.pass).toLowerCase()}</span>}
      </td>
      <td className="num">{dollars(change.loan_amount)}</td>
    </tr>
  );
}

/** The trades that the changes around are about, as full as they are at this event. */
function TradesAround({ full, timeline }: { full: FullState; timeline: Timeline }) {
  const ids = new Set(
    full.state.changes.flatMap((change) =>
      [change.to_trade_id, change.from_trade_id].filter((id): id is string => id !== null),
    ),
  );
  const trades = timeline.trades.filter((trade) => ids.has(trade.trade_id) && trade.max_amount);
  if (trades.length === 0) return <p className="empty">No trade changes around this event.</p>;
  return (
    <Table
      label="Trades around this event"
      heads={["Trade", { name: "Filled, in its band", className: "bar-cell" }, num("Filled")]}
    >
      <tbody>
        {trades.map((trade) => {
          const filled = full.fills.get(trade.trade_id)?.filled_amount ?? "0.00";
          return (
            <tr key={trade.trade_id}>
              <th scope="row">
                <TradeId id={trade.trade_id} />
              </th>
              <td className="bar-cell">
                <BandBar
                  band={{
                    min_amount: trade.min_amount ?? "0",
                    open_amount: trade.open_amount,
                    max_amount: trade.max_amount ?? "0",
                    filled_amount: filled,
                    held_amount: trade.held_amount ?? "0",
                    passes: [
                      {
                        pass: "best_fit",
                        loans: 0,
                        amount: (Number(filled) - Number(trade.held_amount ?? 0)).toFixed(2),
                      },
                    ],
                  }}
                />
              </td>
              <td className="num">{dollars(filled)}</td>
            </tr>
          );
        })}
      </tbody>
    </Table>
  );
}

/** Follows one loan or trade from event to event. */
function Follow(props: {
  runId: string;
  at: number;
  subject: Subject | null;
  onSubject: (subject: Subject | null) => void;
  onGo: (version: number) => void;
}) {
  const { subject, at } = props;
  const tenant = useTenant();
  const [id, setId] = useState(subject?.id ?? "");
  const steps = useQuery(stepsQuery(tenant.tenant_id, props.runId, subject));
  const versions = steps.data?.versions ?? [];
  const next = versions.find((version) => version > at);
  const before = versions.findLast((version) => version < at);
  const follow = (kind: Subject["kind"]) => {
    props.onSubject(id.trim() === "" ? null : { kind, id: id.trim() });
  };
  return (
    <div className="row">
      <div className="field">
        <input
          aria-label="Id of a loan or a trade to follow"
          placeholder="Loan or trade to follow"
          value={id}
          spellCheck={false}
          onChange={(event) => {
            setId(event.target.value);
          }}
        />
      </div>
      <button
        type="button"
        className="button"
        aria-pressed={subject?.kind === "loan"}
        onClick={() => {
          follow("loan");
        }}
      >
        Follow the loan
      </button>
      <button
        type="button"
        className="button"
        aria-pressed={subject?.kind === "trade"}
        onClick={() => {
          follow("trade");
        }}
      >
        Follow the trade
      </button>
      {subject && steps.data && (
        <>
          <button
            type="button"
            className="button"
            disabled={before === undefined}
            onClick={() => {
              if (before !== undefined) props.onGo(before);
            }}
          >
            ← Its event before
          </button>
          <button
            type="button"
            className="button"
            disabled={next === undefined}
            onClick={() => {
              if (next !== undefined) props.onGo(next);
            }}
          >
            Its next event →
          </button>
          <span className="muted">
            {count(steps.data.count, "event")} of {subject.kind} {subject.id}
          </span>
        </>
      )}
      {steps.isError && <ProblemNotice error={steps.error} />}
    </div>
  );
}

function Stepper({ runId, timeline }: { runId: string; timeline: Timeline }) {
  const tenant = useTenant();
  const search = useSearch({ from: "/runs/$runId/time" });
  const navigate = useNavigate({ from: "/runs/$runId/time" });
  const inner = allocationRange(timeline);
  const [whole, setWhole] = useState(inner === null);
  const all: [number, number] = [1, Math.max(1, timeline.last_version)];
  const range = whole || inner === null ? all : inner;
  // The address names the event only where it is another one.
  const end = (inner ?? all)[1];
  const [at, setAt] = useState(search.at ?? end);
  const [asked, setAsked] = useState(at);
  const [playing, setPlaying] = useState(false);
  const [speed, setSpeed] = useState<number>(10);
  const [subject, setSubject] = useState<Subject | null>(
    search.loan !== undefined
      ? { kind: "loan", id: search.loan }
      : search.trade !== undefined
        ? { kind: "trade", id: search.trade }
        : null,
  );
  const query = useQuery(stateQuery(tenant.tenant_id, runId, asked));
  // A slider moves faster than answers come: where it is then is asked for after each of them.
  if (asked !== at && !query.isFetching) setAsked(at);
  const full = query.data;
  const [low, high] = range;
  const go = (version: number) => {
    setAt(Math.min(Math.max(1, version), timeline.last_version));
    if (version < low || version > high) setWhole(true);
  };
  useEffect(() => {
    if (playing) return;
    const timer = setTimeout(() => {
      void navigate({
        search: (before) => ({
          ...before,
          at: at === end ? undefined : at,
          loan: subject?.kind === "loan" ? subject.id : undefined,
          trade: subject?.kind === "trade" ? subject.id : undefined,
        }),
        replace: true,
      });
    }, 400);
    return () => {
      clearTimeout(timer);
    };
  }, [at, end, subject, playing, navigate]);
  const waiting = query.isFetching || asked !== at;
  useEffect(() => {
    if (!playing || waiting) return;
    const timer = setTimeout(() => {
      if (at >= high) setPlaying(false);
      else setAt(Math.min(high, at + speed));
    }, TICK);
    return () => {
      clearTimeout(timer);
    };
  }, [playing, waiting, at, high, speed]);
  const state = full?.state;
  return (
    <>
      <section className="card" aria-label="Time">
        <div className="row">
          <div className="actions">
            <button
              type="button"
              className="button"
              aria-label="One event back"
              disabled={at <= 1}
              onClick={() => {
                go(at - 1);
              }}
            >
              ◀
            </button>
            <button
              type="button"
              className="button primary"
              onClick={() => {
                if (!playing && at >= high) setAt(low);
                setPlaying(!playing);
              }}
            >
              {playing ? "Pause" : "Play"}
            </button>
            <button
              type="button"
              className="button"
              aria-label="One event on"
              disabled={at >= timeline.last_version}
              onClick={() => {
                go(at + 1);
              }}
            >
              ▶
            </button>
          </div>
          <label className="check">
            Speed
            <span className="field">
              <select
                value={speed}
                onChange={(event) => {
                  setSpeed(Number(event.target.value));
                }}
              >
                {SPEEDS.map((each) => (
                  <option key={each} value={each}>
                    {count(each, "event")} a step
                  </option>
                ))}
              </select>
            </span>
          </label>
          {inner && (
            <label className="check">
              <input
                type="checkbox"
                checked={!whole}
                onChange={(event) => {
                  setWhole(!event.target.checked);
                }}
              />
              Only the allocation
            </label>
          )}
          <strong role="status">
            Event {grouped(at)} of {grouped(timeline.last_version)}
          </strong>
        </div>
        <Tracks marks={timeline.marks} range={range} at={at} onGo={go} />
        <input
          type="range"
          className="scrubber"
          aria-label="Event"
          min={low}
          max={high}
          value={Math.min(Math.max(at, low), high)}
          onChange={(event) => {
            setPlaying(false);
            setAt(Number(event.target.value));
          }}
        />
        <Follow runId={runId} at={at} subject={subject} onSubject={setSubject} onGo={go} />
      </section>
      {query.isError && <ProblemNotice error={query.error} retry={() => void query.refetch()} />}
      {full && state && (
        <>
          <div className="tiles">
            <Tile
              name="Placed by passes"
              value={grouped(state.counts.placed)}
              says={shortDollars(state.counts.placed_amount)}
            />
            <Tile
              name="Locked or held"
              value={grouped(state.counts.pinned)}
              says={shortDollars(state.counts.pinned_amount)}
            />
            <Tile
              name="Kicked out"
              value={grouped(state.counts.kicked_out)}
              says={shortDollars(state.counts.kicked_out_amount)}
            />
            <Tile
              name="Short trades"
              value={grouped(state.counts.short_trades)}
              says="below their min"
            />
            <Tile
              name="Now in"
              value={
                state.turn === null
                  ? words(state.step ?? state.status)
                  : `Turn ${String(state.turn)}`
              }
              says={state.pass === null ? words(state.status) : words(state.pass)}
            />
          </div>
          <Card title="How full the trades are">
            <FillMap trades={timeline.trades} fills={full.fills} />
            <p className="muted small">
              One bar per trade, up to its max. Gray: still below its min. Blue: in its band.
            </p>
          </Card>
          <div className="columns">
            <Card title={`Event ${grouped(state.version)}: ${eventName(state.event.type)}`}>
              <Scroll label="Changes around this event">
                <table className="table">
                  <tbody>
                    {state.changes.map((change) => (
                      <ChangeRow
                        key={`${String(change.version)}-${change.loan_id}`}
                        change={change}
                        at={state.version}
                        onGo={go}
                      />
                    ))}
                  </tbody>
                </table>
              </Scroll>
              <details>
                <summary>Content of the event</summary>
                <pre className="payload" tabIndex={0}>
                  {JSON.stringify(state.event.data, null, 2)}
                </pre>
              </details>
            </Card>
            <Card title="Trades around it">
              <TradesAround full={full} timeline={timeline} />
            </Card>
          </div>
        </>
      )}
    </>
  );
}

/** A run event by event: tracks, a scrubber, and the state after the event where it stands. */
export function TimePage() {
  const tenant = useTenant();
  const { runId } = useParams({ from: "/runs/$runId/time" });
  const query = useQuery(timelineQuery(tenant.tenant_id, runId));
  const timeline = query.data;
  return (
    <RunLinks runId={runId}>
      <RequestState of={query} what="the course of the run" />
      {timeline && <Stepper key={runId} runId={runId} timeline={timeline} />}
    </RunLinks>
  );
}
