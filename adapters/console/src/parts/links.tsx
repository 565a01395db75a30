import { createContext, use, type ReactNode } from "react";

/** How ids of a run become links. The report page has none: there an id is text. */
export interface Links {
  run?: (id: string, text: string) => ReactNode;
  loan?: (id: string) => ReactNode;
  trade?: (id: string) => ReactNode;
  rows?: (report: string, filter: Record<string, string>, text: ReactNode) => ReactNode;
}

export const LinksContext = createContext<Links>({});

export function RunLink({ id, text }: { id: string; text: string }) {
  return use(LinksContext).run?.(id, text) ?? text;
}

export function LoanId({ id }: { id: string }) {
  return use(LinksContext).loan?.(id) ?? id;
}

export function TradeId({ id }: { id: string }) {
  return use(LinksContext).trade?.(id) ?? id;
}

/** Text that leads to the rows of a report that it counts. */
export function Rows(props: {
  report: string;
  filter: Record<string, string>;
  children: ReactNode;
}) {
  return use(LinksContext).rows?.(props.report, props.filter, props.children) ?? props.children;
}
