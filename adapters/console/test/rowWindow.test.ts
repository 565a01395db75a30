import { expect, test } from "vitest";
import { MOST_ROWS, windowAt, windowStep } from "../src/pages/rowWindow";

const HALF = MOST_ROWS / 2;

test("a table that fits has one window", () => {
  expect(windowStep(0, 0, 40, 500)).toBe(0);
  expect(windowStep(0, MOST_ROWS - 41, MOST_ROWS - 1, MOST_ROWS)).toBe(0);
});

test("every row of a long table is reached, and the first one again", () => {
  const count = 2_046_354;
  let [start, row] = [0, 0];
  const scroll = (rows: number) => {
    row = Math.max(0, Math.min(row + rows, count - 41));
    start += windowStep(start, row - start, row - start + 40, count);
    if (row < start || row - start + 40 >= MOST_ROWS) throw new Error(`row ${String(row)} is out`);
  };
  while (row < count - 41) scroll(500);
  expect(start).toBe(count - MOST_ROWS);
  while (row > 0) scroll(-500);
  expect(start).toBe(0);
});

test("a window that has moved does not move back at once", () => {
  const last = MOST_ROWS - 1;
  expect(windowStep(0, last - 40, last, 2 * MOST_ROWS)).toBe(HALF);
  expect(windowStep(HALF, last - 40 - HALF, last - HALF, 2 * MOST_ROWS)).toBe(0);
});

test("the ends of the scroll bar are those of the table", () => {
  const count = 2_046_354;
  const places = [0, 0.5, 1, 1.001].map((place) => windowAt(place, count));
  expect(places).toEqual([0, 523_177, count - MOST_ROWS, count - MOST_ROWS]);
  expect(windowAt(0.7, MOST_ROWS)).toBe(0);
});
