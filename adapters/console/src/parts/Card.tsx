import { useId, type ReactNode } from "react";

/** A titled part of a page. `long` may break across printed pages. */
export function Card(props: {
  title: ReactNode;
  aside?: ReactNode;
  long?: boolean;
  children: ReactNode;
}) {
  const id = useId();
  return (
    <section className={props.long ? "card long" : "card"} aria-labelledby={id}>
      <div className="head">
        <h2 id={id} className="grow">
          {props.title}
        </h2>
        {props.aside}
      </div>
      {props.children}
    </section>
  );
}

/** A table wider than the screen scrolls by itself, also by keyboard. */
export function Scroll({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="scroll" role="group" aria-label={label} tabIndex={0}>
      {children}
    </div>
  );
}
