import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";

/** Goes to a loan or a trade of the run by its id. */
export function Find({ runId }: { runId: string }) {
  const navigate = useNavigate();
  const [id, setId] = useState("");
  const go = (to: "loan" | "trade") => {
    const found = id.trim();
    if (found === "") return;
    if (to === "loan") {
      void navigate({ to: "/runs/$runId/loans/$loanId", params: { runId, loanId: found } });
    } else {
      void navigate({ to: "/runs/$runId/trades/$tradeId", params: { runId, tradeId: found } });
    }
  };
  return (
    <form
      className="find"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        go("loan");
      }}
    >
      <input
        aria-label="Id of a loan or a trade"
        placeholder="Loan or trade"
        value={id}
        spellCheck={false}
        onChange={(event) => {
          setId(event.target.value);
        }}
      />
      <button type="submit" className="button tight">
        Loan
      </button>
      <button
        type="button"
        className="button tight"
        onClick={() => {
          go("trade");
        }}
      >
        Trade
      </button>
    </form>
  );
}
