import { queryOptions, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useId, useState, useSyncExternalStore } from "react";
import { answer, api } from "../api/client";
import { eventName, useLive, type CloudEvent } from "../api/live";
import { count, grouped, moment, short } from "../format";
import { EVENT_TYPES } from "../generated/events";
import { num, Table } from "../parts/Table";
import { RequestState } from "../shell/Problem";
import { useTenant } from "../shell/tenant";

const KEPT = 300;
const FIRST = 100;

/** The last events, collected between two frames, so that a burst does not render each of them. */
class Tail {
  private events: readonly CloudEvent[] = [];
  private waiting: CloudEvent[] = [];
  private scheduled = false;
  private listeners = new Set<() => void>();
  private paused = false;

  pause(paused: boolean) {
    this.paused = paused;
    if (!paused) this.schedule();
  }
  add(event: CloudEvent) {
    this.waiting.push(event);
    if (this.waiting.length > KEPT) this.waiting.shift();
    if (!this.paused) this.schedule();
  }
  private schedule() {
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame(() => {
      this.scheduled = false;
      if (this.paused) return;
      this.events = [...this.waiting.reverse(), ...this.events].slice(0, KEPT);
      this.waiting = [];
      for (const listener of this.listeners) listener();
    });
  }
  subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
  shown = () => this.events;
}

/** What an event is about: a run, a challenge of one, or the configuration. */
function Subject({ event }: { event: CloudEvent }) {
  const challenge = /^challenge-([0-9a-f-]{36})-(\d+)$/.exec(event.subject);
  const runId = event.runid ?? challenge?.[1];
  if (!runId) return event.subject;
  return (
    <>
      {challenge && `challenge ${challenge[2] ?? ""} of `}
      <Link to="/runs/$runId" params={{ runId }} preload={false} title={runId}>
        run {short(runId, 13)}
      </Link>
    </>
  );
}

function EventRow({ event }: { event: CloudEvent }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <tr>
        <td className="num">{grouped(event.globalposition)}</td>
        <td className="nowrap">{moment(event.time)}</td>
        <th scope="row">{eventName(event.type)}</th>
        <td>
          <Subject event={event} />
        </td>
        <td>{event.actor}</td>
        <td>
          <button
            type="button"
            className="button tight"
            aria-expanded={open}
            aria-label={`Content of event ${event.globalposition}`}
            onClick={() => {
              setOpen(!open);
            }}
          >
            Content
          </button>
        </td>
      </tr>
      {open && (
        <tr>
          <td colSpan={6}>
            <pre className="payload" tabIndex={0}>
              {JSON.stringify(event.data, null, 2)}
            </pre>
            <p className="muted small">
              Hash <code>{event.hash}</code>
            </p>
          </td>
        </tr>
      )}
    </>
  );
}

const STATES = {
  connecting: ["Connecting", "busy"],
  open: ["Live", "good"],
  closed: ["Not connected", "bad"],
} as const;

/** The filters, as the address has them. */
interface Filter {
  type?: string;
  run?: string;
  find?: string;
}

const isRunId = (text: string) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);

/** Where the log is read from: the last events of the log, or of a run. */
const startQuery = (tenant: string, filter: Filter) =>
  queryOptions({
    queryKey: ["tenant", tenant, "events", "start", filter.run, filter.type],
    queryFn: async () => {
      const { store } = await answer(api.GET("/api/powerfill/status"));
      const head = store.events ?? 0;
      // A rare type is looked for in the whole log; of all types, the last ones are enough.
      if (filter.type !== undefined) return { head, after: 0 };
      if (filter.run === undefined) return { head, after: Math.max(0, head - FIRST) };
      const path = { run_id: filter.run };
      const run = await answer(api.GET("/api/powerfill/runs/{run_id}", { params: { path } }));
      const query = { after: Math.max(0, run.events - FIRST), limit: 1 };
      const page = await answer(
        api.GET("/api/powerfill/runs/{run_id}/events", { params: { path, query } }),
      );
      return { head, after: Number(page.events[0]?.globalposition ?? 1) - 1 };
    },
    staleTime: Infinity,
    retry: false,
  });

