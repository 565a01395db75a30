// Drives the console in Chromium over a real `powerfill serve` with the data of `powerfill demo`:
// each page with axe at three widths, ways through them by keyboard, each kind of change, two tabs that edit at once, a service that
// restarts during a run, a token that is revoked, and pages of others that follow events. Screenshots
// go to a folder, for people.
//
// Environment: POWERFILL, the program; CHROMIUM, the browser; SCREENSHOTS, the folder; FULL_PAGE=1,
// screenshots of whole pages and not of their first screen; PARTS, the names of the parts to run; DIST,
// built files in place of those in the program, to try a build of the console without one of the program.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { auditorByKeyboard, backOnEachPage, deskByKeyboard, longTable } from "./walks.mjs";

const require = createRequire(import.meta.url);
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const program = process.env.POWERFILL ?? "../../target/debug/powerfill";
const shots = process.env.SCREENSHOTS ?? "../../target/console";
const fullPage = process.env.FULL_PAGE === "1";
const parts = process.env.PARTS?.split(",");
mkdirSync(shots, { recursive: true });
const folder = mkdtempSync(join(tmpdir(), "powerfill-console-"));
const services = new Set();

const powerfill = (...args) => execFileSync(program, args, { cwd: folder, encoding: "utf8" });

/** Starts the service and waits for the line that names its address. */
function serve(...args) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, ["serve", ...args], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
    });
    services.add(child);
    let log = "";
    child.stderr.on("data", (data) => (log += data));
    child.on("exit", () => services.delete(child));
    child.on("error", reject);
    child.stdout.on("data", (data) => {
      const address = /http:\/\/\S+:\d+/.exec(String(data));
      if (address) resolve({ url: address[0].replace(/,$/, ""), child });
    });
    child.on("exit", (code) => reject(new Error(`serve ended with ${code}: ${log}`)));
  });
}
const stopped = ({ child }) =>
  new Promise((resolve) => {
    child.on("exit", resolve);
    child.kill("SIGTERM");
  });

