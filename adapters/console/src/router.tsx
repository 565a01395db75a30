import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Link,
  redirect,
  retainSearchParams,
} from "@tanstack/react-router";
import { RunsPage } from "./pages/Runs";
import { ProblemNotice } from "./shell/Problem";
import { Shell } from "./shell/Shell";

const text = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;

/** Only the members that are there, so that the address has no empty ones. */
function given<T extends Record<string, unknown>>(members: T) {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

const rootRoute = createRootRoute({
  component: Shell,
  validateSearch: (search: Record<string, unknown>) => given({ tenant: text(search["tenant"]) }),
  search: { middlewares: [retainSearchParams(["tenant"])] },
  notFoundComponent: () => (
    <div className="notice">
      <strong>There is no such page</strong>
      <p>The address may be mistyped or from another version.</p>
      <Link to="/runs">Go to the runs</Link>
    </div>
  ),
});

const homeRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/runs" });
  },
});

const runsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/runs",
  validateSearch: (search: Record<string, unknown>) =>
    given({
      status: text(search["status"]),
      find: text(search["find"]),
      as_of: text(search["as_of"]),
      since: text(search["since"]),
      until: text(search["until"]),
      scenarios: search["scenarios"] === true ? true : undefined,
    }),
  component: RunsPage,
});

export const runRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/runs/$runId",
  component: lazyRouteComponent(() => import("./pages/Run"), "RunPage"),
});

const runOverviewRoute = createRoute({
  getParentRoute: () => runRoute,
  path: "/",
  component: lazyRouteComponent(() => import("./pages/RunHome"), "RunHome"),
});

const texts = (value: unknown): string[] | undefined => {
  const list = (Array.isArray(value) ? value : [value]).filter(
    (item): item is string => typeof item === "string",
  );
  return list.length > 0 ? list : undefined;
};

const tablesRoute = createRoute({
  getParentRoute: () => runRoute,
  path: "tables/$report",
  validateSearch: (search: Record<string, unknown>) =>
    given({
      sort: text(search["sort"]),
      where: texts(search["where"]),
      hide: texts(search["hide"]),
    }),
  component: lazyRouteComponent(() => import("./pages/Tables"), "TablesPage"),
});

const loanRoute = createRoute({
  getParentRoute: () => runRoute,
  path: "loans/$loanId",
  validateSearch: (search: Record<string, unknown>) => given({ trade: text(search["trade"]) }),
  component: lazyRouteComponent(() => import("./pages/Loan"), "LoanPage"),
});

const tradeRoute = createRoute({
  getParentRoute: () => runRoute,
  path: "trades/$tradeId",
  component: lazyRouteComponent(() => import("./pages/Trade"), "TradePage"),
});

const configurationRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/configuration/$part",
  validateSearch: (search: Record<string, unknown>) =>
    given({ version: typeof search["version"] === "number" ? search["version"] : undefined }),
  component: lazyRouteComponent(() => import("./pages/config/Configuration"), "ConfigurationPage"),
});

const compareRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/compare",
  validateSearch: (search: Record<string, unknown>) =>
    given({ here: text(search["here"]), there: text(search["there"]) }),
  component: lazyRouteComponent(() => import("./pages/Compare"), "ComparePage"),
});

const compareExportRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/compare/export",
  validateSearch: (search: Record<string, unknown>) => given({ run: text(search["run"]) }),
  component: lazyRouteComponent(() => import("./pages/Compare"), "CompareExportPage"),
});

const eventsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/events",
  validateSearch: (search: Record<string, unknown>) =>
    given({
      type: text(search["type"]),
      run: text(search["run"]),
      find: text(search["find"]),
    }),
  component: lazyRouteComponent(() => import("./pages/Events"), "EventsPage"),
});

const operateRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/operate",
  component: lazyRouteComponent(() => import("./pages/Operate"), "OperatePage"),
});

const auditRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/audit",
  validateSearch: (search: Record<string, unknown>) => given({ run: text(search["run"]) }),
  component: lazyRouteComponent(() => import("./pages/Audit"), "AuditPage"),
});

const briefRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/brief",
  validateSearch: (search: Record<string, unknown>) =>
    given({ then: text(search["then"]), now: text(search["now"]) }),
  component: lazyRouteComponent(() => import("./pages/Brief"), "BriefPage"),
});

/** Tries as the address has them: lists of edits. */
const lists = (value: unknown): string[][] | undefined => {
  if (!Array.isArray(value)) return undefined;
  const found = value.map((item) => texts(item) ?? []).filter((edits) => edits.length > 0);
  return found.length > 0 ? found.slice(0, 16) : undefined;
};

const tryRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/try",
  validateSearch: (search: Record<string, unknown>) =>
    given({ base: text(search["base"]), tries: lists(search["tries"]) }),
  component: lazyRouteComponent(() => import("./pages/Try"), "TryPage"),
});

const whole = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isInteger(value) && value > 0 ? value : undefined;

const timeRoute = createRoute({
  getParentRoute: () => runRoute,
  path: "time",
  validateSearch: (search: Record<string, unknown>) =>
    given({
      at: whole(search["at"]),
      loan: text(search["loan"]),
      trade: text(search["trade"]),
    }),
  component: lazyRouteComponent(() => import("./pages/Time"), "TimePage"),
});

export const router = createRouter({
  routeTree: rootRoute.addChildren([
    homeRoute,
    runsRoute,
    configurationRoute,
    compareRoute,
    compareExportRoute,
    auditRoute,
    briefRoute,
    tryRoute,
    eventsRoute,
    operateRoute,
    runRoute.addChildren([runOverviewRoute, tablesRoute, loanRoute, tradeRoute, timeRoute]),
  ]),
  defaultErrorComponent: ({ error, reset }) => <ProblemNotice error={error} retry={reset} />,
  defaultPreload: "intent",
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
