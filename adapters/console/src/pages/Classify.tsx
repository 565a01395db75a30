import { CLASSES, entriesOf, withEntry } from "../classes";
import { count, grouped, words } from "../format";
import { ShowAll, useFirst } from "../parts/ShowAll";
import { num, Table } from "../parts/Table";

/** The entries of a text of classifications as rows of a form; the text beside it follows. */
export function Classify({ text, onChange }: { text: string; onChange: (text: string) => void }) {
  const entries = entriesOf(text);
  const list = useFirst(entries, 20);
  const open = entries.filter((entry) => entry.class === "").length;
  if (entries.length === 0) return null;
  return (
    <>
      <Table
        label="Classes of the differences"
        caption={`${count(entries.length, "kind of difference", "kinds of differences")}, ${grouped(open)} without a class`}
        heads={["Table", "How", "Columns that differ", num("Rows"), "Class", "Note"]}
      >
        <tbody>
          {list.shown.map((entry, at) => (
            <tr key={entry.index}>
              <th scope="row">{entry.table}</th>
              <td className="nowrap">{words(entry.verdict)}</td>
              <td className="text-cell small">{entry.columns}</td>
              <td className="num">{entry.rows.replace(/ rows?$/, "")}</td>
              <td>
                <span className="field">
                  <select
                    aria-label={`Class of difference ${String(at + 1)}`}
                    value={entry.class}
                    onChange={(event) => {
                      onChange(withEntry(text, entry.index, { class: event.target.value }));
                    }}
                  >
                    {CLASSES.map((name) => (
                      <option key={name} value={name}>
                        {name === "" ? "To fill in" : words(name)}
                      </option>
                    ))}
                  </select>
                </span>
              </td>
              <td>
                <span className="field">
                  <input
                    aria-label={`Note on difference ${String(at + 1)}`}
                    value={entry.note}
                    onChange={(event) => {
                      onChange(withEntry(text, entry.index, { note: event.target.value }));
                    }}
                  />
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </Table>
      <ShowAll of={list} text={`Show all ${grouped(entries.length)}`} />
    </>
  );
}
