// Measures the console in Chromium over a service that is running: scrubbing through a run, the first
// sight of a run, and scrolling its candidates. Prints the table of docs/benchmarks.md. It judges
// nothing: a verdict would depend on what else the machine does.
//
//   node test/measure.mjs URL TENANT [PARTS]     PARTS: time,run,scroll
//
// Environment: CHROMIUM, the browser; DIST, built files in place of those in the program.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { shownRows } from "./walks.mjs";

const [url, tenant, wanted = "run,time,scroll"] = process.argv.slice(2);
assert.ok(url && tenant, "usage: node test/measure.mjs URL TENANT [PARTS]");
const dist = process.env.DIST;

async function ask(path) {
  const headers = { "X-Tenant-Id": tenant };
  const response = await fetch(`${url}/api/powerfill${path}`, { headers });
  assert.ok(response.ok, `${path}: ${response.status} ${await response.clone().text()}`);
  return response;
}

const quantile = (sorted, part) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
function times(values) {
  const sorted = values.toSorted((one, other) => one - other);
  const [median, p95, most] = [0.5, 0.95, 1].map((part) => quantile(sorted, part).toFixed(0));
  return `median ${median} ms, p95 ${p95} ms, most ${most} ms`;
}
const line = (what, measured) => console.log(`| ${what} | ${measured} |`);

/** A page that notes long tasks and the gaps between its frames while `what` happens. */
async function pauses(page, what) {
  await page.evaluate(() => {
    const seen = { gaps: [], tasks: [], runs: true };
    globalThis.seen = seen;
    let before = globalThis.performance.now();
    const frame = (now) => {
      seen.gaps.push(now - before);
      before = now;
      if (seen.runs) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    seen.observer = new globalThis.PerformanceObserver((list) => {
      for (const entry of list.getEntries()) seen.tasks.push(entry.duration);
    });
    seen.observer.observe({ entryTypes: ["longtask"] });
  });
  await what();
  const { gaps, tasks } = await page.evaluate(
    () =>
      new Promise((done) => {
        setTimeout(() => {
          const { gaps, tasks, observer } = globalThis.seen;
          globalThis.seen.runs = false;
          observer.disconnect();
          done({ gaps: gaps.slice(1), tasks });
        }, 200);
      }),
  );
  const most = Math.max(0, ...tasks).toFixed(0);
  return `gaps of ${gaps.length} frames: ${times(gaps)}; ${tasks.length} tasks over 50 ms, longest ${most} ms`;
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
  ignoreDefaultArgs: ["--hide-scrollbars"],
});
async function newPage() {
  const page = await browser.newPage({ viewport: { width: 1280, height: 860 } });
  page.setDefaultTimeout(120_000);
  if (dist) {
    await page.route(/^(?!.*\/(api|metrics)\b)/, async (route) => {
      const path = new URL(route.request().url()).pathname;
      if (/^\/(assets\/|favicon)/.test(path)) return route.fulfill({ path: join(dist, path) });
      const response = await route.fetch();
      return route.fulfill({ response, body: readFileSync(join(dist, "index.html")) });
    });
  }
  return page;
}

/** From the request of the page to the frame that shows its main content. */
async function runPage(run) {
  const shown = [];
  for (let round = 0; round < 6; round++) {
    const page = await newPage();
    await page.goto(`${url}/runs?tenant=${tenant}`);
    await page.getByRole("group", { name: "Runs" }).waitFor();
    await page.evaluate((path) => {
      globalThis.begun = globalThis.performance.now();
      globalThis.shown = new Promise((done) => {
        const look = () => {
          const heads = [...document.querySelectorAll("h2")];
          if (!heads.some((head) => head.textContent === "How the value comes about")) {
            return requestAnimationFrame(look);
          }
          requestAnimationFrame(() => setTimeout(() => done(globalThis.performance.now()), 0));
        };
        look();
      });
      document.querySelector(`a[href*="${path}"]`).click();
    }, run);
    shown.push(await page.evaluate(async () => (await globalThis.shown) - globalThis.begun));
    await page.close();
  }
  line("the page of a run, from the click, first time", `${shown[0].toFixed(0)} ms`);
  line("the same, five times more", times(shown.slice(1)));
}

/** Random places of the slider: from its input to the frame that shows the state there. */
async function scrub(run) {
  const page = await newPage();
  await page.goto(`${url}/runs/${run}/time?tenant=${tenant}`);
  const slider = page.getByRole("slider", { name: "Event" });
  await slider.waitFor();
  await page.getByRole("heading", { name: /^Event [0-9,]+: / }).waitFor();
  const [low, high] = await slider.evaluate(({ min, max }) => [Number(min), Number(max)]);
  // The same places each time.
  let seed = 7;
  const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  const waits = [];
  for (let round = 0; round < 50; round++) {
    const version = Math.floor(low + random() * (high - low));
    waits.push(
      await slider.evaluate((element, value) => {
        const head = `Event ${value.toLocaleString("en-US")}: `;
        const begun = globalThis.performance.now();
        const set = Object.getOwnPropertyDescriptor(
          globalThis.HTMLInputElement.prototype,
          "value",
        ).set;
        set.call(element, String(value));
        element.dispatchEvent(new globalThis.Event("input", { bubbles: true }));
        return new Promise((done) => {
          const look = () => {
            const heads = [...document.querySelectorAll("h2")];
            if (!heads.some(({ textContent }) => textContent.startsWith(head))) {
              return requestAnimationFrame(look);
            }
            // This frame draws it.
            setTimeout(() => done(globalThis.performance.now() - begun), 0);
          };
          look();
        });
      }, version),
    );
  }
  line(
    `the state at 50 random events of ${high.toLocaleString("en-US")}, from input to paint`,
    times(waits),
  );
  await page.close();
}

