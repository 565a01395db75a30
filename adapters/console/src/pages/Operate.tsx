import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { problemOf } from "../api/problem";
import { may, sessionQuery, type SessionTenant } from "../api/session";
import { metricsQuery, operateQuery, statusQuery, storageQuery, type Sample } from "../api/status";
import { bytes, count, grouped, moment, words } from "../format";
import { Card } from "../parts/Card";
import { num, Table } from "../parts/Table";
import { Tile } from "../parts/Tile";
import { RequestState } from "../shell/Problem";
import { useTenant } from "../shell/tenant";
import { NextPage } from "./NextPage";
import { LiveProgress } from "./Runs";
import { RunStatus } from "./status";

const of = (samples: Sample[], name: string) => samples.filter((sample) => sample.name === name);

/** How long the steps of runs took in this process, for an admin. */
function Steps() {
  const tenant = useTenant();
  const metrics = useQuery(metricsQuery(tenant.tenant_id));
  if (!metrics.data) return <RequestState of={metrics} what="the metrics" />;
  const sums = of(metrics.data, "powerfill_step_seconds_sum");
  const counts = of(metrics.data, "powerfill_step_seconds_count");
  if (sums.length === 0) return null;
  return (
    <Card title="Steps of runs in this process">
      <Table label="Steps of runs" heads={["Step", num("Times"), num("Average")]}>
        <tbody>
          {sums.map((sum) => {
            const step = sum.labels["step"] ?? "";
            const times = counts.find((other) => other.labels["step"] === step)?.value ?? 0;
            return (
              <tr key={step}>
                <th scope="row">{words(step)}</th>
                <td className="num">{grouped(times)}</td>
                <td className="num">{times > 0 ? `${(sum.value / times).toFixed(3)} s` : ""}</td>
              </tr>
            );
          })}
        </tbody>
      </Table>
    </Card>
  );
}

const LAGS: Record<string, string> = {
  output_tables: "Output tables of the latest run",
  stream: "A live stream of events",
};

function Queue() {
  const tenant = useTenant();
  const operate = useQuery(operateQuery(tenant.tenant_id));
  if (!operate.data) return <RequestState of={operate} what="the queue" />;
  const { active, lease_expired, lags, runs, now } = operate.data;
  return (
    <>
      <Card title="Queue">
        {active ? (
          <>
            <dl className="facts">
              <dt>Run</dt>
              <dd>
                <Link to="/runs/$runId" params={{ runId: active.run_id }} className="mono">
                  {active.run_id}
                </Link>
              </dd>
              <dt>Worker</dt>
              <dd>{active.worker ?? "none yet"}</dd>
              <dt>Its lease ends</dt>
              <dd>
                {active.lease_expires_at ? moment(active.lease_expires_at) : "no lease"}{" "}
                <span className="muted">now {moment(now)}</span>{" "}
                {lease_expired && <span className="badge bad">overdue</span>}
              </dd>
            </dl>
            {lease_expired && (
              <p>
                The worker does not answer. Another worker takes the run over; if there is none,
                start one with <code>powerfill work</code>.
              </p>
            )}
            <LiveProgress runId={active.run_id} />
          </>
        ) : (
          <p className="muted">No run waits or is worked on.</p>
        )}
        <dl className="facts">
          {runs.map(({ status, runs }) => (
            <div className="pair" key={status}>
              <dt>{words(status)}</dt>
              <dd>{count(runs, "run")}</dd>
            </div>
          ))}
        </dl>
      </Card>
      <Card title="Behind the log">
        {lags.every((lag) => lag.events === 0) ? (
          <p>Tables, subscribers, and streams have all events.</p>
        ) : (
          <p>What stays behind does not keep up, or is not connected.</p>
        )}
        {lags.length > 0 && (
          <Table label="Behind the log" heads={["What", num("Is at"), num("Behind")]}>
            <tbody>
              {lags.map((lag, index) => (
                <tr key={index}>
                  <th scope="row">{LAGS[lag.name] ?? `Subscriber ${lag.name}`}</th>
                  <td className="num">{grouped(lag.position)}</td>
                  <td className="num">{lag.events === 0 ? "" : count(lag.events, "event")}</td>
                </tr>
              ))}
            </tbody>
          </Table>
        )}
      </Card>
    </>
  );
}

