import { Link } from "@tanstack/react-router";
import { useMemo, type ReactNode } from "react";
import { LinksContext, type Links } from "../parts/links";

/** Within it, each id of the run is a link to its page; without a run, an id is text. */
export function RunLinks({ runId, children }: { runId: string | null; children: ReactNode }) {
  const links = useMemo<Links>(
    () =>
      runId === null
        ? {}
        : {
            run: (id, text) => (
              <Link to="/runs/$runId" params={{ runId: id }}>
                {text}
              </Link>
            ),
            loan: (loanId) => (
              <Link to="/runs/$runId/loans/$loanId" params={{ runId, loanId }} preload={false}>
                {loanId}
              </Link>
            ),
            trade: (tradeId) => (
              <Link to="/runs/$runId/trades/$tradeId" params={{ runId, tradeId }} preload={false}>
                {tradeId}
              </Link>
            ),
            rows: (report, filter, text) => (
              <Link
                to="/runs/$runId/tables/$report"
                params={{ runId, report }}
                search={{
                  where: Object.entries(filter).map(([name, value]) => `${name}=${value}`),
                }}
                preload={false}
              >
                {text}
              </Link>
            ),
          },
    [runId],
  );
  return <LinksContext value={links}>{children}</LinksContext>;
}
