import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState, useSyncExternalStore } from "react";
import { eventName, useLive, type CloudEvent } from "../api/live";
import { statusQuery } from "../api/status";
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

function EventRow({ event }: { event: CloudEvent }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <tr>
        <td className="num">{grouped(event.globalposition)}</td>
        <td className="nowrap">{moment(event.time)}</td>
        <th scope="row">{eventName(event.type)}</th>
        <td>
          {event.runid ? (
            <Link
              to="/runs/$runId"
              params={{ runId: event.runid }}
              preload={false}
              title={event.runid}
            >
              run {short(event.runid, 13)}
            </Link>
          ) : (
            event.subject
          )}
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

/** The last events of the tenant, and each further one as it is recorded. */
export function EventsPage() {
  const tenant = useTenant();
  const search = useSearch({ from: "/events" });
  const status = useQuery({ ...statusQuery(tenant.tenant_id), staleTime: Infinity });
  return (
    <>
      <h1>Events</h1>
      <RequestState of={status} what="the log" />
      {status.data && (
        <LiveEvents
          key={search.type ?? ""}
          type={search.type}
          head={status.data.store.events ?? 0}
        />
      )}
    </>
  );
}

function LiveEvents({ type, head }: { type: string | undefined; head: number }) {
  const navigate = useNavigate({ from: "/events" });
  const [kept] = useState(() => new Tail());
  const [paused, setPaused] = useState(false);
  const events = useSyncExternalStore(kept.subscribe, kept.shown);
  // A rare type is looked for in the whole log; of all types, the last ones are enough.
  const after = type === undefined ? Math.max(0, head - FIRST) : 0;
  const state = useLive({ after, types: type === undefined ? [] : [type] }, (event) => {
    kept.add(event);
  });
  const [name, tone] = STATES[state];
  return (
    <section className="card" aria-label="Events">
      <div className="row">
        <label className="field">
          <span className="label">Type</span>
          <select
            value={type ?? ""}
            onChange={(event) =>
              void navigate({
                search: (before) => ({ ...before, type: event.target.value || undefined }),
                replace: true,
              })
            }
          >
            <option value="">Any</option>
            {EVENT_TYPES.map((other) => (
              <option key={other}>{other}</option>
            ))}
          </select>
        </label>
        <button
          type="button"
          className="button low"
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
          {grouped(head)} in the log when this page was opened; the last{" "}
          {count(events.length, "event")} shown, the newest first
        </span>
      </div>
      {events.length === 0 ? (
        <p className="empty">No event yet. Those that come appear here by themselves.</p>
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
            {events.map((event) => (
              <EventRow key={event.globalposition} event={event} />
            ))}
          </tbody>
        </Table>
      )}
    </section>
  );
}
