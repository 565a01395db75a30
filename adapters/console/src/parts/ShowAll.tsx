import { useState } from "react";

/** The first members of a list, until all are asked for. */
export function useFirst<T>(list: readonly T[], first: number) {
  const [all, setAll] = useState(false);
  return {
    shown: all ? list : list.slice(0, first),
    /** How many are beyond the first ones, and whether these are shown too. */
    more: Math.max(0, list.length - first),
    all,
    toggle: () => {
      setAll(!all);
    },
  };
}

/** Shows the members beyond the first ones of a list, or hides them again. */
export function ShowAll(props: {
  of: { more: number; all: boolean; toggle: () => void };
  text: string;
  className?: string;
}) {
  const { more, all, toggle } = props.of;
  if (more === 0) return null;
  return (
    <button type="button" className={props.className ?? "button no-print"} onClick={toggle}>
      {all ? "Show fewer" : props.text}
    </button>
  );
}
