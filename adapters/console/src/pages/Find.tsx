import { keepPreviousData, queryOptions, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useDeferredValue, useId, useState } from "react";
import { answer, api } from "../api/client";
import { useTenant } from "../shell/tenant";

const searchQuery = (tenant: string, runId: string, text: string) =>
  queryOptions({
    queryKey: ["tenant", tenant, "run", runId, "search", text],
    queryFn: () =>
      answer(
        api.GET("/api/powerfill/runs/{run_id}/search", {
          params: { path: { run_id: runId }, query: { q: text, limit: 12 } },
        }),
      ),
    staleTime: Infinity,
    retry: false,
  });

/** Goes to a loan or a trade of the run by the beginning of its id. */
export function Find({ runId }: { runId: string }) {
  const tenant = useTenant();
  const client = useQueryClient();
  const navigate = useNavigate();
  const list = useId();
  const [text, setText] = useState("");
  const asked = useDeferredValue(text.trim());
  const found = useQuery({
    ...searchQuery(tenant.tenant_id, runId, asked),
    enabled: asked !== "",
    placeholderData: keepPreviousData,
  });
  const go = async () => {
    const id = text.trim();
    if (id === "") return;
    const { loans, trades } = await client
      .ensureQueryData(searchQuery(tenant.tenant_id, runId, id))
      .catch(() => ({ loans: [], trades: [] }));
    const isIt = (other: string) => other.toLowerCase() === id.toLowerCase();
    const only = loans.length + trades.length === 1;
    const trade = trades.find(({ trade_id }) => only || isIt(trade_id));
    const loan = loans.find(({ loan_id }) => only || isIt(loan_id)) ?? loans[0];
    setText("");
    if (trade && !loans.some(({ loan_id }) => isIt(loan_id))) {
      const params = { runId, tradeId: trade.trade_id };
      await navigate({ to: "/runs/$runId/trades/$tradeId", params });
    } else {
      // A loan that takes no part is not found here, but has its page.
      const params = { runId, loanId: loan?.loan_id ?? id };
      await navigate({ to: "/runs/$runId/loans/$loanId", params });
    }
  };
  return (
    <form
      className="find"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        void go();
      }}
    >
      <input
        aria-label="Find a loan or a trade by its id"
        placeholder="Loan or trade"
        list={list}
        value={text}
        spellCheck={false}
        autoComplete="off"
        onChange={(event) => {
          setText(event.target.value);
        }}
      />
      <datalist id={list}>
        {asked !== "" &&
          found.data?.loans.map(({ loan_id }) => (
            <option key={loan_id} value={loan_id} label={`Loan ${loan_id}`} />
          ))}
        {asked !== "" &&
          found.data?.trades.map(({ trade_id }) => (
            <option key={trade_id} value={trade_id} label={`Trade ${trade_id}`} />
          ))}
      </datalist>
      <button type="submit" className="button tight" disabled={text.trim() === ""}>
        Go
      </button>
    </form>
  );
}
