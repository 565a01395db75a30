// Ways through the console that no single page shows: back from each page, by keyboard alone as a
// desk and as an auditor, and through a table of two million rows.
import assert from "node:assert/strict";

/** Each page is as it was after another one and the browser's back; its address restores it. */
export async function backOnEachPage(page, url, pages, settled) {
  for (const [name, [path, , shows]] of Object.entries(pages)) {
    await page.goto(url + path);
    await shows(page).first().waitFor();
    await settled(page);
    const other = name === "operate" ? "Runs" : "Operate";
    const menu = page.getByRole("navigation", { name: "Pages", exact: true });
    const before = page.url();
    await menu.getByRole("link", { name: other, exact: true }).click();
    await page.getByRole("heading", { name: other, level: 1 }).waitFor();
    await page.goBack();
    await shows(page).first().waitFor();
    assert.equal(page.url(), before, `${name}: back leads to another address`);
    await page.reload();
    await shows(page).first().waitFor();
    assert.equal(page.url(), before, `${name}: the address does not stay`);
  }
}

/** Presses Tab until the focus is there. Each stop on the way is on the screen and is marked. */
async function tabTo(page, target) {
  await target.waitFor();
  for (let stop = 0; stop < 400; stop++) {
    await page.keyboard.press("Tab");
    const [isThere, unseen] = await target.evaluate((element) => {
      const at = document.activeElement;
      const marked = [at, at.closest("label"), at.nextElementSibling].some(
        (each) => each && globalThis.getComputedStyle(each).outlineStyle !== "none",
      );
      const { top, bottom, left, right } = at.getBoundingClientRect();
      const isSeen =
        bottom > 0 && top < globalThis.innerHeight && right > 0 && left < globalThis.innerWidth;
      const isAway = at === document.body;
      return [at === element, isAway || (marked && isSeen) ? null : at.outerHTML];
    });
    assert.equal(unseen, null, "the focus cannot be seen");
    if (isThere) return;
  }
  assert.fail(`Tab does not reach ${target}`);
}
async function press(page, target, key = "Enter") {
  await tabTo(page, target);
  await page.keyboard.press(key);
}

/** A desk, by keyboard alone: what a run came to, why a loan is out, and what would have placed it. */
export async function deskByKeyboard(page, url, run) {
  const named = (role, name, exact = true) => page.getByRole(role, { name, exact }).first();
  await page.goto(`${url}/runs`);
  await named("group", "Runs").waitFor();
  // The first stop leads past the menu.
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.tagName), "MAIN");
  // A dialog takes the focus, keeps it, and gives it back.
  const start = named("button", "Start a run");
  await press(page, start);
  const dialog = page.getByRole("dialog");
  await dialog.waitFor();
  for (let stop = 0; stop < 40; stop++) {
    await page.keyboard.press("Tab");
    const inside = await dialog.evaluate((element) => element.contains(document.activeElement));
    assert.ok(
      inside,
      `Tab leaves a dialog for ${await page.evaluate(() => document.activeElement.outerHTML.slice(0, 300))}`,
    );
  }
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  assert.ok(await start.evaluate((element) => element === document.activeElement));
  // Two runs are compared.
  const boxes = page.getByRole("checkbox", { name: /^Compare run/ });
  for (const at of [0, 1]) await press(page, boxes.nth(at), "Space");
  await press(page, page.getByRole("link", { name: "Compare", exact: true }).last());
  await named("heading", "What they are worth").waitFor();
  await page.goBack();
  await press(page, page.locator(`a[href*="${run}"]`).first());
  await named("heading", "How the value comes about").waitFor();
  await press(page, named("link", "Tables"));
  await press(page, named("link", "Kickouts"));
  const grid = named("group", "Kickouts");
  await tabTo(page, grid);
  const last = page.locator(`[role=row][aria-rowindex="${await rowCount(page)}"]`);
  await page.keyboard.press("End");
  await last.waitFor();
  await page.keyboard.press("Home");
  await press(page, page.locator("[role=cell] a").first());
  await named("heading", /^Loan /).waitFor();
  await press(page, named("button", "Find out"));
  await page.getByRole("table").getByText("It then goes to").first().waitFor();
  await page.goBack();
  await grid.waitFor();
}

const rowCount = (page) =>
  page.locator("[role=table][aria-rowcount]").first().getAttribute("aria-rowcount");