/** A JSON request past the browser, on this machine without a token. */
async function ask(url, path, body) {
  const response = await fetch(`${url}/api/powerfill${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { "X-Tenant-Id": "GENERATED", "Content-Type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  assert.ok(response.ok, `${path}: ${response.status} ${await response.clone().text()}`);
  return response.json();
}
async function completed(url, runId) {
  for (;;) {
    const run = await ask(url, `/runs/${runId}`);
    if (run.status === "Complete") return run;
    assert.ok(!["Failed", "Cancelled"].includes(run.status), run.status);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** The certificate of a run, which is recorded after the run. */
async function certified(url, runId) {
  for (;;) {
    const { runs } = await ask(url, "/runs");
    const { certificate } = runs.find(({ run_id }) => run_id === runId);
    if (certificate) return certificate;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Answers with the files of a folder, and with the headers of the service for the page. */
const filesOf = (dist) => async (route) => {
  const path = new URL(route.request().url()).pathname;
  if (/^\/(assets\/|favicon)/.test(path)) return route.fulfill({ path: join(dist, path) });
  const response = await route.fetch();
  return route.fulfill({ response, body: readFileSync(join(dist, "index.html")) });
};

/** A page whose every complaint is a failure: scripts, the content policy, missing files. */
async function pageOf(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
  const page = await context.newPage();
  page.complaints = [];
  page.on("pageerror", (error) => page.complaints.push(error.message));
  page.on("console", (message) => {
    // A refused request is shown by the page, and named by the browser too.
    if (message.type() === "error" && !/Failed to load resource/.test(message.text())) {
      page.complaints.push(message.text());
    }
  });
  page.setDefaultTimeout(120_000);
  if (process.env.DIST) await page.route(/^(?!.*\/(api|metrics)\b)/, filesOf(process.env.DIST));
  return page;
}

async function settled(page) {
  await page.locator("h1").first().waitFor();
  await page.waitForFunction(() => !document.querySelector(".loading"));
}

async function accessible(page, name) {
  const found = await page.evaluate(async (source) => {
    if (!globalThis.axe) (0, eval)(source);
    const result = await globalThis.axe.run();
    return result.violations.map(
      (violation) => `${violation.id}: ${violation.nodes.map((node) => node.html).join(" ")}`,
    );
  }, axe);
  assert.deepEqual(found, [], `${name}: axe`);
}

async function look(page, name) {
  await settled(page);
  await accessible(page, name);
  for (const scheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: scheme });
    for (const width of [1280, 360, 2560]) {
      await page.setViewportSize({ width, height: 860 });
      await page.evaluate(
        () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
      );
      const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wider <= 0, `${name}: ${wider} pixels wider than a screen of ${width}`);
      const dark = scheme === "dark" ? "-dark" : "";
      await page.screenshot({ path: join(shots, `${name}-${width}${dark}.png`), fullPage });
      if (width === 360) await accessible(page, `${name}, ${scheme}, ${width} pixels`);
    }
  }
  await page.setViewportSize({ width: 1280, height: 860 });
  await page.emulateMedia({ colorScheme: "light" });
  assert.deepEqual(page.complaints, [], `${name}: complaints of the browser`);
}

/** Each page: its address, the requests that its main content needs, and what that content is. */
function pagesOf({ run, other, loan, trade }) {
  const group = (name) => (page) => page.getByRole("group", { name, exact: true });
  const heading = (name) => (page) => page.getByRole("heading", { name });
  const label = (name) => (page) => page.getByLabel(name);
  const explain = (of) => [new RegExp(`^/runs/${run}/${of}/explain`)];
  return {
    runs: ["/runs", [/^\/runs\?/], group("Runs")],
    run: [`/runs/${run}`, [/\/overview/], heading("How the value comes about")],
    tables: [`/runs/${run}/tables/guide`, [/\/guide\?/], (page) => page.locator("[role=cell]")],
    candidates: [
      `/runs/${run}/tables/pool-candidates?sort=-score&where=["turn=3"]`,
      [/\/pool-candidates\?/],
      (page) => page.locator("[role=cell]"),
    ],
    loan: [
      `/runs/${run}/loans/${loan}`,
      explain(`loans/${loan}`),
      heading("Candidates, as the passes saw them"),
    ],
    trade: [
      `/runs/${run}/trades/${trade}`,
      explain(`trades/${trade}`),
      heading("What filled it, in order"),
    ],
    compare: [
      `/compare?here=${run}&there=${other}`,
      [new RegExp(`^/runs/(${run}|${other})/overview`)],
      heading("What they are worth"),
    ],
    brief: ["/brief", [/^\/brief/], heading("Where the value went")],
    time: [`/runs/${run}/time`, [/\/timeline/, /\/state/], heading(/^Event [0-9,]+: /)],
    try: [
      '/try?tries=[["price_mode=po"],["switch_threshold=0.5"]]',
      [/^\/runs\?/],
      (page) => page.getByRole("button", { name: "Decide 2 tries" }),
    ],
    constraints: [
      "/configuration/constraints",
      [/^\/constraints\?|^\/constraints$/],
      group("Constraints by turn"),
    ],
    rules: ["/configuration/rules", [/^\/sec-rules/], group("Rules")],
    carry: ["/configuration/carry", [/^\/carry-cost/], group("Buckets of the carry curve")],
    lockdown: ["/configuration/lockdown", [/^\/lockdown/], group("Lockdown guide")],
    settings: ["/configuration/settings", [/^\/settings/], (page) => page.locator("dl.facts")],
    history: ["/configuration/history", [/history/], group("History of the configuration")],
    "as-of": [
      "/configuration/as-of?version=170",
      [/^\/configuration\?/],
      group("pfill_constraints"),
    ],
    audit: [`/audit?run=${run}`, [/^\/runs\?/, /^\/jobs/], heading("A run")],
    export: ["/compare/export", [/^\/runs\?/], label(/^Files of the export/)],
    events: ["/events", [/^\/status/, /^\/events\/stream/], group("Events")],
    operate: ["/operate", [/^\/status/, /^\/operate/], heading("Queue")],
  };
}

/** Answers the requests of a page in place of the service, all but that for the session. */
const answering = (page, answer) =>
  page.route("**/api/powerfill/**", (route) => {
    const { pathname, search } = new URL(route.request().url());
    const asked = pathname.replace("/api/powerfill", "") + search;
    return asked.startsWith("/session") ? route.continue() : answer(route, asked);
  });

/** Each page in light and dark at three widths, and that "Compare" of the list leads to its page. */
async function eachPage(browser, url, pages) {
  const page = await pageOf(browser);
  for (const [name, [path, , shows]] of Object.entries(pages)) {
    await page.goto(url + path);
    await shows(page).first().waitFor();
    await look(page, name);
    if (name === "run") {
      const flow = page.getByRole("region", { name: "Where loans come from and go to" });
      await flow.screenshot({ path: join(shots, "flow-1280.png") });
    }
  }
  await page.goto(`${url}/no/such/page`);
  await page.getByText("There is no such page").waitFor();
  await page.goto(`${url}/runs`);
  await settled(page);
  for (const at of [0, 1]) {
    await page
      .getByRole("checkbox", { name: /^Compare run/ })
      .nth(at)
      .check();
  }
  await page.getByRole("link", { name: "Compare", exact: true }).last().click();
  await page.getByRole("heading", { name: "What they are worth" }).waitFor();
  await page.context().close();
}

/** Each page shows its main content with at most two requests: all others are left unanswered. */
async function fewRequests(browser, url, pages) {
  for (const [name, [path, needs, shows]] of Object.entries(pages)) {
    const page = await pageOf(browser);
    const asked = new Set();
    await answering(page, (route, request) => {
      if (!needs.some((need) => need.test(request))) return undefined;
      asked.add(request);
      return route.continue();
    });
    await page.goto(url + path);
    await shows(page).first().waitFor();
    assert.ok(asked.size <= 2, `${name} needs ${[...asked].join(", ")}`);
    await page.context().close();
  }
}

const waitsFor = (page) =>
  page
    .locator(".loading")
    .first()
    .waitFor()
    .then(
      () => true,
      () => false,
    );

/** Each page while it waits, and what it says when the service fails. */
async function waitingAndFailing(browser, url, pages) {
  const problem = {
    type: "urn:powerfill:problem:internal",
    title: "The service has a fault",
    status: 500,
    detail: "The log has the cause under the id of this request.",
    request_id: "01976c2e-0f6b-7b52-9f3e-5d0f6a1c2b34",
  };
  for (const [name, [path]] of Object.entries(pages)) {
    const page = await pageOf(browser);
    let waits = true;
    const held = [];
    const fail = (route) =>
      route.fulfill({
        status: 500,
        contentType: "application/problem+json",
        body: JSON.stringify(problem),
      });
    await answering(page, (route) => (waits ? held.push(route) && undefined : fail(route)));
    await page.goto(url + path);
    assert.ok(await waitsFor(page), `${name} does not say that it loads`);
    await accessible(page, `${name}, waiting`);
    waits = false;
    for (const route of held) await fail(route);
    await page.getByRole("alert").first().waitFor();
    await page.getByText(problem.title).first().waitFor();
    await page.waitForFunction(() => !document.querySelector(".loading"));
    await accessible(page, `${name}, failing`);
    await page.screenshot({ path: join(shots, `${name}-failing.png`) });
    assert.deepEqual(page.complaints, [], `${name}, failing: complaints of the browser`);
    await page.context().close();
  }
}

/** A second tenant that has nothing: each page says so, and the switch between both. */
async function emptyTenant(browser, pages) {
  const settings = readFileSync(join(folder, "powerfill.toml"), "utf8");
  writeFileSync(
    join(folder, "powerfill.toml"),
    `${settings}[tenants.EMPTY]\nstore = "sqlite:empty.db"\n` +
      'source = "dir:powerfill-demo/snapshot"\nconfiguration = "managed"\n',
  );
  powerfill("migrate", "--tenant", "EMPTY");
  const service = await serve("--listen", "127.0.0.1:0");
  const page = await pageOf(browser);
  await page.goto(`${service.url}/runs?tenant=GENERATED`);
  await page.getByRole("group", { name: "Runs" }).waitFor();
  await page.getByRole("combobox", { name: /^Tenant/ }).selectOption("EMPTY");
  await page.getByText("This tenant has no run yet").waitFor();
  assert.equal(new URL(page.url()).searchParams.get("tenant"), "EMPTY");
  // Back leads to the tenant before.
  await page.goBack();
  await page.getByRole("group", { name: "Runs" }).waitFor();
  for (const [name, [path]] of Object.entries(pages)) {
    if (/^\/runs\/|here=/.test(path)) continue;
    const bare = path.replace(/\?.*/, "");
    await page.goto(`${service.url}${bare}?tenant=EMPTY`);
    await settled(page);
    await look(page, `${name}-empty`);
  }
  await page.goto(`${service.url}/operate?tenant=EMPTY`);
  const tenants = page.getByRole("group", { name: "Tenants" });
  await tenants.getByRole("link", { name: "GENERATED" }).click();
  await page.getByRole("group", { name: "Storage by run" }).waitFor();
  await page.context().close();
  await stopped(service);
  writeFileSync(join(folder, "powerfill.toml"), settings);
}

async function tables(browser, url, run) {
  const page = await pageOf(browser);
  await page.goto(`${url}/runs/${run}/tables/guide`);
  await settled(page);
  await page.getByRole("columnheader", { name: "Score" }).getByRole("button").click();
  await page.getByLabel("Only rows where").selectOption({ label: "Pass" });
  await page.getByLabel("Value", { exact: true }).fill("best_fit");
  await page.getByRole("button", { name: "Add filter" }).click();
  await page.getByRole("button", { name: "Remove the filter: Pass is best_fit" }).waitFor();
  await page.waitForFunction(() => document.querySelectorAll("[role=cell]").length > 0);
  // A deep link restores the view, and back leads to where it was.
  await page.reload();
  await settled(page);
  await page.getByRole("button", { name: "Remove the filter: Pass is best_fit" }).waitFor();
  const sorted = page.locator('[role=columnheader][aria-sort="ascending"]');
  assert.match(await sorted.innerText(), /Score/);
  await page.locator("[role=cell] a").first().click();
  await page.getByRole("heading", { name: /^Loan / }).waitFor();
  await page.goBack();
  await page.getByRole("button", { name: "Remove the filter: Pass is best_fit" }).waitFor();
  // The last row is at the end of the bar, and the first one at its beginning, in any order.
  const { counts } = await ask(url, `/runs/${run}`);
  const total = counts.pfill_loan2trade_candy_level_01;
  for (const sort of ["", "?sort=-score"]) {
    await page.goto(`${url}/runs/${run}/tables/pool-candidates${sort}`);
    await settled(page);
    const grid = page.locator(".grid-scroll");
    const link = (row) => page.locator(`[role=row][aria-rowindex="${row}"] a`).first();
    await grid.evaluate((element) => element.scrollTo(0, element.scrollHeight));
    await link(total + 1).waitFor();
    await grid.press("Home");
    await link(2).waitFor();
  }
  assert.ok(
    (await page.locator("[role=row]").count()) < 100,
    "rows beyond the screen are elements",
  );
  // What is shown is downloaded: all its rows, as CSV and as a workbook.
  await page.goto(`${url}/runs/${run}/tables/kickouts?where=["candidates.ge=1"]`);
  await settled(page);
  const group = page.getByRole("group", { name: "Download" });
  const [csvName, csv] = await downloaded(page, group.getByRole("link", { name: "CSV" }));
  assert.equal(csvName, `kickouts-${run}.csv`);
  const wanted = await ask(url, `/runs/${run}/kickouts?candidates.ge=1&limit=5000`);
  assert.equal(readFileSync(csv, "utf8").trim().split("\n").length - 1, wanted.rows.length);
  const [xlsxName, xlsx] = await downloaded(page, group.getByRole("button", { name: "XLSX" }));
  assert.equal(xlsxName, `kickouts-${run}.xlsx`);
  assert.equal(readFileSync(xlsx).subarray(0, 2).toString(), "PK");
  // An id is text, whatever it looks like.
  const hostile = '<img src=x onerror="document.title=1">';
  await page.goto(`${url}/runs/${run}/loans/${encodeURIComponent(hostile)}`);
  await page.getByRole("heading", { name: `Loan ${hostile}` }).waitFor();
  assert.equal(await page.locator("main img").count(), 0);
  assert.deepEqual(page.complaints, []);
  await page.context().close();
}

/** The steps of a run, and a try: decided in the browser's view, recorded nowhere. */
async function timeAndTries(browser, url, run) {
  const page = await pageOf(browser);
  await page.goto(`${url}/runs/${run}/time`);
  await settled(page);
  const at = page.getByText(/^Event [0-9,]+ of/);
  const before = await at.innerText();
  await page.getByRole("button", { name: "One event back" }).click();
  await page.waitForFunction((text) => !document.body.innerText.includes(text), before);
  await page.getByRole("button", { name: /^Best fit, turn 5/ }).click();
  await page.getByRole("heading", { name: /^Event [0-9,]+: / }).waitFor();
  await page.getByRole("button", { name: "Play" }).click();
  await page.getByRole("button", { name: "Pause" }).click();
  // By keyboard: the slider goes an event on, and a loan is followed from event to event.
  const number = async () =>
    Number((await at.innerText()).replace(/^Event ([0-9,]+) of.*/, "$1").replaceAll(",", ""));
  const became = (wanted) =>
    page.getByText(new RegExp(`^Event ${wanted.toLocaleString("en-US")} of`)).waitFor();
  const slider = page.getByRole("slider", { name: "Event" });
  const here = await number();
  await slider.press("ArrowRight");
  await became(here + 1);
  const { rows: moved } = await ask(url, `/runs/${run}/guide?pass=best_fit&limit=1`);
  const loan = moved[0].loan_id;
  const { versions } = await ask(url, `/runs/${run}/steps?loan_id=${loan}`);
  await page.getByLabel("Id of a loan or a trade to follow").fill(loan);
  await page.getByRole("button", { name: "Follow the loan" }).press("Enter");
  await page.getByText(`of loan ${loan}`).waitFor();
  await slider.press("Home");
  const first = await number();
  const wanted = versions.find((version) => version > first);
  await page.getByRole("button", { name: "Its next event" }).press("Enter");
  await became(wanted);
  await page.getByRole("link", { name: loan }).first().waitFor();
  // The address has the event and the loan, and shows both again.
  await page.waitForURL(new RegExp(`at=${wanted}.*loan=${loan}`));
  await page.reload();
  await became(wanted);
  await page.getByText(`of loan ${loan}`).waitFor();
  await page.goto(`${url}/try`);
  await settled(page);
  await page.getByLabel("Value", { exact: true }).fill("po");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByRole("button", { name: "Decide it" }).click();
  await page.getByRole("heading", { name: "Side by side" }).waitFor();
  await accessible(page, "tries");
  // What is kept is a recorded run that is never official.
  await page.getByRole("button", { name: /^Keep / }).click();
  await page.getByLabel("Name", { exact: true }).fill("prices only");
  await page.getByRole("dialog").getByRole("button", { name: "Keep" }).click();
  await page.waitForURL(/\/runs\/[0-9a-f-]{36}/);
  await page
    .getByRole("heading", { name: "How the value comes about" })
    .waitFor({ timeout: 60_000 });
  await page.goto(`${url}/runs?scenarios=true`);
  await page
    .getByRole("cell", { name: "scenario" })
    .or(page.getByText("scenario", { exact: true }))
    .first()
    .waitFor();
  assert.deepEqual(page.complaints, []);
  await page.context().close();
}

/** What would have placed a loan, why it is not in a trade, and loans and trades by a beginning. */
async function questions(browser, url, run) {
  const page = await pageOf(browser);
  const { rows } = await ask(url, `/runs/${run}/kickouts?reason=LimitReached&limit=1`);
  const { loan_id, best_trade_id } = rows[0];
  await page.goto(`${url}/runs/${run}`);
  await settled(page);
  await page.getByLabel("Find a loan or a trade by its id").fill(loan_id.toLowerCase());
  await page.getByRole("button", { name: "Go" }).click();
  await page.getByRole("heading", { name: `Loan ${loan_id}` }).waitFor();
  await page.getByRole("button", { name: "Find out" }).click();
  await page.getByRole("table").getByText("It then goes to").first().waitFor({ timeout: 60_000 });
  await page.getByLabel("Id of a trade").fill(best_trade_id);
  await page.getByRole("button", { name: "Why?" }).click();
  await page.getByText(new RegExp(`Loan ${loan_id} is not in trade ${best_trade_id}`)).waitFor();
  await look(page, "what-if");
  await page.getByLabel("Find a loan or a trade by its id").fill(best_trade_id);
  await page.getByRole("button", { name: "Go" }).click();
  await page.getByRole("heading", { name: `Trade ${best_trade_id}` }).waitFor();
  assert.deepEqual(page.complaints, []);
  await page.context().close();
}

/** A file that a control gives: its name and its path. */
async function downloaded(page, control) {
  const [download] = await Promise.all([
    page.waitForEvent("download", { timeout: 120_000 }),
    control.click(),
  ]);
  return [download.suggestedFilename(), await download.path()];
}

/** What a person takes away of a run: each file is what it says it is. */
async function runFiles(page, within, run) {
  const [evidence, path] = await downloaded(page, within.getByRole("button", { name: "Evidence" }));
  assert.equal(evidence, `${run}.pfe`);
  powerfill("evidence", "verify", path);
  for (const [name, title] of [
    ["Report", "PowerFill"],
    ["Certificate", `Certificate of run ${run}`],
  ]) {
    const control = within.getByRole("button", { name });
    const [file, at] = await downloaded(page, control);
    assert.equal(file, `${run}.${name.toLowerCase()}.html`);
    assert.match(readFileSync(at, "utf8"), new RegExp(`<title>[^<]*${title}`));
    // It opens by itself, without the service.
    const alone = await page.context().newPage();
    await alone.goto(`file://${at}`);
    await alone.getByText(run).first().waitFor();
    await alone.close();
  }
}

