import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { answer, api } from "../../api/client";
import {
  constraintsQuery,
  movedTo,
  nodeKey,
  nodePath,
  rulesQuery,
  turnsOf,
  unchanged,
  why,
  usesQuery,
  type Constraint,
  type ConstraintUse,
} from "../../api/config";
import { may } from "../../api/session";
import { nodeOf } from "../../api/tries";
import { count, dollars, grouped, percent } from "../../format";
import { num, Table } from "../../parts/Table";
import { Loading, RequestState } from "../../shell/Problem";
import { useTenant } from "../../shell/tenant";
import { textOrNull } from "../../values";
import { Change, TextField, wrongNumber } from "./Change";
import { ACTIONS, RowActions } from "./RowActions";

const share = (value: string | null | undefined) =>
  value === null || value === undefined ? "" : percent(Number(value));

function EditConstraint({ node, onClose }: { node: Constraint; onClose: () => void }) {
  const tenant = useTenant();
  const rules = useQuery(rulesQuery(tenant.tenant_id));
  const [priority, setPriority] = useState(String(node.constraint_priority));
  const [lo, setLo] = useState(node.lo_limit ?? "");
  const [hi, setHi] = useState(node.hi_limit ?? "");
  const [linked, setLinked] = useState<readonly string[]>(node.rules);
  const wrong = [priority, lo, hi].some((value) => wrongNumber(value) !== null);
  const path = nodePath(node);
  const save = async (reason: string) => {
    const query = why(reason);
    const before = [node.constraint_priority, node.lo_limit ?? "", node.hi_limit ?? ""].join();
    if (before !== [priority, lo, hi].join()) {
      await answer(
        api.PUT("/api/powerfill/constraints/{investor_id}/{instrument}/{name}", {
          params: { path, query, header: unchanged(node.token) },
          body: {
            constraint_priority: Number(priority),
            lo_limit: textOrNull(lo),
            hi_limit: textOrNull(hi),
          },
        }),
      );
    }
    const link =
      "/api/powerfill/constraints/{investor_id}/{instrument}/{name}/sec-rules/{rule_name}";
    for (const rule_name of linked.filter((name) => !node.rules.includes(name))) {
      await answer(api.PUT(link, { params: { path: { ...path, rule_name }, query } }));
    }
    for (const rule_name of node.rules.filter((name) => !linked.includes(name))) {
      await answer(api.DELETE(link, { params: { path: { ...path, rule_name }, query } }));
    }
  };
  const place = `constraint:${nodeOf(node)}`;
  const edits = wrong
    ? []
    : [
        ...(Number(priority) === node.constraint_priority ? [] : [`${place}:priority=${priority}`]),
        ...(textOrNull(lo) === (node.lo_limit ?? null) ? [] : [`${place}:lo=${lo.trim()}`]),
        ...(textOrNull(hi) === (node.hi_limit ?? null) ? [] : [`${place}:hi=${hi.trim()}`]),
        ...linked
          .filter((rule) => !node.rules.includes(rule))
          .map((rule) => `${place}:rules+=${rule}`),
        ...node.rules
          .filter((rule) => !linked.includes(rule))
          .map((rule) => `${place}:rules-=${rule}`),
      ];
  return (
    <Change
      title={nameOf(node)}
      save="Save"
      ready={!wrong}
      edits={edits}
      onSave={save}
      onClose={onClose}
    >
      <div className="form-grid">
        <TextField
          label="Priority"
          numeric
          value={priority}
          onChange={setPriority}
          wrong={wrongNumber(priority)}
          help="Lower ones are filled first; equal ones form a turn."
        />
        <TextField
          label="Goal"
          numeric
          value={lo}
          onChange={setLo}
          wrong={wrongNumber(lo)}
          help="Share of the open amount, as 0.15. Empty: none."
        />
        <TextField
          label="Limit"
          numeric
          value={hi}
          onChange={setHi}
          wrong={wrongNumber(hi)}
          help="Share of the open amount, as 0.15. Empty: none."
        />
      </div>
      <fieldset className="choices">
        <legend>Rules that a loan must meet here</legend>
        {rules.isPending && <Loading what="the rules" />}
        {(rules.data?.rows ?? []).map((rule) => (
          <label className="check" key={rule.rule_name}>
            <input
              type="checkbox"
              checked={linked.includes(rule.rule_name)}
              onChange={(event) => {
                setLinked(
                  event.target.checked
                    ? [...linked, rule.rule_name]
                    : linked.filter((name) => name !== rule.rule_name),
                );
              }}
            />
            <span>
              {rule.rule_name} <code className="muted">{rule.rule_syntax}</code>
            </span>
          </label>
        ))}
      </fieldset>
    </Change>
  );
}