/** An auditor, by keyboard alone: event by event through a run, then the store, a seal, a replay. */
export async function auditorByKeyboard(page, url, run) {
  const answered = { timeout: 120_000 };
  const named = (role, name) => page.getByRole(role, { name, exact: true }).first();
  await page.goto(`${url}/runs/${run}`);
  await named("heading", "How the value comes about").waitFor();
  await press(page, named("link", "Time"));
  await page.getByRole("heading", { name: /^Event [0-9,]+: / }).waitFor();
  await tabTo(page, named("slider", "Event"));
  await page.keyboard.press("Home");
  const at = async () =>
    /^Event [0-9,]+ of/.exec(await page.getByText(/^Event [0-9,]+ of/).innerText())[0];
  const first = await at();
  for (let step = 0; step < 20; step++) await page.keyboard.press("ArrowRight");
  await page.waitForFunction((text) => !document.body.innerText.includes(text), first);
  const here = new RegExp(`^${(await at()).replace(" of", ": ")}`);
  await page.getByRole("heading", { name: here }).waitFor();
  // The address follows once the slider rests.
  const version = (await at()).replace(/\D/g, "");
  await page.waitForURL(new RegExp(`[?&]at=${version}\\b`));
  const changes = page.getByRole("region", { name: here });
  await press(page, changes.getByRole("link").first());
  await page.getByRole("heading", { name: /^Loan / }).waitFor();
  await page.goBack();
  await page.getByRole("heading", { name: here }).waitFor();
  await press(page, named("link", "Audit"));
  const card = (name) => page.getByRole("region", { name, exact: true });
  await press(page, named("button", "Verify everything"));
  await card("The whole store").getByText("Everything matches").waitFor(answered);
  await press(page, named("button", "Take a seal"));
  await page.getByRole("radio").first().waitFor();
  await press(page, named("button", "Check the seal"));
  await card("Seals").getByText("Everything matches").waitFor(answered);
  await press(page, card("A run").getByRole("button", { name: "Replay" }));
  await card("A run").getByText("The engine decided the same again").waitFor(answered);
}

/** The rows on the screen, once they are there: the number, the turn, and the rank of each. */
export async function shownRows(page) {
  const rows = await page.waitForFunction(() => {
    const grid = document.querySelector(".grid-scroll").getBoundingClientRect();
    const shown = [...document.querySelectorAll(".grid-body [role=row]")].filter((row) => {
      const { top, bottom } = row.getBoundingClientRect();
      return top >= grid.top && bottom <= grid.bottom;
    });
    const cells = shown.map((row) => [
      Number(row.getAttribute("aria-rowindex")) - 1,
      ...[0, 1].map((at) => Number(row.children[at].textContent.replaceAll(",", ""))),
    ]);
    // A row that is not read yet has no numbers.
    return cells.length > 5 && cells.every((each) => each.every(Number.isFinite)) && cells;
  });
  return rows.jsonValue();
}

/** Two million rows: each is reached by the bar, by keys, and by the wheel, and is the right one. */
export async function longTable(page, url, run) {
  const total = 2_046_354;
  await page.route(/\/pool-candidates\?/, async (route) => {
    const query = new URL(route.request().url()).searchParams;
    const offset = Number(query.get("offset") ?? query.get("cursor") ?? 0);
    const count = Math.min(Number(query.get("limit")), total - offset);
    const rows = Array.from({ length: count }, (_, at) => ({
      turn: 1,
      candidate_rank: offset + at + 1,
    }));
    const next = offset + count < total ? String(offset + count) : null;
    await route.fulfill({
      contentType: "application/json",
      headers: { "X-Total-Count": String(total) },
      body: JSON.stringify({ rows, next }),
    });
  });
  await page.goto(`${url}/runs/${run}/tables/pool-candidates`);
  await page.getByText("2,046,354 rows").waitFor();
  const grid = page.locator(".grid-scroll");
  /** Waits for the row, and holds every shown row against its number. */
  const shows = async (number, what) => {
    const row = page.locator(`[role=row][aria-rowindex="${number + 1}"]`);
    await row.getByText(number.toLocaleString("en-US"), { exact: true }).last().waitFor();
    const rows = await shownRows(page);
    assert.ok(
      rows.every(([of, , rank]) => of === rank),
      what,
    );
    assert.ok(
      rows.some(([of]) => of === number),
      `${what}: row ${number} is not on the screen`,
    );
  };
  const scrollTo = (part) =>
    grid.evaluate((element, to) => {
      element.scrollTop = (element.scrollHeight - element.clientHeight) * to;
    }, part);
  await scrollTo(1);
  await shows(total, "the end of the bar");
  await scrollTo(0.5);
  const middle = (await shownRows(page))[0][0];
  assert.ok(Math.abs(middle - total / 2) < 100, `the middle of the bar is row ${middle}`);
  await shows(middle + 3, "the middle of the bar");
  await grid.press("End");
  await shows(total, "End");
  await grid.press("PageUp");
  await page.waitForFunction(
    (last) => !document.querySelector(`[aria-rowindex="${last + 1}"]`),
    total,
  );
  await shows((await shownRows(page))[2][0], "a page up");
  await grid.press("Home");
  await shows(1, "Home");
  await scrollTo(0);
  await shows(1, "the beginning of the bar");
  // Row by row over the end of the scroll range of the browser.
  await scrollTo(0.45);
  const from = (await shownRows(page))[0][0];
  for (let step = 1; step <= 40; step++) {
    await grid.evaluate((element) => {
      element.scrollTop += 330;
    });
    await page.waitForFunction(
      (row) => document.querySelector(`[aria-rowindex="${row}"]`) !== null,
      from + 1 + step * 10,
    );
  }
  await shows(from + 402, "row by row");
}