/** The last events of the tenant, and each further one as it is recorded. */
export function EventsPage() {
  const tenant = useTenant();
  const { type, run, find } = useSearch({ from: "/events" });
  const filter: Filter = {
    ...(type === undefined ? {} : { type }),
    ...(run === undefined ? {} : { run }),
  };
  const start = useQuery(startQuery(tenant.tenant_id, filter));
  return (
    <>
      <h1>Events</h1>
      <section className="card" aria-label="Events">
        <EventFilters filter={{ ...filter, find }} />
        <RequestState of={start} what="the log" />
        {start.data && (
          <LiveEvents
            key={JSON.stringify(filter)}
            filter={filter}
            find={find ?? ""}
            start={start.data}
          />
        )}
      </section>
    </>
  );
}

function EventFilters({ filter }: { filter: Filter }) {
  const navigate = useNavigate({ from: "/events" });
  const show = (change: Filter) =>
    void navigate({ search: (before) => ({ ...before, ...change }), replace: true });
  const [run, setRun] = useState(filter.run ?? "");
  const wrong = run !== "" && !isRunId(run);
  const id = useId();
  return (
    <div className="row">
      <label className="field">
        <span className="label">Type</span>
        <select
          value={filter.type ?? ""}
          onChange={(event) => {
            show({ type: event.target.value || undefined });
          }}
        >
          <option value="">Any</option>
          {EVENT_TYPES.map((other) => (
            <option key={other}>{other}</option>
          ))}
        </select>
      </label>
      <div className="field grow">
        <label htmlFor={id}>Run</label>
        <input
          id={id}
          type="search"
          className="mono"
          placeholder="Any"
          spellCheck={false}
          value={run}
          aria-invalid={wrong}
          aria-describedby={wrong ? `${id}-wrong` : undefined}
          onChange={(event) => {
            const text = event.target.value.trim();
            setRun(text);
            if (text === "" || isRunId(text)) show({ run: text || undefined });
          }}
        />
        {wrong && (
          <span id={`${id}-wrong`} className="wrong">
            Write the whole id of a run.
          </span>
        )}
      </div>
      <label className="field">
        <span className="label">Find in those shown</span>
        <input
          type="search"
          placeholder="Loan, trade, person"
          spellCheck={false}
          value={filter.find ?? ""}
          onChange={(event) => {
            show({ find: event.target.value || undefined });
          }}
        />
      </label>
    </div>
  );
}

function LiveEvents(props: {
  filter: Filter;
  find: string;
  start: { head: number; after: number };
}) {
  const { filter, find, start } = props;
  const [kept] = useState(() => new Tail());
  const [paused, setPaused] = useState(false);
  const events = useSyncExternalStore(kept.subscribe, kept.shown);
  const state = useLive(
    {
      after: start.after,
      types: filter.type === undefined ? [] : [filter.type],
      ...(filter.run === undefined ? {} : { runId: filter.run }),
    },
    (event) => {
      kept.add(event);
    },
  );
  const [name, tone] = STATES[state];
  const wanted = find.toLowerCase();
  const shown =
    wanted === ""
      ? events
      : events.filter((event) => JSON.stringify(event).toLowerCase().includes(wanted));
  return (
    <>
      <div className="row">
        <button
          type="button"
          className="button"
          aria-pressed={paused}
          onClick={() => {
            kept.pause(!paused);
            setPaused(!paused);
          }}
        >
          {paused ? "Go on" : "Pause"}
        </button>
        <span className={`badge ${tone}`} role="status">
          {name}
        </span>
        <span className="muted">
          {grouped(start.head)} in the log when this page was opened; the last{" "}
          {count(shown.length, "event")} shown, the newest first
        </span>
      </div>
      {shown.length === 0 ? (
        <p className="empty">
          {events.length === 0
            ? "No event yet. Those that come appear here by themselves."
            : `None of the last ${count(events.length, "event")} has “${find}”.`}
        </p>
      ) : (
        <Table
          label="Events"
          heads={[
            num("Position"),
            "Recorded",
            "Type",
            "Of",
            "By",
            { name: "Content", hidden: true },
          ]}
        >
          <tbody>
            {shown.map((event) => (
              <EventRow key={event.globalposition} event={event} />
            ))}
          </tbody>
        </Table>
      )}
    </>
  );
}
