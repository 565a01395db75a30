import { createContext, use } from "react";
import type { SessionTenant } from "../api/session";

export const TenantContext = createContext<SessionTenant | null>(null);

/** The tenant that is shown, with the role and the name of whoever looks. */
export function useTenant(): SessionTenant {
  const tenant = use(TenantContext);
  if (!tenant) throw new Error("no tenant is chosen");
  return tenant;
}