/** The rows on the screen, by their numbers, are those that the service has there. */
async function rightRows(page, run) {
  const seen = await shownRows(page);
  const first = seen[0][0] - 1;
  const path = `/runs/${run}/pool-candidates?offset=${first}&limit=${seen.length}`;
  const { rows } = await (await ask(path)).json();
  const expected = rows.map((row, at) => [first + at + 1, row.turn, row.candidate_rank]);
  assert.deepEqual(seen, expected, `rows from ${first}`);
  return [first, first + seen.length - 1];
}

async function scroll(run) {
  const head = await ask(`/runs/${run}/pool-candidates?limit=1`);
  const total = Number(head.headers.get("x-total-count"));
  const rows = total.toLocaleString("en-US");
  const page = await newPage();
  const begun = globalThis.performance.now();
  await page.goto(`${url}/runs/${run}/tables/pool-candidates?tenant=${tenant}`);
  await page.locator("[role=cell]").first().waitFor();
  line(
    `the first of ${rows} candidates, from the address`,
    `${(globalThis.performance.now() - begun).toFixed(0)} ms`,
  );
  const grid = page.locator(".grid-scroll");
  await grid.evaluate((element) => element.scrollIntoView({ block: "end" }));
  const box = await grid.boundingBox();
  const middle = [box.x + box.width / 2, box.y + box.height / 2];
  for (const by of [300, 2_000]) {
    await page.mouse.move(...middle);
    const measured = await pauses(page, async () => {
      for (let step = 0; step < 400; step++) await page.mouse.wheel(0, by);
    });
    line(`scrolling them by the wheel, 400 times ${by} pixels`, measured);
    await rightRows(page, run);
  }
  const bar = box.x + box.width - 7;
  // The button of the bar is 15 pixels high, and its slider has a few more.
  const [top, bottom] = [box.y + 28, box.y + box.height - 40];
  await grid.press("Home");
  await rightRows(page, run);
  const dragged = await pauses(page, async () => {
    await page.mouse.move(bar, top);
    await page.mouse.down();
    for (let step = 1; step <= 120; step++) {
      await page.mouse.move(bar, top + ((bottom + 60 - top) * step) / 120);
      await page.waitForTimeout(16);
    }
    await page.mouse.up();
  });
  line("dragging the bar to the end", dragged);
  const [, end] = await rightRows(page, run);
  assert.equal(end, total - 1, "the bar does not reach the last row");
  const back = await pauses(page, async () => {
    await page.mouse.move(bar, bottom);
    await page.mouse.down();
    for (let step = 1; step <= 60; step++) {
      await page.mouse.move(bar, bottom - ((bottom - top) / 2) * (step / 60));
      await page.waitForTimeout(16);
    }
    await page.mouse.up();
  });
  line("dragging the bar back to the middle", back);
  const [there] = await rightRows(page, run);
  assert.ok(Math.abs(there / total - 0.5) < 0.1, `the middle of the bar is row ${there}`);
  const keys = await pauses(page, async () => {
    for (let press = 0; press < 60; press++) await grid.press("PageDown");
    for (let press = 0; press < 60; press++) await grid.press("ArrowDown");
    await grid.press("End");
    await page.waitForTimeout(300);
  });
  line("by keys: 60 pages and 60 lines down, and to the end", keys);
  const [, last] = await rightRows(page, run);
  assert.equal(last, total - 1, "End does not reach the last row");
  const home = await pauses(page, async () => {
    for (let press = 0; press < 60; press++) await grid.press("PageUp");
    await grid.press("Home");
    await page.waitForTimeout(300);
  });
  line("by keys: 60 pages up, and to the first row", home);
  const [first] = await rightRows(page, run);
  assert.equal(first, 0, "Home does not reach the first row");
  await page.close();
}

try {
  const { runs } = await (await ask("/runs?status=Complete")).json();
  const run = runs[0].run_id;
  console.log(
    `load (1, 5, 15 minutes): ${loadavg()
      .map((load) => load.toFixed(1))
      .join(" ")}\n`,
  );
  console.log("| what | measured |\n|---|---|");
  const parts = { run: runPage, time: scrub, scroll };
  for (const part of wanted.split(",")) await parts[part](run);
} finally {
  await browser.close();
}
