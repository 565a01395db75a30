/** An option of a run, as the OpenAPI document describes it. */
export interface OptionField {
  name: string;
  help: string;
  kind: "choice" | "date" | "integer" | "decimal" | "text";
  choices?: readonly string[];
  min?: number;
  max?: number;
  pattern?: string;
}

/** What is wrong with a value; null if nothing is. An empty value stands for the default. */
export function faultOf(field: OptionField, value: string): string | null {
  if (value === "") return null;
  if (field.kind === "integer" && !/^-?\d+$/.test(value)) return "Write a whole number.";
  if (field.kind === "decimal" && !/^-?\d+(\.\d+)?$/.test(value)) return "Write a number.";
  if (field.kind === "integer" || field.kind === "decimal") {
    const number = Number(value);
    if (field.min !== undefined && number < field.min) return `At least ${String(field.min)}.`;
    if (field.max !== undefined && number > field.max) return `At most ${String(field.max)}.`;
  }
  if (field.pattern !== undefined && !new RegExp(field.pattern, "u").test(value)) {
    return field.kind === "date" ? "Write a date as 2026-01-15." : "Too many digits.";
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
    if (value !== "") options[field.name] = field.kind === "integer" ? Number(value) : value;
  }
  return options;
}
