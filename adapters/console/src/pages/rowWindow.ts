/**
 * The rows of one scroll range: a browser draws nothing below about 33 million pixels. A longer table
 * is shown through a window of so many rows. While rows are scrolled one by one, it moves where the
 * screen comes near its ends. The scroll bar, whose pixel stands for more than a window of them, chooses
 * the window by its place.
 */
export const MOST_ROWS = 1_000_000;

const MARGIN = 1_000;

/** A longer way in one step, in pixels, is one of the scroll bar: no wheel and no key goes so far. */
export const FAR = 20_000;

/** The last row where a window can begin. */
const lastStart = (count: number) => Math.max(0, count - MOST_ROWS);

/**
 * By how many rows the window moves: 0, or up to half a window ahead or back.
 *
 * @param start the first row of the window
 * @param first the first row on the screen, from the start of the window
 * @param last the last row on the screen, from the start of the window
 * @param count the rows of the table that are known
 */
export function windowStep(start: number, first: number, last: number, count: number): number {
  if (last >= MOST_ROWS - MARGIN) return Math.min(MOST_ROWS / 2, lastStart(count) - start);
  if (first < MARGIN && start > 0) return -Math.min(MOST_ROWS / 2, start);
  return 0;
}

/**
 * Where the window begins for a place of the scroll bar, so that its ends are those of the table.
 *
 * @param place from 0, the upper end, to 1
 * @param count the rows of the table that are known
 */
export const windowAt = (place: number, count: number): number =>
  Math.round(Math.min(1, Math.max(0, place)) * lastStart(count));
