import { queryOptions } from "@tanstack/react-query";
import type { components } from "../generated/schema";
import { isDecimal } from "../values";
import { answer, api } from "./client";

/** An option of a run, as the service describes it. */
export type OptionField = components["schemas"]["OptionView"];

export const optionsQuery = (tenant: string) =>
  queryOptions({
    queryKey: ["tenant", tenant, "options"],
    queryFn: () => answer(api.GET("/api/powerfill/options")),
  });

/** What a run of the tenant has without this option, as text; empty for none. */
export const usualValue = (field: OptionField): string =>
  typeof field.tenant_value === "string" || typeof field.tenant_value === "number"
    ? String(field.tenant_value)
        .replace(/(\.\d*?)0+$/, "$1")
        .replace(/\.$/, "")
    : "";

/** What is wrong with a value; null if nothing is. An empty value stands for the usual one. */
export function faultOf(field: OptionField, value: string): string | null {
  if (value === "") return null;
  if (field.kind === "date") {
    return /^\d{4}-\d{2}-\d{2}$/.test(value) ? null : "Write a date as 2026-01-15.";
  }
  if (field.kind === "int" && !/^-?\d+$/.test(value)) return "Write a whole number.";
  if (field.kind === "decimal" && !isDecimal(value)) return "Write a number.";
  if (field.kind === "int" || field.kind === "decimal") {
    const { min, max, scale } = field;
    if (typeof min === "number" && Number(value) < min) return `At least ${String(min)}.`;
    if (typeof max === "number" && Number(value) > max) return `At most ${String(max)}.`;
    const decimals = value.split(".")[1]?.length ?? 0;
    if (typeof scale === "number" && decimals > scale) return `At most ${String(scale)} decimals.`;
  }
  return null;
}

/** The options that are set, as a request has them: whole numbers as numbers, decimals as text. */
export function requested(
  fields: readonly OptionField[],
  values: Readonly<Record<string, string>>,
): Record<string, string | number> {
  const options: Record<string, string | number> = {};
  for (const field of fields) {
    const value = values[field.name] ?? "";
    if (value !== "") options[field.name] = field.kind === "int" ? Number(value) : value;
  }
  return options;
}
