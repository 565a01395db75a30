import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { answer, api } from "../../api/client";
import { carryQuery, unchanged, why, type CarryBucket } from "../../api/config";
import { may } from "../../api/session";
import { quoted } from "../../api/tries";
import { grouped, points } from "../../format";
import { num, Table } from "../../parts/Table";
import { useWidth } from "../../parts/width";
import { RequestState } from "../../shell/Problem";
import { useTenant } from "../../shell/tenant";
import { Change, TextField, wrongNumber } from "./Change";
import { ACTIONS, RowActions } from "./RowActions";

/** The buckets of an instrument as steps: rate over days. */
function Curve({ buckets }: { buckets: CarryBucket[] }) {
  const [ref, width] = useWidth(640);
  const height = 190;
  const left = 58;
  const bottom = 26;
  const days = Math.max(...buckets.map((bucket) => bucket.to_day), 1);
  const rates = buckets.map((bucket) => Number(bucket.annual_rate));
  const low = Math.min(0, ...rates);
  const high = Math.max(0, ...rates) || 1;
  const x = (day: number) => left + (day / days) * (width - left - 12);
  const y = (rate: number) => 10 + ((high - rate) / (high - low)) * (height - bottom - 16);
  return (
    <div ref={ref}>
      <svg
        className="chart"
        viewBox={`0 0 ${String(width)} ${String(height)}`}
        role="img"
        aria-label="Annual rate by days; the table has the same"
      >
        {[low, (low + high) / 2, high].map((rate) => (
          <g key={rate}>
            <line className="grid-line" x1={left} x2={width - 12} y1={y(rate)} y2={y(rate)} />
            <text className="faint" x={left - 6} y={y(rate)} dy="0.35em" textAnchor="end">
              {grouped(rate.toFixed(2))} %
            </text>
          </g>
        ))}
        <line className="edge" x1={left} x2={width - 12} y1={y(0)} y2={y(0)} />
        {[0, days / 2, days].map((day) => (
          <text key={day} className="faint" x={x(day)} y={height - 6} textAnchor="middle">
            {Math.round(day)} d
          </text>
        ))}
        {buckets.map((bucket) => (
          <line
            key={bucket.on_day}
            className="curve"
            x1={x(bucket.on_day)}
            x2={Math.max(x(bucket.to_day), x(bucket.on_day) + 3)}
            y1={y(Number(bucket.annual_rate))}
            y2={y(Number(bucket.annual_rate))}
          >
            <title>{`Day ${String(bucket.on_day)} to ${String(bucket.to_day)}: ${bucket.annual_rate} %`}</title>
          </line>
        ))}
      </svg>
    </div>
  );
}

/** A bucket that is added or changed, as edits of a try. */
export function editsOf(
  instrument: string,
  bucket: CarryBucket | null,
  written: { from: string; to: string; rate: string },
): string[] {
  const [from, to, rate] = [written.from.trim(), written.to.trim(), written.rate.trim()];
  const place = `carry:${quoted(instrument)}/${from}`;
  if (bucket === null) return [`${place}:add=to=${to}, rate=${rate}`];
  return [
    ...(to === String(bucket.to_day) ? [] : [`${place}:to=${to}`]),
    ...(rate === bucket.annual_rate ? [] : [`${place}:rate=${rate}`]),
  ];
}

