/** Numbers and dates as people read them. Decimals stay strings: no digit is lost. */

import { difference } from "./money";

const MINUS = "−";

/** "1234567.50" as "1,234,567.50". Text that is no number stays as it is. */
export function grouped(value: string | number): string {
  const text = String(value);
  const match = /^(-?)(\d+)(\.\d+)?$/.exec(text);
  if (!match) return text;
  const [, sign, whole = "", rest = ""] = match;
  return (sign ? MINUS : "") + whole.replace(/\B(?=(\d{3})+$)/g, ",") + rest;
}

/** Points per 100 of par without trailing zeros, but with at least two places. */
export function points(value: string): string {
  return grouped(value.replace(/(\.\d{2}\d*?)0+$/, "$1"));
}

/** Points with eight places, for a column of them. */
export function evenPoints(value: string): string {
  const [whole = "", rest = ""] = value.split(".");
  return grouped(`${whole}.${rest.slice(0, 8).padEnd(8, "0")}`);
}

/** Exact dollars with further places cut off: "4663720.294781" as "4663720.29". */
export function toCents(exact: string): string {
  return exact.replace(/(\.\d\d)\d+$/, "$1");
}

/** Dollars and cents: "−$1,234.50". */
export function dollars(value: string): string {
  const text = grouped(value);
  return text.startsWith(MINUS) ? `${MINUS}$${text.slice(1)}` : `$${text}`;
}

/** Whether an amount is zero, as exact digits say it. */
export const isZero = (value: string) => !/[1-9]/.test(value);

/** A change of dollars: "+$1,234.50"; no change has no sign. */
export function signedDollars(value: string): string {
  return value.startsWith("-") || isZero(value) ? dollars(value) : `+${dollars(value)}`;
}

/** From one number of things to another: "+12"; empty if it is the same. */
export function countChange(before: number, after: number): string {
  const delta = after - before;
  return delta === 0 ? "" : `${delta < 0 ? "" : "+"}${grouped(delta)}`;
}

/** From one amount to another: "+$1,234.50"; empty if it is the same. */
export function moneyChange(before: string, after: string): string {
  const delta = difference(before, after);
  return delta === "0.00" ? "" : signedDollars(delta);
}

/** Dollars to read at a glance: "$1.51 bn", "$820 k". Never for sums: display only. */
export function shortDollars(value: string | number): string {
  const number = Number(value);
  const sign = number < 0 ? MINUS : "";
  const size = Math.abs(number);
  const units: [number, string][] = [
    [1e9, " bn"],
    [1e6, " M"],
    [1e3, " k"],
  ];
  for (const [unit, name] of units) {
    // 999,950 is 1.00 M, and not 1000 k.
    if (size >= unit * 0.9995) {
      const scaled = size / unit;
      return `${sign}$${scaled.toFixed(scaled < 9.995 ? 2 : scaled < 99.95 ? 1 : 0)}${name}`;
    }
  }
  return `${sign}$${size.toFixed(0)}`;
}

/** Bytes to read at a glance: "14.2 MB", in powers of 1000. */
export function bytes(value: number): string {
  const units: [number, string][] = [
    [1e9, "GB"],
    [1e6, "MB"],
    [1e3, "kB"],
  ];
  const unit = units.find(([size]) => value >= size);
  return unit ? `${(value / unit[0]).toFixed(1)} ${unit[1]}` : `${String(value)} B`;
}

/** A share of 1 as percent: "83.4 %". */
export function percent(share: number, places = 1): string {
  return `${(share * 100).toFixed(places)} %`;
}

/** A moment in ISO form to the second, in UTC: "2026-11-29 17:19:29Z". */
export function moment(value: string): string {
  return value.replace("T", " ").replace(/\.\d+(?=Z|[+-])/, "");
}

/** "2.0 s", "1 min 5 s": between two moments. */
export function span(from: string, to: string): string {
  const seconds = (Date.parse(to) - Date.parse(from)) / 1000;
  if (!Number.isFinite(seconds) || seconds < 0) return "";
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${String(minutes)} min ${String(Math.floor(seconds % 60))} s`;
  return `${String(Math.floor(minutes / 60))} h ${String(minutes % 60)} min`;
}

/** The head of a digest or of a run's id; the whole stays in the title. */
export function short(value: string, length = 12): string {
  return value.length > length ? `${value.slice(0, length)}…` : value;
}

/** `CapacityExhausted`, `best_fit`, and `pick_up_amount` as words. */
export function words(name: string): string {
  const text = name
    .replace(/_/g, " ")
    .replace(/\(/g, " (")
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** "1 loan", "4,564 loans". */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${grouped(number)} ${number === 1 ? one : many}`;
}