/** The store, a seal, and a run are checked, and the evidence is taken away. */
async function auditPage(browser, url, run) {
  const page = await pageOf(browser);
  const answered = { timeout: 120_000 };
  await page.goto(`${url}/audit?run=${run}`);
  await settled(page);
  const card = (name) => page.getByRole("region", { name });
  await page.getByRole("button", { name: "Verify everything" }).click();
  await card("The whole store").getByText("Everything matches").waitFor(answered);
  await page.getByRole("button", { name: "Take a seal" }).click();
  await page.getByRole("radio").first().waitFor();
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    card("Seals").getByRole("button", { name: "Download" }).click(),
  ]);
  assert.match(file.suggestedFilename(), /^GENERATED-.*\.seal$/);
  const seal = join(folder, "kept.seal");
  await file.saveAs(seal);
  powerfill("seal", "check", seal, "--tenant", "GENERATED");
  await page.getByRole("button", { name: "Check the seal" }).click();
  await card("Seals").getByText("Everything matches").waitFor(answered);
  await card("A run").getByRole("button", { name: "Replay" }).click();
  await card("A run").getByText("The engine decided the same again").waitFor(answered);
  await page.evaluate(() => globalThis.scrollTo(0, 0));
  await look(page, "audited");
  // A seal of another log does not fit it.
  const other = { ...JSON.parse(readFileSync(seal, "utf8")), seal: "0".repeat(64) };
  writeFileSync(seal, JSON.stringify(other));
  await card("Seals").locator("input[type=file]").setInputFiles(seal);
  await page.getByRole("button", { name: "Check the seal" }).click();
  await card("Seals").getByText("The evidence is damaged").waitFor(answered);
  await runFiles(page, card("A run"), run);
  await page.context().close();
}

