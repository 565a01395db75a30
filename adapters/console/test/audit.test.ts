import { describe, expect, it } from "vitest";
import { sealOf } from "../src/api/jobs";
import { beginOf, lastPage, NO_PAGES, PAGE_ROWS, withPage } from "../src/api/rows";
import { bytes } from "../src/format";

const page = (rows: number, next: string | null, total: number | null = null) => ({
  rows: Array.from({ length: rows }, () => ({})),
  next,
  total,
});

describe("pages of a table", () => {
  it("are known one after the other, up to the last", () => {
    const one = withPage(NO_PAGES, 0, page(PAGE_ROWS, "b"));
    expect(one).toMatchObject({ rows: 500, complete: false, total: null });
    expect([lastPage(one), beginOf(one, 1)]).toEqual([1, { cursor: "b" }]);
    const two = withPage(one, 1, page(7, null));
    expect(two).toMatchObject({ rows: 507, complete: true, total: null });
    expect(lastPage(two)).toBe(1);
    expect(withPage(two, 0, page(PAGE_ROWS, "b"))).toEqual(two);
  });
  it("can all be read where their number is known", () => {
    const one = withPage(NO_PAGES, 0, page(PAGE_ROWS, "b", 1501));
    expect(lastPage(one)).toBe(3);
    expect(beginOf(one, 0)).toEqual({});
    expect(beginOf(one, 3)).toEqual({ offset: "1500" });
    const last = withPage(one, 3, page(1, null, 1501));
    expect(last).toMatchObject({ rows: 1501, complete: true, total: 1501 });
    expect(beginOf(last, 1)).toEqual({ cursor: "b" });
    expect(lastPage(withPage(NO_PAGES, 0, page(0, null, 0)))).toBe(0);
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
