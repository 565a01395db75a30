import { CSPProvider } from "@base-ui/react/csp-provider";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ProblemError } from "./api/problem";
import { sessionQuery } from "./api/session";
import { router } from "./router";
import { applyTheme } from "./shell/theme";
import "./styles.css";

applyTheme();

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      // A refusal does not change by asking again; a connection that broke may.
      retry: (failures, error) =>
        failures < 2 && (!(error instanceof ProblemError) || error.problem.status >= 502),
    },
  },
});
client.getQueryCache().subscribe((event) => {
  // The token was revoked or the session is over: whatever is open, sign in again.
  if (event.type !== "updated" || event.action.type !== "error") return;
  const error: unknown = event.action.error;
  if (error instanceof ProblemError && error.problem.status === 401) {
    void client.invalidateQueries({ queryKey: sessionQuery.queryKey });
  }
});

// While the first page's script loads.
void client.prefetchQuery(sessionQuery);

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <CSPProvider disableStyleElements>
        <QueryClientProvider client={client}>
          <RouterProvider router={router} />
        </QueryClientProvider>
      </CSPProvider>
    </StrictMode>,
  );
}
