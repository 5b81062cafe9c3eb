/** How a case compares with another: "÷ bare", "÷ nothing". */

/** Of the rounds of a run: in the middle, the least, and the greatest. */
export interface Ratio {
  readonly median: number;
  readonly range: readonly [number, number];
}

/**
 * Compares a figure of two cases round by round: the machine is not the same in all of them, and a quotient of two medians
 * would compare different minutes.
 */
export function ratioOf<S>(own: readonly S[], base: readonly S[], figure: (sample: S) => number): Ratio {
  const quotients = own.flatMap((sample, round) => {
    const other = base[round];
    return other === undefined ? [] : [figure(sample) / figure(other)];
  });
  return { median: median(quotients), range: [Math.min(...quotients), Math.max(...quotients)] };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
