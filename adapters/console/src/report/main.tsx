import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "../styles.css";
import { Report, type ReportData } from "./Report";

// `powerfill report` writes the run's document here, with the brief if there is an earlier run; it
// is data, and never runs.
const text = document.getElementById("powerfill-report")?.textContent ?? "null";
const data = JSON.parse(text) as ReportData | null;
if (data) {
  document.title = `${data.run.tenant_id}, ${data.run.as_of ?? "no day"}: run ${data.run.run_id}`;
}

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <Report data={data} />
    </StrictMode>,
  );
}