/** Two runs loan by loan, and a run against files of another system. */
async function differences(browser, url, run) {
  const page = await pageOf(browser);
  const { runs } = await ask(url, "/runs?status=Complete&limit=10");
  const other = runs.find(({ run_id }) => run_id !== run).run_id;
  await page.goto(`${url}/compare?here=${run}&there=${other}`);
  await settled(page);
  await page.getByRole("button", { name: "Compare each loan" }).click();
  await page.getByRole("heading", { name: "Table by table" }).waitFor({ timeout: 120_000 });
  await page.getByRole("combobox", { name: /^Show/ }).selectOption("Kicked out before");
  await page.getByText("kicked out: ").first().waitFor();
  const paths = page.getByRole("region", { name: "Loan by loan" });
  await paths.evaluate((element) => element.scrollIntoView());
  await look(page, "differences");
  const kickouts = join(folder, "desk.csv");
  const rows = powerfill(
    ...["tables", run, "pfill_kickout_guide_01", "--format", "csv", "--tenant", "GENERATED"],
  );
  writeFileSync(kickouts, rows.replace("CapacityExhausted", "NoPrice"));
  await page.goto(`${url}/compare/export?run=${run}`);
  await settled(page);
  await page.getByLabel(/^Files of the export/).setInputFiles([kickouts]);
  await page.getByLabel("Mapping").fill("tables = 7");
  await page.getByRole("button", { name: "Compare" }).click();
  await page.getByRole("alert").waitFor();
  await page.getByRole("button", { name: "Draft a mapping" }).click();
  await page.waitForFunction(() => /pfill_kickout/.test(document.querySelector("textarea").value));
  await page.getByRole("button", { name: "Compare" }).click();
  await page.getByText("They differ").waitFor({ timeout: 120_000 });
  await page.getByRole("button", { name: "Add entries for what has no class" }).click();
  // A class is chosen in a row of its own, and the text follows.
  const classes = page.getByRole("combobox", { name: /^Class of difference/ });
  for (const each of await classes.all()) await each.selectOption("bug");
  await page.getByLabel("Note on difference 1").fill('wrong "price"');
  const text = await page.getByLabel("Classifications").inputValue();
  assert.match(text, /class = "bug"\nnote = "wrong \\"price\\""/);
  assert.doesNotMatch(text, /class = ""/);
  await look(page, "classes");
  await page.getByRole("button", { name: "Compare" }).click();
  await page.getByText("Nothing is left to explain").waitFor({ timeout: 120_000 });
  await look(page, "classified");
  // A workbook is an export too: that of the run has its rows, and those of no other run.
  const workbook = await fetch(`${url}/api/powerfill/runs/${run}/workbook`, {
    headers: { "X-Tenant-Id": "GENERATED" },
  });
  const book = join(folder, "desk.xlsx");
  writeFileSync(book, new Uint8Array(await workbook.arrayBuffer()));
  await page.goto(`${url}/compare/export?run=${run}`);
  await settled(page);
  await page.getByLabel(/^Files of the export/).setInputFiles([book]);
  await page.getByRole("button", { name: "Compare" }).click();
  await page.getByText("Nothing is left to explain").waitFor({ timeout: 120_000 });
  await page.getByRole("row", { name: /^Recap of trades/ }).waitFor();
  await page.getByRole("combobox", { name: /^Run/ }).selectOption(other);
  await page.getByRole("button", { name: "Compare" }).click();
  await page.getByText("They differ").waitFor({ timeout: 120_000 });
  await page.getByRole("row", { name: /^Kickouts/ }).waitFor();
  await look(page, "workbook");
  assert.deepEqual(page.complaints, []);
  await page.context().close();
}

