/** How often each outcome came. */
export interface Tally<K> {
  add(outcome: K): void;
  of(outcome: K): number;
  /** As a line: "400 × 12, 404 × 3". */
  text(): string;
}

export function createTally<K extends string | number>(): Tally<K> {
  const counts = new Map<K, number>();
  const of = (outcome: K) => counts.get(outcome) ?? 0;
  return {
    of,
    add: (outcome) => void counts.set(outcome, of(outcome) + 1),
    text: () =>
      [...counts]
        .sort()
        .map(([outcome, n]) => `${outcome} × ${n}`)
        .join(', '),
  };
}
