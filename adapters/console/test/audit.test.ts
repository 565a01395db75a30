import { describe, expect, it } from "vitest";
import { sealOf } from "../src/api/jobs";
import { PAGE_ROWS, withPage, type KnownPages } from "../src/api/rows";
import { bytes } from "../src/format";

const NONE: KnownPages = { cursors: [null], rows: 0, complete: false, total: null };
const page = (rows: number, next: string | null, total: number | null = null) => ({
  rows: Array.from({ length: rows }, () => ({})),
  next,
  total,
});

describe("pages of a table", () => {
  it("are known one after the other, up to the last", () => {
    const one = withPage(NONE, 0, page(PAGE_ROWS, "b"));
    expect(one).toEqual({ cursors: [null, "b"], rows: 500, complete: false, total: null });
    const two = withPage(one, 1, page(7, null, 507));
    expect(two).toEqual({ cursors: [null, "b"], rows: 507, complete: true, total: 507 });
  });
  it("tell nothing new when they are read again", () => {
    const one = withPage(NONE, 0, page(PAGE_ROWS, "b"));
    expect(withPage(one, 0, page(PAGE_ROWS, "b"))).toBe(one);
    const two = withPage(one, 1, page(0, null));
    expect(withPage(two, 1, page(0, null))).toBe(two);
  });
});

describe("a file of a seal", () => {
  const seal = { tenant: "ACME", exported_at: "2026-01-15T10:00:00Z", seq: 4, position: 37 };
  it("is taken as the program writes it", () => {
    const whole = { ...seal, seal: "0a".repeat(32) };
    expect(sealOf(JSON.stringify(whole))).toEqual(whole);
    const { seq, position } = seal;
    const first = { seq, position, seal: whole.seal };
    expect(sealOf(JSON.stringify(first))).toEqual({ ...first, tenant: null, exported_at: null });
  });
  it("is nothing else", () => {
    for (const text of ["", "null", "[]", "{}", JSON.stringify({ ...seal, seal: "0a" })]) {
      expect(sealOf(text)).toBeNull();
    }
  });
});

it("space is read at a glance", () => {
  expect([0, 999, 1000, 5_240_000, 1.4e9].map(bytes)).toEqual([
    "0 B",
    "999 B",
    "1.0 kB",
    "5.2 MB",
    "1.4 GB",
  ]);
});
