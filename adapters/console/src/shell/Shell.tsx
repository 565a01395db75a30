import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useNavigate, useRouterState, useSearch } from "@tanstack/react-router";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { setTenant } from "../api/client";
import { closeSession, may, sessionQuery, type Session, type SessionTenant } from "../api/session";
import { PATHS } from "../generated/paths";
import { Login } from "./Login";
import { Loading, ProblemNotice } from "./Problem";
import { TenantContext } from "./tenant";
import { useTheme, type Theme } from "./theme";

const KEY = "powerfill-tenant";

/** The tenant of the address, else the one that was shown last, else the first. */
function chosen(session: Session, asked: string | undefined): SessionTenant | undefined {
  const find = (id: string | null | undefined) =>
    session.tenants.find((tenant) => tenant.tenant_id === id);
  let last: string | null = null;
  try {
    last = localStorage.getItem(KEY);
  } catch {
    // Without storage, the first tenant is shown.
  }
  return asked === undefined ? (find(last) ?? session.tenants[0]) : find(asked);
}

/** Everything that a page needs before it asks for anything: a session and a tenant. */
export function Shell() {
  const session = useQuery(sessionQuery);
  const search = useSearch({ strict: false });
  if (session.isPending) return <Loading what="the console" />;
  if (session.isError) {
    return (
      <main className="main">
        <ProblemNotice error={session.error} retry={() => void session.refetch()} />
      </main>
    );
  }
  if (!session.data.authenticated) return <Login />;
  const tenant = chosen(session.data, search.tenant);
  if (!tenant) {
    return (
      <main className="main">
        <div className="notice bad" role="alert">
          <strong>This session does not reach the tenant of the address</strong>
          <p>Choose another tenant, or sign in with a token of this one.</p>
          {session.data.tenants.map((other) => (
            <Link key={other.tenant_id} to="/runs" search={{ tenant: other.tenant_id }}>
              {other.tenant_id}
            </Link>
          ))}
        </div>
      </main>
    );
  }
  // Before any page of the tenant is rendered, so that its requests name it.
  setTenant(tenant.tenant_id);
  return (
    <TenantContext value={tenant}>
      <Frame session={session.data} tenant={tenant} key={tenant.tenant_id}>
        <Outlet />
      </Frame>
    </TenantContext>
  );
}

const NAV = [
  { to: "/runs", params: {}, name: "Runs", needs: "/api/powerfill/runs", role: "viewer" },
  { to: "/try", params: {}, name: "Try", needs: "/api/powerfill/tries", role: "operator" },
  { to: "/brief", params: {}, name: "Brief", needs: "/api/powerfill/brief", role: "viewer" },
  {
    to: "/compare",
    params: {},
    name: "Compare",
    needs: "/api/powerfill/runs/{run_id}/overview",
    role: "viewer",
  },
  {
    to: "/configuration/$part",
    params: { part: "constraints" },
    name: "Configuration",
    needs: "/api/powerfill/constraints",
    role: "viewer",
  },
  {
    to: "/audit",
    params: {},
    name: "Audit",
    needs: "/api/powerfill/verifications",
    role: "viewer",
  },
  {
    to: "/events",
    params: {},
    name: "Events",
    needs: "/api/powerfill/events/stream",
    role: "viewer",
  },
  { to: "/operate", params: {}, name: "Operate", needs: "/api/powerfill/status", role: "viewer" },
] as const;

function Frame(props: { session: Session; tenant: SessionTenant; children: ReactNode }) {
  const [open, setOpen] = useState(false);
  const path = useRouterState({ select: (state) => state.location.pathname });
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  useEffect(() => {
    // A new page is read from its top; the first one keeps the focus of the browser.
    if (first.current) first.current = false;
    else main.current?.focus({ preventScroll: true });
  }, [path]);
  return (
    <div className="frame">
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <header className="side" data-open={open}>
        <div className="brand-row">
          <Link to="/runs" className="brand">
            <svg viewBox="0 0 32 32" aria-hidden="true">
              <rect width="32" height="32" rx="7" />
              <path d="M7 9h18v4H7zm0 6h12v4H7zm0 6h7v4H7z" />
            </svg>
            PowerFill
          </Link>
          <button
            type="button"
            className="button tight menu-button"
            aria-expanded={open}
            onClick={() => {
              setOpen(!open);
            }}
          >
            Menu
          </button>
        </div>
        <nav
          className="nav"
          aria-label="Pages"
          onClick={() => {
            // On a small screen the menu covers the page.
            setOpen(false);
          }}
        >
          {NAV.filter(
            (item) => PATHS.includes(item.needs) && may(props.tenant.role, item.role),
          ).map((item) => (
            <Link
              key={item.to}
              to={item.to}
              params={item.params}
              activeProps={{}}
              aria-current={
                path.split("/")[1] === item.to.split("/")[1] ? ("page" as const) : undefined
              }
            >
              {item.name}
            </Link>
          ))}
        </nav>
        <SideFoot session={props.session} tenant={props.tenant} />
      </header>
      <main className="main" id="content" tabIndex={-1} ref={main}>
        {props.children}
      </main>
    </div>
  );
}

function SideFoot({ session, tenant }: { session: Session; tenant: SessionTenant }) {
  const [theme, setTheme] = useTheme();
  const navigate = useNavigate();
  const client = useQueryClient();
  const logout = useMutation({
    mutationFn: closeSession,
    onSuccess: () => {
      client.clear();
    },
  });
  return (
    <div className="side-foot">
      {session.tenants.length > 1 ? (
        <label className="field">
          <span className="label">Tenant</span>
          <select
            value={tenant.tenant_id}
            onChange={(event) => {
              try {
                localStorage.setItem(KEY, event.target.value);
              } catch {
                // The address names the tenant too.
              }
              void navigate({ to: "/runs", search: { tenant: event.target.value } });
            }}
          >
            {session.tenants.map((other) => (
              <option key={other.tenant_id}>{other.tenant_id}</option>
            ))}
          </select>
        </label>
      ) : (
        <div>
          <div className="muted">Tenant</div>
          <strong>{tenant.tenant_id}</strong>
        </div>
      )}
      <div>
        {tenant.actor} <span className="badge">{tenant.role}</span>
      </div>
      <label className="field">
        <span className="label">Colors</span>
        <select
          value={theme}
          onChange={(event) => {
            setTheme(event.target.value as Theme);
          }}
        >
          <option value="auto">As the system</option>
          <option value="light">Light</option>
          <option value="dark">Dark</option>
        </select>
      </label>
      {session.required && (
        <button
          type="button"
          className="button tight"
          onClick={() => {
            logout.mutate();
          }}
        >
          Sign out
        </button>
      )}
    </div>
  );
}