function EditBucket(props: {
  instrument: string;
  bucket: CarryBucket | null;
  onClose: () => void;
}) {
  const { bucket } = props;
  const [name, setName] = useState(props.instrument);
  const instrument = name.trim();
  const [from, setFrom] = useState(bucket ? String(bucket.on_day) : "");
  const [to, setTo] = useState(bucket ? String(bucket.to_day) : "");
  const [rate, setRate] = useState(bucket?.annual_rate ?? "");
  const filled = [name, from, to, rate].every((value) => value.trim() !== "");
  const wrong = [from, to, rate].some((value) => wrongNumber(value) !== null);
  return (
    <Change
      title={bucket ? `Carry of ${props.instrument}` : "Add a bucket"}
      save="Save"
      ready={filled && !wrong}
      edits={filled && !wrong ? editsOf(instrument, bucket, { from, to, rate }) : []}
      onClose={props.onClose}
      onSave={(reason) =>
        answer(
          api.PUT("/api/powerfill/carry-cost/{instrument}/{on_day}", {
            params: {
              path: { instrument, on_day: Number(from) },
              query: why(reason),
              header: unchanged(bucket?.token),
            },
            body: { to_day: Number(to), annual_rate: rate.trim() },
          }),
        )
      }
    >
      <div className="form-grid">
        {bucket === null && <TextField label="Instrument" value={name} onChange={setName} />}
        <TextField
          label="From day"
          numeric
          value={from}
          onChange={setFrom}
          disabled={bucket !== null}
          wrong={wrongNumber(from)}
        />
        <TextField label="To day" numeric value={to} onChange={setTo} wrong={wrongNumber(to)} />
        <TextField
          label="Annual rate, percent"
          numeric
          value={rate}
          onChange={setRate}
          wrong={wrongNumber(rate)}
          help="Below 0: carrying costs."
        />
      </div>
    </Change>
  );
}

export function Carry() {
  const tenant = useTenant();
  const admin = may(tenant.role, "admin");
  const query = useQuery(carryQuery(tenant.tenant_id));
  const [chosen, setChosen] = useState<string | null>(null);
  const [edited, setEdited] = useState<CarryBucket | "new" | null>(null);
  const [removed, setRemoved] = useState<CarryBucket | null>(null);
  const instruments = useMemo(
    () => [...new Set((query.data?.rows ?? []).map((row) => row.investor_instrument_name))],
    [query.data],
  );
  if (!query.data) return <RequestState of={query} what="the carry curve" />;
  const instrument = chosen ?? instruments[0];
  const buckets = query.data.rows.filter((row) => row.investor_instrument_name === instrument);
  return (
    <>
      <div className="row">
        {instrument !== undefined && (
          <label className="field">
            <span className="label">Instrument</span>
            <select
              value={instrument}
              onChange={(event) => {
                setChosen(event.target.value);
              }}
            >
              {instruments.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
        )}
        {admin && (
          <button
            type="button"
            className="button low"
            onClick={() => {
              setEdited("new");
            }}
          >
            Add a bucket
          </button>
        )}
      </div>
      {instrument === undefined ? (
        <p className="empty">No carry curve is managed here.</p>
      ) : (
        <>
          <Curve buckets={buckets} />
          <Table
            label="Buckets of the carry curve"
            heads={[
              num("From day"),
              num("To day"),
              num("Annual rate"),
              ...(admin ? [ACTIONS] : []),
            ]}
          >
            <tbody>
              {buckets.map((bucket) => (
                <tr key={bucket.on_day}>
                  <td className="num">{bucket.on_day}</td>
                  <td className="num">{bucket.to_day}</td>
                  <td className="num">
                    {typeof bucket.annual_rate === "string"
                      ? `${points(bucket.annual_rate)} %`
                      : "none"}
                  </td>
                  {admin && (
                    <td className="row-actions">
                      <RowActions
                        what={`the bucket from day ${String(bucket.on_day)}`}
                        onEdit={() => {
                          setEdited(bucket);
                        }}
                        onRemove={() => {
                          setRemoved(bucket);
                        }}
                      />
                    </td>
                  )}
                </tr>
              ))}
            </tbody>
          </Table>
        </>
      )}
      {edited && (
        <EditBucket
          instrument={instrument ?? ""}
          bucket={edited === "new" ? null : edited}
          onClose={() => {
            setEdited(null);
          }}
        />
      )}
      {removed && instrument !== undefined && (
        <Change
          title={`Remove the bucket from day ${String(removed.on_day)}`}
          save="Remove"
          danger
          edits={[`carry:${quoted(instrument)}/${String(removed.on_day)}=out`]}
          onClose={() => {
            setRemoved(null);
          }}
          onSave={(reason) =>
            answer(
              api.DELETE("/api/powerfill/carry-cost/{instrument}/{on_day}", {
                params: {
                  path: { instrument, on_day: removed.on_day },
                  query: why(reason),
                  header: unchanged(removed.token),
                },
              }),
            )
          }
        />
      )}
    </>
  );
}
