import type { ReactNode } from "react";
import type { Overview } from "../api/overview";
import { count, grouped, moment, span, words } from "../format";
import { Card } from "./Card";
import { Certificate } from "./Certificate";
import { num, Table } from "./Table";
import { FlowChart } from "./FlowChart";
import { Kickouts } from "./Kickouts";
import { Moves } from "./Moves";
import { TradeBars } from "./TradeBars";
import { ValueTiles } from "./ValueTiles";
import { Waterfall } from "./Waterfall";

function Options({ run }: { run: Overview["run"] }) {
  return (
    <Table label="Options" heads={["Option", "Value", "Default"]}>
      <tbody>
        {run.options.map((option) => (
          <tr key={option.name}>
            <th scope="row">{words(option.name)}</th>
            <td>
              {option.is_changed ? (
                <strong>{option.value ?? "none"}</strong>
              ) : (
                (option.value ?? "none")
              )}
            </td>
            <td className="muted">{option.default ?? "none"}</td>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}

function Identity({ run }: { run: Overview["run"] }) {
  return (
    <dl className="facts">
      <dt>Run</dt>
      <dd className="mono">{run.run_id}</dd>
      <dt>Tenant</dt>
      <dd>{run.tenant_id}</dd>
      <dt>Requested</dt>
      <dd>
        {moment(run.requested_at)} by {run.requested_by}
      </dd>
      <dt>Decided</dt>
      <dd>
        {moment(run.started_at)} to {moment(run.ended_at)}, {span(run.started_at, run.ended_at)}
      </dd>
      <dt>Events</dt>
      <dd>{grouped(run.events)}</dd>
      <dt>Engine</dt>
      <dd>
        {run.engine_version}, specification {run.spec_version}
      </dd>
      <dt>Input digest</dt>
      <dd className="mono">{run.input_digest}</dd>
      <dt>Output digest</dt>
      <dd className="mono">{run.output_digest}</dd>
      <dt>Invariants</dt>
      <dd>
        {count(run.checks.length, "invariant")} checked by a second implementation; none is broken
      </dd>
      {Object.entries(run.participation).map(([name, loans]) => (
        <Pair key={name} name={`Loans: ${words(name)}`} value={grouped(loans)} />
      ))}
      {Object.entries(run.inclusion).map(([name, trades]) => (
        <Pair key={name} name={`Trades: ${words(name)}`} value={grouped(trades)} />
      ))}
    </dl>
  );
}

/** Where the snapshot came from, table by table. */
function Provenance({ run }: { run: Overview["run"] }) {
  const from = run.origin.provenance;
  if (!from) return null;
  return (
    <>
      <p>
        Read from {from.kind}
        {from.place !== null && (
          <>
            {" "}
            <code>{from.place}</code>
          </>
        )}
        {from.configuration_version !== null &&
          `, with version ${grouped(from.configuration_version)} of the configuration`}
        .
      </p>
      <details>
        <summary>{count(from.tables.length, "table")} and their digests</summary>
        <Table label="Tables of the snapshot" heads={["Table", num("Rows"), "Digest"]}>
          <tbody>
            {from.tables.map((table) => (
              <tr key={table.table}>
                <th scope="row">{table.table}</th>
                <td className="num">{grouped(table.rows)}</td>
                <td>
                  <code>{table.digest}</code>
                </td>
              </tr>
            ))}
          </tbody>
        </Table>
      </details>
      {from.files.length > 0 && (
        <details>
          <summary>{count(from.files.length, "file")}</summary>
          <ul className="plain">
            {from.files.map((file) => (
              <li key={file.name}>
                {file.name}{" "}
                <span className="muted">
                  {file.bytes !== null && `${grouped(file.bytes)} bytes`}
                  {file.modified_at !== null && `, changed ${moment(file.modified_at)}`}
                </span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

function Pair({ name, value }: { name: string; value: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  );
}

function Log({ log }: { log: Overview["log"] }) {
  return (
    <Table label="Log of the run" heads={["Step", "What it came to", num("Rows")]}>
      <tbody>
        {log.map((line, index) => (
          <tr key={`${String(index)}-${line.step}`}>
            <td className="nowrap">{line.step}</td>
            <td>{line.message}</td>
            <td className="num">{line.row_count === null ? "" : grouped(line.row_count)}</td>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}

function Findings({ findings }: { findings: Overview["findings"] }) {
  if (findings.warnings === 0) return <p className="empty">Preflight found nothing.</p>;
  return (
    <details>
      <summary>{count(findings.warnings, "warning")} of preflight</summary>
      <Table label="Findings of preflight" heads={["Check", "About", "What is wrong"]}>
        <tbody>
          {findings.first.map((finding, index) => (
            <tr key={`${String(index)}-${finding.code}`}>
              <td>{finding.code}</td>
              <td>{finding.subject}</td>
              <td>{finding.message}</td>
            </tr>
          ))}
        </tbody>
      </Table>
    </details>
  );
}

/** All of a Complete run: in the console, and as the report page. */
export function RunOverview({
  overview,
  print,
  children,
}: {
  overview: Overview;
  print?: boolean;
  /** What comes before the options and the input. */
  children?: ReactNode;
}) {
  return (
    <>
      <ValueTiles overview={overview} />
      <Card title="How the value comes about">
        <Waterfall
          steps={overview.waterfall}
          label="From the loans where they are now to the value of the run."
        />
      </Card>
      {overview.certificate && (
        <Card title="How far from the best possible">
          <Certificate certificate={overview.certificate} />
        </Card>
      )}
      <Card title="Trades" long>
        <TradeBars trades={overview.trades} first={print ? 30 : 12} />
      </Card>
      <Card title="Kickouts">
        <Kickouts kickouts={overview.kickouts} />
      </Card>
      <Card title="Where loans come from and go to">
        <FlowChart byTrade={overview.flow} byInstrument={overview.instrument_flow} />
      </Card>
      <Card title="Pool moves" long>
        <Moves moves={overview.moves} />
      </Card>
      {children}
      <div className="columns">
        <Card title="Options">
          <Options run={overview.run} />
        </Card>
        <Card title="Identity and input">
          <Identity run={overview.run} />
          <Provenance run={overview.run} />
        </Card>
      </div>
      <Card title="Log" long>
        <Findings findings={overview.findings} />
        <Log log={overview.log} />
      </Card>
    </>
  );
}