/** What the latest run used a constraint for. */
function UseCells({ use }: { use: ConstraintUse | undefined }) {
  if (!use) return <td colSpan={3} />;
  const { used_amount, hi_amount } = use;
  const of = hi_amount && Number(hi_amount) > 0 ? Number(used_amount) / Number(hi_amount) : null;
  return (
    <>
      <td
        className="num"
        title={hi_amount ? `${dollars(used_amount ?? "0")} of ${dollars(hi_amount)}` : undefined}
      >
        {of === null ? "" : percent(of)}
      </td>
      <td className="num">{grouped(use.matched_loans)}</td>
      <td className="num" title={dollars(use.placed_amount)}>
        {grouped(use.placed_loans)}
      </td>
    </>
  );
}

function AddConstraint({ onClose }: { onClose: () => void }) {
  const [investor, setInvestor] = useState("");
  const [instrument, setInstrument] = useState("");
  const [name, setName] = useState("");
  const [priority, setPriority] = useState("10");
  const [hi, setHi] = useState("");
  const node = {
    investor_id: investor.trim(),
    investor_instrument_name: instrument.trim(),
    constraint_name: name.trim(),
  };
  const place = `constraint:${nodeOf(node)}`;
  return (
    <Change
      title="Add a constraint"
      save="Add"
      edits={
        node.investor_id === ""
          ? []
          : [`${place}:add=${priority}`, ...(hi.trim() === "" ? [] : [`${place}:hi=${hi.trim()}`])]
      }
      ready={investor.trim() !== "" && wrongNumber(priority) === null && wrongNumber(hi) === null}
      onClose={onClose}
      onSave={(reason) =>
        answer(
          api.POST("/api/powerfill/constraints", {
            params: { query: why(reason) },
            body: {
              ...node,
              constraint_priority: Number(priority),
              hi_limit: textOrNull(hi),
              lo_limit: null,
            },
          }),
        )
      }
    >
      <div className="form-grid">
        <TextField label="Investor" value={investor} onChange={setInvestor} />
        <TextField
          label="Instrument"
          value={instrument}
          onChange={setInstrument}
          help="Empty: the rules of the whole investor."
        />
        <TextField
          label="Constraint"
          value={name}
          onChange={setName}
          help="Empty: the instrument itself."
        />
        <TextField
          label="Priority"
          numeric
          value={priority}
          onChange={setPriority}
          wrong={wrongNumber(priority)}
        />
        <TextField label="Limit" numeric value={hi} onChange={setHi} wrong={wrongNumber(hi)} />
      </div>
    </Change>
  );
}

function nameOf(node: Constraint): string {
  const parts = [node.investor_id, node.investor_instrument_name, node.constraint_name];
  return parts.filter((part) => part !== "").join(" · ");
}

type Open = { is: "edit" | "remove"; node: Constraint } | { is: "add" } | { is: "order" } | null;

