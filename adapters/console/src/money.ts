/** Exact sums of dollars and cents, which are strings with two places. */

const cents = (text: string) => BigInt(text.replace(".", ""));

function written(amount: bigint): string {
  const digits = (amount < 0n ? -amount : amount).toString().padStart(3, "0");
  return `${amount < 0n ? "-" : ""}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

export const added = (a: string, b: string): string => written(cents(a) + cents(b));
export const difference = (before: string, after: string): string =>
  written(cents(after) - cents(before));
