import { useId, type ReactNode } from "react";
import { Scroll } from "./Card";

/** The head of a column. A hidden name is read out, and not shown. */
export type Head = string | { name: string; className?: string; hidden?: boolean };

/** The head of a column of numbers. */
export const num = (name: string): Head => ({ name, className: "num" });

/** A table with one row of heads; its children are its bodies and its foot. */
export function Table(props: {
  label: string;
  heads: readonly Head[];
  caption?: ReactNode;
  children: ReactNode;
}) {
  const id = useId();
  return (
    <>
      {/* Beside the table, so that it is read whole where the table scrolls. */}
      {props.caption && (
        <p id={id} className="muted">
          {props.caption}
        </p>
      )}
      <Scroll label={props.label}>
        <table className="table" aria-describedby={props.caption ? id : undefined}>
          <thead>
            <tr>
              {props.heads.map((head, index) => {
                const { name, className, hidden } =
                  typeof head === "string" ? { name: head } : head;
                return (
                  <th scope="col" key={index} className={className}>
                    {hidden ? <span className="visually-hidden">{name}</span> : name}
                  </th>
                );
              })}
            </tr>
          </thead>
          {props.children}
        </table>
      </Scroll>
    </>
  );
}
