import { describe, expect, it } from "vitest";
import {
  dollars,
  grouped,
  moment,
  percent,
  points,
  short,
  shortDollars,
  span,
  toCents,
  words,
} from "../src/format";

describe("numbers", () => {
  it("groups thousands and keeps every digit", () => {
    expect(grouped("1498746502.17")).toBe("1,498,746,502.17");
    expect(grouped("12345678901234567890.12345678")).toBe("12,345,678,901,234,567,890.12345678");
    expect(grouped("-999")).toBe("−999");
    expect(grouped(0)).toBe("0");
  });
  it("leaves text that is no number", () => {
    expect(grouped("<b>1000</b>")).toBe("<b>1000</b>");
    expect(grouped("1e9")).toBe("1e9");
  });
  it("cuts exact dollars to the cent", () => {
    expect(["4663720.294781", "-0.999", "12.5", "7"].map(toCents)).toEqual([
      "4663720.29",
      "-0.99",
      "12.5",
      "7",
    ]);
  });
  it("writes dollars with the sign in front", () => {
    expect(dollars("-23945369.35")).toBe("−$23,945,369.35");
    expect(dollars("0.00")).toBe("$0.00");
  });
  it("shortens dollars and rounds into the next unit", () => {
    expect(shortDollars("1498746502.17")).toBe("$1.50 bn");
    expect(shortDollars("999960")).toBe("$1.00 M");
    expect(shortDollars("-820464.38")).toBe("−$820 k");
    expect(shortDollars("12.4")).toBe("$12");
  });
  it("drops zeros of points, but not of dollars and 32nds", () => {
    expect(points("93.34765625")).toBe("93.34765625");
    expect(points("99.50000000")).toBe("99.50");
    expect(points("100.12500000")).toBe("100.125");
  });
  it("writes shares as percent", () => {
    expect(percent(0.8341)).toBe("83.4 %");
  });
});

describe("moments", () => {
  it("are ISO to the second", () => {
    expect(moment("2026-11-29T17:19:29.899589Z")).toBe("2026-11-29 17:19:29Z");
  });
  it("span seconds, minutes, and hours", () => {
    expect(span("2026-01-01T00:00:00Z", "2026-01-01T00:00:01.930Z")).toBe("1.9 s");
    expect(span("2026-01-01T00:00:00Z", "2026-01-01T00:01:05Z")).toBe("1 min 5 s");
    expect(span("2026-01-01T00:00:00Z", "2026-01-01T02:05:00Z")).toBe("2 h 5 min");
    expect(span("2026-01-01T00:00:01Z", "2026-01-01T00:00:00Z")).toBe("");
  });
});

describe("names", () => {
  it("become words", () => {
    expect(words("CapacityExhausted")).toBe("Capacity exhausted");
    expect(words("best_fit")).toBe("Best fit");
  });
  it("are cut with a mark", () => {
    expect(short("0123456789abcdef", 4)).toBe("0123…");
    expect(short("0123", 4)).toBe("0123");
  });
});
