import type { Band } from "../api/overview";
import { dollars, words } from "../format";

export const PASSES = [
  "exact_fit",
  "best_fit",
  "fill_remaining",
  "orphan_handling",
  "challenger",
] as const;

/** The stacked parts of a bar: what is held or locked, then what each pass placed. */
export function partsOf(band: Band): { name: string; amount: number }[] {
  const parts = [{ name: "held", amount: Number(band.held_amount) }];
  for (const pass of PASSES) {
    const fill = band.passes.find((candidate) => candidate.pass === pass);
    if (fill) parts.push({ name: pass, amount: Number(fill.amount) });
  }
  return parts.filter((part) => part.amount > 0);
}

/** How full a trade is: filled by pass, with the band from min to max and a tick at the target. */
export function BandBar({ band, scale }: { band: Band; scale?: number }) {
  const max = Number(band.max_amount);
  const whole = scale ?? (Math.max(max, Number(band.filled_amount)) * 1.04 || 1);
  const at = (amount: number) => `${((amount / whole) * 100).toFixed(3)}%`;
  const min = Number(band.min_amount);
  const open = Number(band.open_amount);
  const parts = partsOf(band);
  const ends = parts.reduce<number[]>(
    (sums, part) => [...sums, (sums.at(-1) ?? 0) + part.amount],
    [0],
  );
  const label =
    `${dollars(band.filled_amount)} filled; band from ${dollars(band.min_amount)} ` +
    `to ${dollars(band.max_amount)}, target ${dollars(band.open_amount)}`;
  return (
    <svg className="bar" role="img" aria-label={label}>
      <rect className="track" width="100%" height="20" rx="2" />
      <rect
        className="fill-band"
        x={at(min)}
        width={at(Math.max(max - min, whole * 0.004))}
        height="20"
      />
      {parts.map((part, index) => (
        <rect
          key={part.name}
          className={`fill-${part.name}`}
          x={at(ends[index] ?? 0)}
          width={at(part.amount)}
          y="5"
          height="10"
        />
      ))}
      <line className="mark" x1={at(open)} x2={at(open)} y1="1" y2="19" />
    </svg>
  );
}

export function BandLegend({ passes }: { passes: readonly string[] }) {
  return (
    <ul className="legend">
      {passes.map((pass) => (
        <li key={pass}>
          <i className={`fill-${pass}`} />
          {pass === "held" ? "Locked or held" : words(pass)}
        </li>
      ))}
      <li>
        <i className="fill-band" />
        Band, min to max
      </li>
      <li>
        <i className="tick" />
        Target
      </li>
    </ul>
  );
}
