/**
 * The rows of one scroll range: a browser draws nothing below about 33 million pixels. A longer table
 * is shown through a window, which moves by half of itself where the screen comes near its ends.
 */
export const MOST_ROWS = 1_000_000;

const MARGIN = 1_000;

/**
 * By how many rows the window moves: 0, or half a window ahead or back.
 *
 * @param start the first row of the window
 * @param first the first row on the screen, from the start of the window
 * @param last the last row on the screen, from the start of the window
 * @param count the rows of the table that are known
 */
export function windowStep(start: number, first: number, last: number, count: number): number {
  if (last >= MOST_ROWS - MARGIN && count > start + MOST_ROWS) return MOST_ROWS / 2;
  if (first < MARGIN && start > 0) return -MOST_ROWS / 2;
  return 0;
}