async function audit(browser, url, run) {
  const page = await pageOf(browser);
  await page.goto(`${url}/runs/${run}`);
  await settled(page);
  await page.getByRole("button", { name: "Verify" }).click();
  await page.getByText("Everything matches").waitFor();
  await page.getByRole("button", { name: "Replay" }).click();
  await page.getByText("The engine decided the same again").waitFor();
  await page.getByRole("button", { name: "Name or note" }).click();
  await page.getByLabel("Name", { exact: true }).fill("month end");
  await page.getByRole("textbox", { name: "Note" }).fill("signed off");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("month end", { exact: true }).waitFor();
  await runFiles(page, page.getByRole("region", { name: "To keep and to send" }), run);
  await page.context().close();
}

/** How far a run is from the best possible, what binds, and a better allocation. */
async function challenges(browser, url, run) {
  const page = await pageOf(browser);
  const { gap_bp } = await certified(url, run);
  await page.goto(`${url}/runs`);
  await page.getByRole("columnheader", { name: "Gap" }).waitFor();
  await page
    .getByRole("cell", { name: `${gap_bp} bp`, exact: true })
    .first()
    .waitFor();
  await page.goto(`${url}/runs/${run}`);
  const binds = page.getByRole("group", { name: "What binds" });
  await binds
    .getByText(/^room in/)
    .first()
    .waitFor();
  // A trade whose room binds says what more of it is worth.
  const trade = binds
    .locator("tr", { hasText: /^room in/ })
    .getByRole("link")
    .first();
  const worth = binds
    .locator("tr", { hasText: /^room in/ })
    .getByRole("cell")
    .first();
  const dollars = await worth.innerText();
  await trade.click();
  await page
    .getByRole("region", { name: "What more room is worth" })
    .getByRole("cell", { name: dollars, exact: true })
    .waitFor();
  await look(page, "binding-trade");
  await page.goBack();
  const card = page.getByRole("region", { name: "Is there a better allocation?" });
  await card.getByText("No search was made for this run yet.").waitFor();
  await card.getByRole("button", { name: "Look for one" }).click();
  await card.getByRole("button", { name: "Cancel" }).click();
  await card.getByRole("group", { name: "The run and the better allocation" }).waitFor({
    timeout: 120_000,
  });
  await card.getByRole("row", { name: /^From the best possible/ }).waitFor();
  await look(page, "challenge");
  // The settings of this tenant do not allow it, and the page says what to write there.
  await card.getByRole("button", { name: "Adopt it" }).click();
  await page.getByRole("button", { name: "Make an official run" }).click();
  await page.getByRole("alert").getByText("allow_adoption = true").waitFor();
  await accessible(page, "adopt");
  await page.context().close();
}

