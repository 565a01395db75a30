import { Link, useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { AsOf } from "./AsOf";
import { Carry } from "./Carry";
import { Constraints } from "./Constraints";
import { History } from "./History";
import { Lockdown } from "./Lockdown";
import { Rules } from "./Rules";
import { Settings } from "./Settings";

const PARTS: Record<string, { name: string; page: ReactNode }> = {
  constraints: { name: "Constraints", page: <Constraints /> },
  rules: { name: "Rules", page: <Rules /> },
  carry: { name: "Carry", page: <Carry /> },
  lockdown: { name: "Lockdown", page: <Lockdown /> },
  settings: { name: "Preflight settings", page: <Settings /> },
  history: { name: "History", page: <History /> },
  "as-of": { name: "As it was", page: <AsOf /> },
};

/** The configuration that the tenant manages. */
export function ConfigurationPage() {
  const { part } = useParams({ from: "/configuration/$part" });
  const shown = PARTS[part];
  return (
    <>
      <h1>Configuration</h1>
      <nav className="tabs" aria-label="Parts of the configuration">
        {Object.entries(PARTS).map(([name, { name: title }]) => (
          <Link
            key={name}
            to="/configuration/$part"
            params={{ part: name }}
            search={{}}
            activeOptions={{ includeSearch: false }}
            activeProps={{ "aria-current": "page" }}
          >
            {title}
          </Link>
        ))}
      </nav>
      <section className="card long" aria-label={shown?.name ?? "Configuration"}>
        {shown ? shown.page : <p className="empty">There is no such part.</p>}
      </section>
    </>
  );
}
