/** Entries of a text of classifications (`powerfill diff --classify`), found line by line. */

export const CLASSES = ["", "acceptable_variation", "bug", "enhancement"] as const;

export interface ClassEntry {
  /** The place of the entry among all of the text. */
  index: number;
  class: string;
  note: string;
  table: string;
  verdict: string;
  columns: string;
  /** What the proposal says about its rows: "12 rows". */
  rows: string;
}

const HEAD = /^[ \t]*\[\[[ \t]*difference[ \t]*\]\][ \t]*(?:#.*)?$/gm;
const STRING = '"((?:[^"\\\\\\n]|\\\\.)*)"';
const lineOf = (name: string) => new RegExp(`^([ \\t]*${name}[ \\t]*=[ \\t]*)${STRING}`, "m");

/** Where each entry begins, after its head, and ends. */
function blocks(text: string): [from: number, to: number][] {
  const heads = [...text.matchAll(HEAD)];
  return heads.map((head, at) => [
    head.index + head[0].length,
    heads[at + 1]?.index ?? text.length,
  ]);
}

/** A string of the text; one that is not written as JSON would write it stays as it is. */
function unquoted(inner: string): string {
  try {
    return JSON.parse(`"${inner}"`) as string;
  } catch {
    return inner;
  }
}

const value = (block: string, name: string) => unquoted(lineOf(name).exec(block)?.[2] ?? "");

/** The entries that have a class in a line of its own. Others are left to the text. */
export function entriesOf(text: string): ClassEntry[] {
  return blocks(text).flatMap(([from, to], index) => {
    const block = text.slice(from, to);
    if (!lineOf("class").test(block)) return [];
    // The proposal tells the rows in the line before the head.
    const before = text.slice(0, from).split("\n").slice(-2, -1)[0] ?? "";
    return [
      {
        index,
        class: value(block, "class"),
        note: value(block, "note"),
        table: value(block, "table"),
        verdict: value(block, "verdict"),
        columns: /^[ \t]*columns[ \t]*=[ \t]*\[(.*)\]/m.exec(block)?.[1]?.replaceAll('"', "") ?? "",
        rows: /^# ([\d,]+ rows?)/.exec(before)?.[1] ?? "",
      },
    ];
  });
}

/** The text with another class or note in an entry; the rest stays as it is. */
export function withEntry(
  text: string,
  index: number,
  change: Partial<Pick<ClassEntry, "class" | "note">>,
): string {
  const place = blocks(text)[index];
  if (!place) return text;
  let block = text.slice(...place);
  for (const [name, to] of Object.entries(change)) {
    const line = `${name} = ${JSON.stringify(to)}`;
    block = lineOf(name).test(block)
      ? block.replace(lineOf(name), (_, head: string) => head + JSON.stringify(to))
      : `\n${line}${block}`;
  }
  return text.slice(0, place[0]) + block + text.slice(place[1]);
}
