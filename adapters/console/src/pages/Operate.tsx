import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { may } from "../api/session";
import { metricsQuery, statusQuery, type Sample } from "../api/status";
import { count, grouped, words } from "../format";
import { Card } from "../parts/Card";
import { num, Table } from "../parts/Table";
import { Tile } from "../parts/Tile";
import { Loading, ProblemNotice } from "../shell/Problem";
import { useTenant } from "../shell/tenant";
import { LiveProgress } from "./Runs";

const of = (samples: Sample[], name: string) => samples.filter((sample) => sample.name === name);

function Metrics() {
  const tenant = useTenant();
  const metrics = useQuery(metricsQuery(tenant.tenant_id));
  if (metrics.isPending) return <Loading what="the metrics" />;
  if (metrics.isError) return <ProblemNotice error={metrics.error} />;
  const samples = metrics.data;
  const lags = [
    ...of(samples, "powerfill_projection_lag_events").map((sample) => ({
      name: `Table ${sample.labels["projection"] ?? ""}`,
      value: sample.value,
    })),
    ...of(samples, "powerfill_subscriber_lag_events").map((sample) => ({
      name: `Subscriber ${sample.labels["subscriber"] ?? ""}`,
      value: sample.value,
    })),
  ];
  const behind = lags.filter((lag) => lag.value > 0);
  const sums = of(samples, "powerfill_step_seconds_sum");
  const counts = of(samples, "powerfill_step_seconds_count");
  return (
    <div className="columns">
      <Card title="Runs">
        <dl className="facts">
          {of(samples, "powerfill_runs").map((sample) => (
            <div className="pair" key={sample.labels["status"]}>
              <dt>{words(sample.labels["status"] ?? "")}</dt>
              <dd>{grouped(sample.value)}</dd>
            </div>
          ))}
        </dl>
      </Card>
      <Card title="Behind">
        {lags.length === 0 || behind.length === 0 ? (
          <p>Every table and every subscriber has all events.</p>
        ) : (
          <dl className="facts">
            {behind.map((lag) => (
              <div className="pair" key={lag.name}>
                <dt>{lag.name}</dt>
                <dd>{count(lag.value, "event")}</dd>
              </div>
            ))}
          </dl>
        )}
        <p className="muted">
          {count(
            of(samples, "powerfill_event_streams").reduce((sum, sample) => sum + sample.value, 0),
            "live stream",
          )}{" "}
          of events, this browser's included.
        </p>
      </Card>
      {sums.length > 0 && (
        <Card title="Steps of runs in this process">
          <Table label="Steps of runs" heads={["Step", num("Times"), num("Average")]}>
            <tbody>
              {sums.map((sum) => {
                const step = sum.labels["step"] ?? "";
                const times = counts.find((other) => other.labels["step"] === step)?.value ?? 0;
                return (
                  <tr key={step}>
                    <th scope="row">{step}</th>
                    <td className="num">{grouped(times)}</td>
                    <td className="num">
                      {times > 0 ? `${(sum.value / times).toFixed(3)} s` : ""}
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </Table>
        </Card>
      )}
    </div>
  );
}

/** The service, its store, and its queue, as they are now. */
export function OperatePage() {
  const tenant = useTenant();
  const status = useQuery({ ...statusQuery(tenant.tenant_id), refetchInterval: 2_000 });
  const view = status.data;
  return (
    <>
      <h1>Operate</h1>
      {status.isPending && <Loading what="the state of the service" />}
      {status.isError && <ProblemNotice error={status.error} retry={() => void status.refetch()} />}
      {view && (
        <>
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
          <Card title="Active run">
            {view.active_run ? (
              <>
                <p>
                  <Link
                    to="/runs/$runId"
                    params={{ runId: view.active_run.run_id }}
                    className="mono"
                  >
                    {view.active_run.run_id}
                  </Link>
                  {view.active_run.worker && `, worker ${view.active_run.worker}`}
                </p>
                <LiveProgress runId={view.active_run.run_id} />
              </>
            ) : (
              <p className="muted">No run is active.</p>
            )}
          </Card>
        </>
      )}
      {may(tenant.role, "admin") && <Metrics />}
    </>
  );
}
