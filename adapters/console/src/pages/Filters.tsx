import { useId, useState } from "react";
import type { Column } from "../api/reports";
import { columnName, isNumber } from "./cells";

type Operator = "is" | "ge" | "le" | "empty";

/** A condition as the API spells it: "price.ge=99", "reason=LimitReached", "pool_name=". */
export function condition(name: string, operator: Operator, value: string): string {
  if (operator === "empty") return `${name}=`;
  return `${name}${operator === "is" ? "" : `.${operator}`}=${value}`;
}

/** The same for a person. */
export function conditionWords(text: string): string {
  const at = text.indexOf("=");
  const [name = "", operator] = text.slice(0, at).split(".");
  const value = text.slice(at + 1);
  if (operator === "ge") return `${columnName(name)} is at least ${value}`;
  if (operator === "le") return `${columnName(name)} is at most ${value}`;
  return value === "" ? `${columnName(name)} is empty` : `${columnName(name)} is ${value}`;
}

/** The conditions of a table, which the service applies. */
export function Filters(props: {
  columns: readonly Column[];
  where: readonly string[];
  onChange: (where: string[]) => void;
}) {
  const { columns, where, onChange } = props;
  const id = useId();
  const [name, setName] = useState(columns[0]?.name ?? "");
  const [operator, setOperator] = useState<Operator>("is");
  const [value, setValue] = useState("");
  const column = columns.find((candidate) => candidate.name === name) ?? columns[0];
  if (!column) return null;
  const ready = operator === "empty" || value.trim() !== "";
  return (
    <div className="row">
      <form
        className="row"
        aria-label="Filter"
        onSubmit={(event) => {
          event.preventDefault();
          if (!ready) return;
          const added = condition(column.name, operator, value.trim());
          if (!where.includes(added)) onChange([...where, added]);
          setValue("");
        }}
      >
        <div className="field">
          <label htmlFor={`${id}-column`}>Only rows where</label>
          <select
            id={`${id}-column`}
            value={column.name}
            onChange={(event) => {
              setName(event.target.value);
            }}
          >
            {columns.map((other) => (
              <option key={other.name} value={other.name}>
                {columnName(other.name)}
              </option>
            ))}
          </select>
        </div>
        <div className="field">
          <label htmlFor={`${id}-operator`}>Condition</label>
          <select
            id={`${id}-operator`}
            value={operator}
            onChange={(event) => {
              setOperator(event.target.value as Operator);
            }}
          >
            <option value="is">is</option>
            <option value="ge">is at least</option>
            <option value="le">is at most</option>
            <option value="empty">is empty</option>
          </select>
        </div>
        {operator !== "empty" && (
          <div className="field">
            <label htmlFor={`${id}-value`}>Value</label>
            <input
              id={`${id}-value`}
              value={value}
              inputMode={isNumber(column) ? "decimal" : undefined}
              placeholder={column.kind === "date" ? "2026-01-15" : undefined}
              spellCheck={false}
              onChange={(event) => {
                setValue(event.target.value);
              }}
            />
          </div>
        )}
        <button type="submit" className="button low" disabled={!ready}>
          Add filter
        </button>
      </form>
      {where.map((text) => (
        <button
          type="button"
          key={text}
          className="button tight chip low"
          aria-label={`Remove the filter: ${conditionWords(text)}`}
          onClick={() => {
            onChange(where.filter((other) => other !== text));
          }}
        >
          {conditionWords(text)} <span aria-hidden="true">✕</span>
        </button>
      ))}
    </div>
  );
}
