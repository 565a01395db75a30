import { describe, expect, it } from "vitest";
import { entriesOf, withEntry } from "../src/classes";

const TEXT = `# kept as it is
[[difference]]
class = "bug"
note = "a \\"quoted\\" word"
table = "pfill_trade_recap"
verdict = "other_numbers"

# 12 rows; class is bug, enhancement or acceptable_variation
[[difference]]
class = ""
note = ""
date = 2026-11-29
table = "pfill_kickout_guide_01"
verdict = "other_decision"
columns = ["kickout_reason", "candidates"]
key = { loan_id = ["L1", "L2"] }
`;

describe("classifications", () => {
  it("finds entries, and what the proposal says of them", () => {
    const [first, second] = entriesOf(TEXT);
    expect(first).toMatchObject({ class: "bug", note: 'a "quoted" word', rows: "" });
    expect(second).toMatchObject({
      class: "",
      table: "pfill_kickout_guide_01",
      columns: "kickout_reason, candidates",
      rows: "12 rows",
    });
  });
  it("changes an entry and nothing else", () => {
    const text = withEntry(TEXT, 1, { class: "enhancement", note: 'by "us" $& \\' });
    expect(text).toContain('class = "bug"\nnote = "a \\"quoted\\" word"');
    expect(text).toContain('class = "enhancement"\nnote = "by \\"us\\" $& \\\\"\ndate');
    expect(entriesOf(text)[1]).toMatchObject({ class: "enhancement", note: 'by "us" $& \\' });
    expect(withEntry(text, 1, { class: "", note: "" })).toBe(TEXT);
  });
  it("adds a note where there is none", () => {
    const text = withEntry('[[difference]]\nclass = "bug"\n', 0, { note: "seen" });
    expect(text).toBe('[[difference]]\nnote = "seen"\nclass = "bug"\n');
  });
  it("leaves texts alone that have entries in another form", () => {
    expect(entriesOf('difference = [{ class = "bug", table = "*" }]')).toEqual([]);
    expect(entriesOf("")).toEqual([]);
  });
});