async function configuration(browser, url) {
  const [one, two] = [await pageOf(browser), await pageOf(browser)];
  const name = /^Edit FHLMC · FH30 5.0 · california$/;
  for (const page of [one, two]) {
    await page.goto(`${url}/configuration/constraints`);
    await settled(page);
    await page.getByRole("button", { name }).click();
    await page.getByRole("dialog").waitFor();
  }
  await accessible(one, "dialog");
  await one.screenshot({ path: join(shots, "constraint-1280.png") });
  await one.getByLabel("Limit").fill("0.2");
  // The effect is shown before anything is saved.
  await one.getByRole("button", { name: "Try it first" }).click();
  await one
    .getByRole("group", { name: "Without and with the change" })
    .waitFor({ timeout: 60_000 });
  await accessible(one, "effect");
  await one.screenshot({ path: join(shots, "effect-1280.png") });
  await one.getByLabel("Why").fill("room for California");
  await one.getByRole("button", { name: "Save" }).click();
  await one.getByRole("dialog").waitFor({ state: "detached" });
  await one.getByText("20.0 %").first().waitFor();
  // The other tab is told, and cannot overwrite it.
  await two.getByLabel("Limit").fill("0.3");
  await two.getByRole("button", { name: "Save" }).click();
  await two.getByText("Another person changed it while this was open").waitFor();
  await two.keyboard.press("Escape");
  await two.getByRole("dialog").waitFor({ state: "detached" });
  await two.getByText("20.0 %").first().waitFor();
  // A new order by dragging, and undone.
  await one.setViewportSize({ width: 1280, height: 1800 });
  await one.getByRole("row", { name: /^FH30 110K 5.5/ }).dragTo(one.getByText(/^Turn 2/));
  await one.setViewportSize({ width: 1280, height: 860 });
  await one.getByRole("button", { name: "Save the order (1 moved)" }).waitFor();
  await one.getByRole("button", { name: "Undo" }).click();
  // A new order by keyboard alone.
  const later = one.getByRole("button", { name: /^FHLMC · FH30 110K 5.0: to the turn after$/ });
  await later.focus();
  await one.keyboard.press("Enter");
  await one.getByRole("button", { name: /^Save the order/ }).click();
  await one.getByRole("dialog").getByRole("button", { name: "Save the order" }).click();
  await one.getByRole("dialog").waitFor({ state: "detached" });
  await one.goto(`${url}/configuration/history`);
  await settled(one);
  const { version } = await ask(url, "/configuration");
  assert.ok(version > 0);
  assert.deepEqual(one.complaints, []);
  // A rule with a fault is refused in words.
  await one.goto(`${url}/configuration/rules`);
  await settled(one);
  await one.getByRole("button", { name: "Add a rule" }).click();
  await one.getByLabel("Name").fill("WRONG");
  await one.getByLabel("A loan meets it if").fill("fico >=");
  await one.getByRole("button", { name: "Save" }).click();
  await one.getByRole("alert").waitFor();
  for (const page of [one, two]) await page.context().close();
}

/** Each kind of row of the configuration is added, changed with its effect before, and removed. */
async function eachChange(browser, url) {
  const page = await pageOf(browser);
  const dialog = page.getByRole("dialog");
  const tried = () =>
    dialog.getByRole("group", { name: "Without and with the change" }).waitFor({ timeout: 60_000 });
  const press = (name) => dialog.getByRole("button", { name, exact: true }).click();
  const done = () => dialog.waitFor({ state: "detached" });
  const open = async (part, name) => {
    if (!page.url().includes(part)) await page.goto(`${url}/configuration/${part}`);
    await settled(page);
    await page.getByRole("button", { name, exact: true }).first().click();
  };
  const save = async (why, name = "Save") => {
    await dialog.getByLabel("Why").fill(why);
    await press(name);
    await done();
  };
  await open("rules", "Add a rule");
  await dialog.getByLabel("Name").fill("strong");
  await dialog.getByLabel("A loan meets it if").fill("fico >= 780");
  await dialog.getByText(/loans? of [0-9,]+ meet/).waitFor();
  await save("a new rule");
  await open("constraints", "Add a constraint");
  await dialog.getByLabel("Investor").fill("FNMA");
  await dialog.getByLabel("Instrument").fill("FN30 6.0");
  await dialog.getByLabel("Constraint").fill("strong ones");
  await press("Try it first");
  await tried();
  await save("a new constraint", "Add");
  await open("constraints", "Edit FNMA · FN30 6.0 · strong ones");
  await dialog.getByLabel(/^strong/).check();
  await save("which loans");
  await page
    .getByRole("row", { name: /strong ones/ })
    .getByText("strong", { exact: true })
    .waitFor();
  await open("constraints", "Edit FNMA · FN30 6.0 · strong ones");
  await dialog.getByLabel(/^strong/).uncheck();
  await save("all loans");
  await open("constraints", "Remove FNMA · FN30 6.0 · strong ones");
  await press("Try it first");
  await tried();
  await save("not wanted", "Remove");
  await open("rules", "Edit rule strong");
  await dialog.getByLabel("A loan meets it if").fill("fico >= 790");
  await press("Try it first");
  await tried();
  await save("stronger");
  await open("rules", "Remove rule strong");
  await save("not used", "Remove");
  await open("carry", "Edit the bucket from day 0");
  await dialog.getByLabel("To day").fill("25");
  await press("Try it first");
  await tried();
  await accessible(page, "a carry bucket");
  await save("a shorter bucket");
  await page.getByRole("cell", { name: "25", exact: true }).waitFor();
  await open("carry", "Add a bucket");
  await dialog.getByLabel("From day").fill("91");
  await dialog.getByLabel("To day").fill("120");
  await dialog.getByLabel("Annual rate, percent").fill("1.5");
  await press("Try it first");
  await tried();
  await save("a longer curve");
  await open("carry", "Remove the bucket from day 91");
  await press("Try it first");
  await tried();
  await save("a shorter curve", "Remove");
  await open("lockdown", "Add a pool");
  await dialog.getByLabel("Pool").fill("P0000002");
  await press("Try it first");
  await tried();
  await save("a new pool");
  await page
    .getByRole("row", { name: /^P0000002/ })
    .getByText("Locked")
    .waitFor();
  await page
    .getByRole("row", { name: /^P0000002/ })
    .getByRole("button")
    .click();
  await page.keyboard.press("Escape");
  await done();
  // The focus is where it was before.
  await page
    .getByRole("row", { name: /^P0000002/ })
    .locator("button:focus")
    .waitFor();
  await open("settings", "Edit");
  await dialog.getByLabel("Lockdown days").fill("3");
  // Another tab is first: nothing of it is overwritten.
  const other = await page.context().newPage();
  await other.goto(`${url}/configuration/settings`);
  await other.getByRole("button", { name: "Edit" }).click();
  await other.getByLabel("Lockdown days").fill("4");
  await other.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await other.getByRole("dialog").waitFor({ state: "detached" });
  await other.close();
  await press("Save");
  await dialog.getByText("Another person changed it while this was open").waitFor();
  await page.keyboard.press("Escape");
  await done();
  await page.getByText("4", { exact: true }).first().waitFor();
  await open("settings", "Edit");
  await dialog.getByLabel("Lockdown days").fill("3");
  await save("a day more");
  await page.getByText("3", { exact: true }).first().waitFor();
  // The history begins with the latest change, and leads to the configuration before it.
  await page.goto(`${url}/configuration/history`);
  const latest = page.getByRole("row").nth(1);
  await latest.getByText("a day more").waitFor();
  const version = Number(await latest.getByRole("link").innerText());
  await latest.getByRole("link").click();
  await page.waitForURL(new RegExp(`version=${version}`));
  await page.getByLabel("Version").fill(String(version - 1));
  await page.getByText("pfill_lockdown_guide").waitFor();
  assert.deepEqual(page.complaints, []);
  await page.context().close();
}