function Storage() {
  const tenant = useTenant();
  const storage = useInfiniteQuery(storageQuery(tenant.tenant_id));
  const runs = storage.data?.pages.flatMap((page) => page.runs) ?? [];
  const largest = Math.max(1, ...runs.map((run) => run.bytes ?? 0));
  return (
    <Card title="Storage by run" long>
      <p className="muted">
        What the compressed events of each run take. Tables and captured snapshots are not in it.
      </p>
      <RequestState of={storage} what="the storage" />
      {storage.data && runs.length === 0 && <p className="empty">There is no run yet.</p>}
      {runs.length > 0 && (
        <Table
          label="Storage by run"
          heads={["Run", "Requested", "Status", num("Events"), num("Space"), "Share"]}
        >
          <tbody>
            {runs.map((run) => (
              <tr key={run.run_id}>
                <th scope="row">
                  <Link to="/runs/$runId" params={{ runId: run.run_id }} className="mono nowrap">
                    {run.run_id}
                  </Link>
                </th>
                <td className="nowrap">{moment(run.requested_at)}</td>
                <td>
                  <RunStatus status={run.status} />
                </td>
                <td className="num">{grouped(run.events)}</td>
                <td className="num">
                  {typeof run.bytes !== "number"
                    ? "unknown"
                    : run.bytes === 0
                      ? "archived"
                      : bytes(run.bytes)}
                </td>
                <td className="small-bar">
                  <svg className="bar" aria-hidden="true">
                    <rect className="track" width="100%" y="6" height="8" rx="2" />
                    <rect
                      className="fill-total"
                      y="6"
                      height="8"
                      rx="2"
                      width={`${(((run.bytes ?? 0) / largest) * 100).toFixed(2)}%`}
                    />
                  </svg>
                </td>
              </tr>
            ))}
          </tbody>
        </Table>
      )}
      <NextPage of={storage} text="Older runs" />
    </Card>
  );
}

/** A tenant that this session reaches. */
function TenantRow({ of: { tenant_id, role, actor } }: { of: SessionTenant }) {
  const status = useQuery({ ...statusQuery(tenant_id), refetchInterval: 10_000 });
  const view = status.data;
  return (
    <tr>
      <th scope="row">
        <Link to="/operate" search={{ tenant: tenant_id }}>
          {tenant_id}
        </Link>
      </th>
      <td>
        {actor} <span className="badge">{role}</span>
      </td>
      {status.isError ? (
        <td colSpan={4} className="wrong">
          {problemOf(status.error).detail}
        </td>
      ) : (
        <>
          <td>
            {view && (
              <span className={view.store.reachable ? "badge good" : "badge bad"}>
                {view.store.reachable ? "Answers" : "Is away"}
              </span>
            )}
          </td>
          <td className="num">
            {typeof view?.store.events === "number" ? grouped(view.store.events) : ""}
          </td>
          <td className="num">
            {typeof view?.queue_depth === "number" ? grouped(view.queue_depth) : ""}
          </td>
          <td className="num">{view && grouped(view.workers.length)}</td>
        </>
      )}
    </tr>
  );
}

function Tenants() {
  const session = useQuery(sessionQuery);
  return (
    <Card title="Tenants of this session">
      <Table
        label="Tenants"
        heads={[
          "Tenant",
          "You are",
          "Store",
          num("Events"),
          num("Waiting runs"),
          num("Workers with a run"),
        ]}
      >
        <tbody>
          {session.data?.tenants.map((each) => (
            <TenantRow key={each.tenant_id} of={each} />
          ))}
        </tbody>
      </Table>
    </Card>
  );
}

/** The service, its store, its queue, and its space, as they are now. */
export function OperatePage() {
  const tenant = useTenant();
  const status = useQuery({ ...statusQuery(tenant.tenant_id), refetchInterval: 2_000 });
  const view = status.data;
  return (
    <>
      <h1>Operate</h1>
      <RequestState of={status} what="the state of the service" />
      {view && (
        <div className="tiles">
          <Tile
            name="Store"
            value={view.store.reachable ? "Answers" : "Is away"}
            down={!view.store.reachable}
            says={
              view.store.events === null || view.store.events === undefined
                ? "unknown"
                : count(view.store.events, "event")
            }
          />
          <Tile
            name="Queue"
            value={typeof view.queue_depth === "number" ? grouped(view.queue_depth) : "Unknown"}
            says={view.queue_depth === 1 ? "run waits" : "runs wait"}
          />
          <Tile
            name="Workers with a run"
            value={grouped(view.workers.length)}
            says={view.works ? "this service works too" : "this service does not work"}
          />
          <Tile
            name="Version"
            value={view.version}
            says={`engine ${view.engine_version}, specification ${view.spec_version}`}
          />
        </div>
      )}
      <div className="columns">
        <Queue />
      </div>
      {may(tenant.role, "admin") && <Steps />}
      <Tenants />
      <Storage />
    </>
  );
}
