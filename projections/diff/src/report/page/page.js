"use strict";
// Shows the differences a page at a time. Texts of the data only ever become text nodes.
(() => {
  const rowsTable = document.getElementById("rows");
  if (!rowsTable) return;
  const data = JSON.parse(document.getElementById("data").textContent);
  const PAGE = 100;
  const PRINTED = 1000;
  const [TABLE, KEY, VERDICT, CELLS, CLASS, NOTE, LOAN] = [0, 1, 2, 3, 4, 5, 6];
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  const make = (name, text, className) => {
    const element = document.createElement(name);
    if (text !== undefined && text !== null) element.textContent = text;
    if (className) element.className = className;
    return element;
  };
  const shown = (text) => (text === null ? "–" : text);
  const cellText = (cell) => cell[0] + " " + shown(cell[1]) + " " + shown(cell[2]);
  const rows = data.rows.map((row, place) => {
    const loan = row[LOAN] < 0 ? null : data.loans[row[LOAN]];
    const key = row[KEY].join(" | ");
    const cells = row[CELLS].map(cellText).join("; ");
    const sought = [row[TABLE], key, data.verdicts[row[VERDICT]], cells, row[CLASS], row[NOTE]].concat(loan || []).join("\n");
    return { row, place, loan, sort: [row[TABLE], key, row[VERDICT], cells, row[CLASS], row[NOTE]], sought: sought.toLowerCase() };
  });
  let found = rows;
  let page = 0;
  let sorted = { column: -1, down: false };
  const filters = ["text", "table", "verdict", "class"].map((id) => document.getElementById(id));
  const [text, table, verdict, className] = filters;
  const where = document.getElementById("where");
  const before = document.getElementById("before");
  const after = document.getElementById("after");
  const head = rowsTable.tHead;
  const body = rowsTable.tBodies[0];

  const titles = ["Table", "Key", "Verdict", data.labels.join(" → "), "Class", "Note"];
  const headRow = head.insertRow();
  const heads = titles.map((title, column) => {
    const cell = make("th");
    cell.scope = "col";
    const button = make("button", title);
    button.type = "button";
    button.addEventListener("click", () => {
      sorted = { column, down: sorted.column === column && !sorted.down };
      update();
    });
    cell.append(button);
    headRow.append(cell);
    return cell;
  });

  function story(loan) {
    const box = make("div", null, "story");
    const list = make("dl");
    const said = [[data.labels[0], loan[0]], [data.labels[1], loan[1]], ["parted", loan[2]], ["because", loan[3]]];
    for (const [name, value] of said) {
      if (value) list.append(make("dt", name), make("dd", value));
    }
    box.append(list);
    return box;
  }

  function tableRow(item) {
    const { row, loan } = item;
    const line = make("tr");
    line.append(make("td", row[TABLE], "whole"));
    const key = make("td", null, "key");
    key.append(make("span", row[KEY].map((part) => part || "–").join(" | ")));
    const cells = make("td");
    for (const [column, here, there, decision] of row[CELLS]) {
      const cell = make("div", null, decision ? "cell decision" : "cell");
      cell.append(make("span", column + ": ", "column"), shown(here), " → ", shown(there));
      cells.append(cell);
    }
    if (loan) {
      const button = make("button", "why", "toggle");
      const box = story(loan);
      button.type = "button";
      button.setAttribute("aria-expanded", "false");
      button.setAttribute("aria-label", "why " + row[KEY].join(" | "));
      button.addEventListener("click", () => {
        button.setAttribute("aria-expanded", String(box.classList.toggle("open")));
      });
      key.append(button);
      cells.append(box);
    }
    line.append(key, make("td", data.verdicts[row[VERDICT]], "verdict v-" + row[VERDICT]), cells);
    line.append(make("td", row[CLASS], row[CLASS] === "unclassified" ? "whole class-unclassified" : "whole"));
    line.append(make("td", row[NOTE]));
    return line;
  }

  function draw(items) {
    body.replaceChildren(...items.map(tableRow));
  }

  function drawPage() {
    const pages = Math.max(1, Math.ceil(found.length / PAGE));
    page = Math.min(Math.max(page, 0), pages - 1);
    draw(found.slice(page * PAGE, (page + 1) * PAGE));
    before.disabled = page === 0;
    after.disabled = page === pages - 1;
    const count = (number) => number.toLocaleString("en-US");
    const of = found.length === rows.length ? "" : " of " + count(rows.length);
    where.textContent = count(found.length) + of + " differences, page " + count(page + 1) + " of " + count(pages);
  }

  function update() {
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    found = rows.filter(({ row, sought }) =>
      (!table.value || row[TABLE] === table.value) &&
      (!verdict.value || row[VERDICT] === verdict.value) &&
      (!className.value || row[CLASS] === className.value) &&
      words.every((word) => sought.includes(word)));
    const { column, down } = sorted;
    if (column >= 0) {
      const sign = down ? -1 : 1;
      found.sort((a, b) => sign * collator.compare(a.sort[column], b.sort[column]) || a.place - b.place);
    }
    heads.forEach((cell, at) => {
      const order = at !== column ? null : down ? "descending" : "ascending";
      if (order) cell.setAttribute("aria-sort", order);
      else cell.removeAttribute("aria-sort");
      cell.firstChild.textContent = titles[at] + (order ? (down ? " ▼" : " ▲") : "");
    });
    page = 0;
    drawPage();
  }

  for (const filter of filters) filter.addEventListener("input", update);
  const form = document.getElementById("filters");
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(update));
  before.addEventListener("click", () => { page -= 1; drawPage(); });
  after.addEventListener("click", () => { page += 1; drawPage(); });
  // Paper has no pages to turn: print what the filters let through, as far as that is readable.
  addEventListener("beforeprint", () => {
    draw(found.slice(0, PRINTED));
    if (found.length > PRINTED) where.textContent += "; the first " + PRINTED + " are printed";
  });
  addEventListener("afterprint", drawPage);
  update();
})();