export function Constraints() {
  const tenant = useTenant();
  const admin = may(tenant.role, "admin");
  const query = useQuery(constraintsQuery(tenant.tenant_id));
  const [changed, setChanged] = useState<ReadonlyMap<string, number>>(new Map());
  const [find, setFind] = useState("");
  const [open, setOpen] = useState<Open>(null);
  const [dragged, setDragged] = useState<string | null>(null);
  const [said, setSaid] = useState("");
  const uses = useQuery(usesQuery(tenant.tenant_id));
  const used = useMemo(
    () => new Map((uses.data?.nodes ?? []).map((node) => [nodeKey(node), node])),
    [uses.data],
  );
  const nodes = useMemo(() => query.data?.rows ?? [], [query.data]);
  const turns = useMemo(() => turnsOf(nodes, changed), [nodes, changed]);
  const roots = nodes.filter((node) => node.investor_instrument_name === "");
  const fits = (node: Constraint) => nameOf(node).toLowerCase().includes(find.toLowerCase());
  const put = (node: Constraint, priority: number) => {
    const next = new Map(changed);
    if (priority === node.constraint_priority) next.delete(nodeKey(node));
    else next.set(nodeKey(node), priority);
    setChanged(next);
    setSaid(`${nameOf(node)} is now in the turn of priority ${String(priority)}`);
  };
  const close = () => {
    setOpen(null);
  };
  if (!query.data) return <RequestState of={query} what="the constraints" />;
  if (nodes.length === 0) {
    return (
      <div className="empty">
        <strong>No constraint is managed here</strong>
        <p>
          The runs of this tenant take the configuration from the source, or none was imported yet:{" "}
          <code>powerfill config import</code>.
        </p>
        {admin && (
          <button
            type="button"
            className="button"
            onClick={() => {
              setOpen({ is: "add" });
            }}
          >
            Add a constraint
          </button>
        )}
        {open?.is === "add" && <AddConstraint onClose={close} />}
      </div>
    );
  }
  const row = (node: Constraint, index: number) => {
    const priority = changed.get(nodeKey(node)) ?? node.constraint_priority;
    const moved = changed.has(nodeKey(node));
    return (
      <tr
        key={nodeKey(node)}
        draggable={admin && index >= 0}
        onDragStart={() => {
          setDragged(nodeKey(node));
        }}
        onDragEnd={() => {
          setDragged(null);
        }}
        className={moved ? "moved" : undefined}
      >
        <th scope="row">
          {node.constraint_name === "" ? (
            <strong>{node.investor_instrument_name || node.investor_id}</strong>
          ) : (
            <>
              {node.investor_instrument_name}: {node.constraint_name}
            </>
          )}
          {index >= 0 && <span className="muted small"> {node.investor_id}</span>}
          {moved && <span className="badge warn">was {node.constraint_priority}</span>}
        </th>
        <td className="num">{share(node.lo_limit)}</td>
        <td className="num">{share(node.hi_limit)}</td>
        <UseCells use={used.get(nodeKey(node))} />
        <td className="text-cell small">{node.rules.join(", ")}</td>
        {admin && (
          <td className="row-actions">
            {index >= 0 &&
              ([-1, 1] as const).map((by) => {
                const to = movedTo(turns, priority, by);
                return (
                  <button
                    key={by}
                    type="button"
                    className="button tight plain"
                    disabled={to === null}
                    aria-label={`${nameOf(node)}: to the ${by < 0 ? "turn before" : "turn after"}`}
                    onClick={() => {
                      if (to !== null) put(node, to);
                    }}
                  >
                    {by < 0 ? "↑" : "↓"}
                  </button>
                );
              })}
            <RowActions
              what={nameOf(node)}
              onEdit={() => {
                setOpen({ is: "edit", node });
              }}
              onRemove={() => {
                setOpen({ is: "remove", node });
              }}
            />
          </td>
        )}
      </tr>
    );
  };
  return (
    <>
      <div className="row">
        <div className="field">
          <input
            type="search"
            aria-label="Find a constraint"
            placeholder="Find"
            value={find}
            onChange={(event) => {
              setFind(event.target.value);
            }}
          />
        </div>
        <span className="muted">
          {count(nodes.length, "constraint")} in {count(turns.length, "turn")}
        </span>
        {admin && (
          <button
            type="button"
            className="button"
            onClick={() => {
              setOpen({ is: "add" });
            }}
          >
            Add a constraint
          </button>
        )}
        {changed.size > 0 && (
          <>
            <button
              type="button"
              className="button primary"
              onClick={() => {
                setOpen({ is: "order" });
              }}
            >
              Save the order ({changed.size} moved)
            </button>
            <button
              type="button"
              className="button"
              onClick={() => {
                setChanged(new Map());
              }}
            >
              Undo
            </button>
          </>
        )}
      </div>
      <p className="visually-hidden" role="status">
        {said}
      </p>
      <p className="muted small">
        {uses.data?.run_id && (
          <>
            Used is the share of the limit that the{" "}
            <Link to="/runs/$runId" params={{ runId: uses.data.run_id }}>
              latest run
            </Link>{" "}
            used, in all trades of the instrument; matched and placed are its loans.{" "}
          </>
        )}
        {admin &&
          "Drag a constraint to another turn, or use its arrows. Nothing changes until the order is saved."}
      </p>
      <Table
        label="Constraints by turn"
        heads={[
          "Constraint",
          num("Goal"),
          num("Limit"),
          num("Used"),
          num("Matched"),
          num("Placed"),
          "Rules",
          ...(admin ? [ACTIONS] : []),
        ]}
      >
        <tbody>
          <tr>
            <th scope="rowgroup" colSpan={admin ? 8 : 7} className="turn">
              Investors: rules of all their instruments
            </th>
          </tr>
          {roots.filter(fits).map((node) => row(node, -1))}
        </tbody>
        {turns.map((turn, index) => (
          <tbody
            key={turn.priority}
            className={dragged === null ? undefined : "drop"}
            onDragOver={(event) => {
              event.preventDefault();
            }}
            onDrop={() => {
              const node = nodes.find((candidate) => nodeKey(candidate) === dragged);
              if (node) put(node, turn.priority);
              setDragged(null);
            }}
          >
            <tr>
              <th scope="rowgroup" colSpan={admin ? 8 : 7} className="turn">
                Turn {index + 1}{" "}
                <span className="muted">
                  priority {turn.priority}, {count(turn.nodes.length, "constraint")}
                </span>
              </th>
            </tr>
            {turn.nodes.filter(fits).map((node, place) => row(node, place))}
          </tbody>
        ))}
      </Table>
      {open?.is === "add" && <AddConstraint onClose={close} />}
      {open?.is === "edit" && (
        <EditConstraint key={nodeKey(open.node)} node={open.node} onClose={close} />
      )}
      {open?.is === "remove" && (
        <Change
          title={`Remove ${nameOf(open.node)}`}
          save="Remove"
          danger
          edits={[`constraint:${nodeOf(open.node)}=out`]}
          onClose={close}
          onSave={(reason) =>
            answer(
              api.DELETE("/api/powerfill/constraints/{investor_id}/{instrument}/{name}", {
                params: {
                  path: nodePath(open.node),
                  query: why(reason),
                  header: unchanged(open.node.token),
                },
              }),
            )
          }
        >
          <p>The history keeps it. Rules that are linked to it must be unlinked first.</p>
        </Change>
      )}
      {open?.is === "order" && (
        <Change
          title="Save the order"
          save="Save the order"
          edits={nodes.flatMap((node) => {
            const priority = changed.get(nodeKey(node));
            return priority === undefined
              ? []
              : [`constraint:${nodeOf(node)}:priority=${String(priority)}`];
          })}
          onClose={close}
          onSave={async (reason) => {
            await answer(
              api.POST("/api/powerfill/constraints/reprioritize", {
                params: { query: why(reason) },
                body: {
                  token: query.data.token,
                  order: nodes.map((node) => ({
                    investor_id: node.investor_id,
                    investor_instrument_name: node.investor_instrument_name,
                    constraint_name: node.constraint_name,
                    constraint_priority: changed.get(nodeKey(node)) ?? node.constraint_priority,
                  })),
                },
              }),
            );
            setChanged(new Map());
          }}
        >
          <ul className="plain">
            {nodes
              .filter((node) => changed.has(nodeKey(node)))
              .map((node) => (
                <li key={nodeKey(node)}>
                  {nameOf(node)}: priority {node.constraint_priority} to{" "}
                  {changed.get(nodeKey(node))}
                </li>
              ))}
          </ul>
        </Change>
      )}
    </>
  );
}
