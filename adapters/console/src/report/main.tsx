import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import type { Overview } from "../api/overview";
import "../styles.css";
import { Report } from "./Report";

// `powerfill report` writes the run's document here; it is data, and never runs.
const text = document.getElementById("powerfill-report")?.textContent ?? "null";
const overview = JSON.parse(text) as Overview | null;
if (overview) {
  document.title = `${overview.run.tenant_id}, ${overview.run.as_of ?? "no day"}: run ${overview.run.run_id}`;
}

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <Report overview={overview} />
    </StrictMode>,
  );
}