/** Filters of runs and events, and a run that is cancelled while it is followed. */
async function liveLists(browser, url, run) {
  const page = await pageOf(browser);
  await page.goto(`${url}/runs`);
  await page.getByLabel("Requested from").pressSequentially("2999-01-01");
  await page.getByText("No run matches the filter.").waitFor();
  await page.reload();
  await page.getByText("No run matches the filter.").waitFor();
  assert.equal(await page.getByLabel("Requested from").inputValue(), "2999-01-01");
  await page.getByLabel("Requested from").fill("");
  await page.getByRole("group", { name: "Runs" }).waitFor();
  // Events as they come, of a run and with a text.
  await page.goto(`${url}/events?run=${run}`);
  await page.getByRole("rowheader", { name: "RunCompleted" }).waitFor();
  await page.getByLabel("Find in those shown").fill("InvariantsVerified");
  await page.getByRole("rowheader", { name: "InvariantsVerified" }).waitFor();
  assert.equal(await page.getByRole("rowheader", { name: "RunCompleted" }).count(), 0);
  await look(page, "events-filtered");
  // Earlier notes are not shown, whenever they come.
  await page.goto(`${url}/events?type=RunNoted&find=seen%20live`);
  await page.getByText("Live", { exact: true }).waitFor();
  await ask(url, `/runs/${run}/annotations`, { note: "seen live" });
  await page
    .getByRole("button", { name: /^Content of event/ })
    .first()
    .click();
  await page.getByText('"seen live"').waitFor();
  // A run is followed step by step, and ends when it is cancelled.
  const list = await pageOf(browser);
  await list.goto(`${url}/runs`);
  await settled(list);
  const { run_id } = await ask(url, "/run", {});
  await list
    .getByRole("row", { name: new RegExp(run_id.slice(0, 13)) })
    .getByRole("progressbar")
    .waitFor();
  await list.getByRole("button", { name: "Cancel", exact: true }).click();
  await list
    .getByRole("row", { name: new RegExp(run_id.slice(0, 13)) })
    .getByText("Cancelled")
    .waitFor();
  for (const each of [page, list]) {
    assert.deepEqual(each.complaints, []);
    await each.context().close();
  }
}

/** A run is started in the browser; the service ends and comes back; the page follows. */
async function restart(browser, service) {
  const page = await pageOf(browser);
  await page.goto(`${service.url}/runs`);
  await settled(page);
  await page.getByRole("button", { name: "Start a run" }).click();
  await page.getByLabel("Switch threshold").fill("0.25");
  await page.getByRole("button", { name: "Check first" }).click();
  await page.getByRole("button", { name: "Start the run" }).waitFor();
  await accessible(page, "start a run");
  await page.screenshot({ path: join(shots, "start-1280.png") });
  await page.getByRole("button", { name: "Start the run" }).click();
  await page.waitForURL(/\/runs\/[0-9a-f-]{36}/);
  await stopped(service);
  const again = await serve("--listen", new URL(service.url).host);
  await page
    .getByRole("heading", { name: "How the value comes about" })
    .waitFor({ timeout: 60_000 });
  await page.context().close();
  return again;
}

/** A new token for the tenant. */
function newToken(role) {
  const name = ["--name", `${role}-1`];
  const printed = powerfill("token", "create", "--tenant", "GENERATED", "--role", role, ...name);
  return printed.trim().split("\n").at(-1);
}

/** The types of events that a page follows: each run has one of each, in this order. */
const FOLLOWED = ["RunRequested", "InvariantsVerified", "RunCompleted"];

/** Follows events in a page, as a script of a user would. `open` returns the URL of a stream. */
function follow(page, options) {
  return page.evaluate(({ token, after, types }) => {
    globalThis.followed = [];
    let last = after;
    const open = async () => {
      const query = new globalThis.URLSearchParams({
        after: last,
        type: types.join(","),
        named: "false",
      });
      if (token) {
        const headers = { Authorization: `Bearer ${token}`, "X-Tenant-Id": "GENERATED" };
        const url = "/api/powerfill/events/ticket";
        const made = await fetch(url, { method: "POST", headers }).catch(() => null);
        // The service is not back yet.
        if (!made?.ok) return setTimeout(open, 200);
        query.set("ticket", (await made.json()).ticket);
      } else {
        query.set("X-Tenant-Id", "GENERATED");
      }
      const source = new globalThis.EventSource(`/api/powerfill/events/stream?${query}`);
      source.onmessage = (message) => {
        last = message.lastEventId;
        globalThis.followed.push(JSON.parse(message.data).type.split(".").at(-2));
      };
      // With a session, the browser connects again by itself, with Last-Event-ID. A ticket of a
      // service that has ended is refused, and a new one is needed.
      source.onerror = () => {
        globalThis.reconnects = (globalThis.reconnects ?? 0) + 1;
        if (source.readyState === globalThis.EventSource.CLOSED) open();
      };
    };
    return open();
  }, options);
}

