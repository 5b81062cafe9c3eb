/** What a check reads, and what it finds. */
import type { Postgres } from '../postgres.ts';
import type { Redis } from '../redis.ts';
import type { Waiting } from './keys.ts';

/** The books of one sale. */
export interface Books {
  readonly saleId: string;
  readonly userLimit: number;
  readonly postgres: Postgres;
  /** Undefined once the sale's keys are retired: then Postgres is audited alone. */
  readonly redis: Redis | undefined;
  readonly readWaiting: () => Promise<Waiting>;
}

/** What is wrong, by item, code or user: one sentence each. */
export type Findings = Map<string, string>;

export type Check = (books: Books, subjects: readonly string[]) => Promise<Findings>;

/** The findings about subjects of which `judge` says one. */
export function findingsOf(
  subjects: readonly string[],
  judge: (subject: string, index: number) => string | undefined,
): Findings {
  const findings: Findings = new Map();
  subjects.forEach((subject, i) => {
    const finding = judge(subject, i);
    if (finding !== undefined) findings.set(subject, finding);
  });
  return findings;
}