/** Two pages follow runs, one with a session and one with tickets; the service ends meanwhile. */
async function eventSources(browser) {
  const [viewer, operator] = [newToken("viewer"), newToken("operator")];
  let service = await serve("--listen", "127.0.0.1:0");
  const call = async (path, method = "GET") => {
    const headers = { Authorization: `Bearer ${operator}`, "X-Tenant-Id": "GENERATED" };
    const body = method === "POST" ? "{}" : undefined;
    headers["Content-Type"] = "application/json";
    const response = await fetch(`${service.url}/api/powerfill${path}`, { method, headers, body });
    assert.ok(response.ok, `${path}: ${response.status} ${await response.clone().text()}`);
    return response.json();
  };
  const after = String((await call("/status")).store.events);
  const [signedIn, withTicket] = [await pageOf(browser), await pageOf(browser)];
  for (const page of [signedIn, withTicket]) await page.goto(`${service.url}/runs`);
  await signedIn.getByLabel("Token").fill(viewer);
  await signedIn.getByRole("button", { name: "Sign in" }).click();
  await settled(signedIn);
  await follow(signedIn, { after, types: FOLLOWED });
  await follow(withTicket, { token: viewer, after, types: FOLLOWED });
  const pages = [signedIn, withTicket];
  const received = (count) =>
    Promise.all(
      pages.map((page) =>
        page.waitForFunction((n) => globalThis.followed.length >= n, count, { timeout: 120_000 }),
      ),
    );
  await call("/run", "POST");
  await received(1);
  // In the middle of the run: its rest is recorded by the next service.
  await stopped(service);
  service = await serve("--listen", new URL(service.url).host);
  await received(3);
  await call("/run", "POST");
  await received(6);
  for (const page of pages) {
    assert.deepEqual(await page.evaluate(() => globalThis.followed), [...FOLLOWED, ...FOLLOWED]);
    assert.ok((await page.evaluate(() => globalThis.reconnects)) > 0);
    await page.context().close();
  }
  await stopped(service);
}

async function tokens(browser) {
  const viewer = newToken("viewer");
  const service = await serve("--listen", "127.0.0.1:0");
  const page = await pageOf(browser);
  await page.goto(`${service.url}/runs`);
  await page.getByLabel("Token").fill("wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").waitFor();
  await accessible(page, "sign in");
  await page.screenshot({ path: join(shots, "sign-in-1280.png") });
  await page.getByLabel("Token").fill(viewer);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Runs", level: 1 }).waitFor();
  await settled(page);
  // What a viewer may not do is not there.
  assert.equal(await page.getByRole("button", { name: "Start a run" }).count(), 0);
  // No script can read the session.
  assert.equal(await page.evaluate(() => document.cookie), "");
  const [id] = powerfill("token", "list", "--format", "csv").trim().split("\n").at(-1).split(",");
  powerfill("token", "revoke", id);
  await page.getByRole("link", { name: "Operate" }).click();
  await page.getByLabel("Token").waitFor();
  await page.context().close();
  await stopped(service);
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
try {
  writeFileSync(
    join(folder, "powerfill.toml"),
    '[tenants.GENERATED]\nstore = "sqlite:powerfill-demo/powerfill.db"\n' +
      'source = "dir:powerfill-demo/snapshot"\nconfiguration = "managed"\n',
  );
  powerfill("demo");
  powerfill("config", "import", "dir:powerfill-demo/snapshot", "--tenant", "GENERATED");
  let service = await serve("--listen", "127.0.0.1:0");
  const { run_id } = await ask(service.url, "/run", { options: { price_mode: "pc" } });
  await completed(service.url, run_id);
  const part = async (name, what) => {
    if (parts && !parts.includes(name)) return;
    const start = Date.now();
    await what();
    console.log(`console, ${name}: ${((Date.now() - start) / 1000).toFixed(1)} s`);
  };
  const [{ loan_id: loan }] = (await ask(service.url, `/runs/${run_id}/kickouts?limit=1`)).rows;
  const short = `/runs/${run_id}/recap?limit=1&fill_status=Under`;
  const [{ trade_id: trade }] = (await ask(service.url, short)).rows;
  const { runs } = await ask(service.url, "/runs?status=Complete");
  const other = runs.find((each) => each.run_id !== run_id).run_id;
  const pages = pagesOf({ run: run_id, other, loan, trade });
  const walk = async (along, ...more) => {
    const page = await pageOf(browser);
    await along(page, service.url, ...more);
    assert.deepEqual(page.complaints, []);
    await page.context().close();
  };
  await part("each page", () => eachPage(browser, service.url, pages));
  await part("few requests", () => fewRequests(browser, service.url, pages));
  await part("back", () => walk(backOnEachPage, pages, settled));
  await part("a desk by keyboard", () => walk(deskByKeyboard, run_id));
  await part("an auditor by keyboard", () => walk(auditorByKeyboard, run_id));
  await part("a long table", () => walk(longTable, run_id));
  await part("waiting and failing", () => waitingAndFailing(browser, service.url, pages));
  await part("tables", () => tables(browser, service.url, run_id));
  await part("time and tries", () => timeAndTries(browser, service.url, run_id));
  await part("questions", () => questions(browser, service.url, run_id));
  await part("checks of a run", () => audit(browser, service.url, run_id));
  await part("challenges", () => challenges(browser, service.url, run_id));
  await part("audit", () => auditPage(browser, service.url, run_id));
  await part("differences", () => differences(browser, service.url, run_id));
  await part("configuration", () => configuration(browser, service.url));
  await part("each change", () => eachChange(browser, service.url));
  await part("live lists", () => liveLists(browser, service.url, run_id));
  await part("restart", async () => {
    service = await restart(browser, service);
  });
  await stopped(service);
  await part("an empty tenant", () => emptyTenant(browser, pages));
  await part("tokens", () => tokens(browser));
  await part("event sources", () => eventSources(browser));
} finally {
  await browser.close();
  for (const child of services) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
}
