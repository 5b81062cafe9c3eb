import { type Random, seeded } from '../faults/random.ts';
import { malformedRequest } from './malformed-requests.ts';
import { converse, type RawAnswer } from './raw.ts';
import { createTally, type Tally } from './tally.ts';

export interface MalformedOptions {
  readonly url: string;
  readonly requests: number;
  readonly seed: number;
  /** An item that is for sale. */
  readonly item: string;
}

export interface MalformedResult {
  /** Statuses, or "closed". */
  readonly outcomes: Tally<string>;
  /** One sentence for each thing that must not be. */
  readonly violations: readonly string[];
}

const CONNECTIONS = 200;
/** Every answer comes sooner; a request that never ends is given up after this. */
const QUIET_MS = 50;
const NAMED_MAX = 20;
const ALLOWED = [100, 400, 401, 404, 405, 408, 413, 415, 417, 431, 503];
/** Stacks, our own files, and what the stores say. */
export const INSIDE =
  /\n\s+at |node_modules|node:internal|\/dist\/|\.ts:|\.js:|select |postgres:\/\/|redis:\/\/|ECONN|HPE_/;

/** Sends malformed requests, each over a connection of its own; a request is repeated by its own seed. */
export async function sendMalformed({
  url,
  requests,
  seed,
  item,
}: MalformedOptions): Promise<MalformedResult> {
  const outcomes = createTally<string>();
  const violations: string[] = [];
  let next = 0;
  const client = async () => {
    while (next < requests) {
      const own = seed + next++;
      const random: Random = seeded(own);
      const { answers, rest, closed } = await converse(url, malformedRequest(random, item), {
        quietMs: QUIET_MS,
      });
      if (answers.length === 0) outcomes.add('closed');
      for (const { status } of answers) outcomes.add(String(status));
      const wrong = [
        ...answers.flatMap((answer) => judge(answer, ALLOWED)),
        ...(rest === '' ? [] : [`was answered with no HTTP: ${JSON.stringify(rest.slice(0, 100))}`]),
        ...(closed ? [] : ['was neither answered nor closed within 15 s']),
      ];
      if (violations.length < NAMED_MAX) violations.push(...wrong.map((what) => `request ${own} ${what}`));
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, client));
  return { outcomes, violations };
}

/** What is wrong with an answer: another status than these, no problem, or something that is nobody's business. */
export function judge({ status, head, body }: RawAnswer, allowed: readonly number[]): string[] {
  const wrong: string[] = [];
  if (!allowed.includes(status)) wrong.push(`was answered ${status}: ${body.slice(0, 200)}`);
  if (status >= 400 && !head.includes('application/problem+json'))
    wrong.push(`got a ${status} that is no problem`);
  if (INSIDE.test(body)) wrong.push(`tells of the inside: ${body.slice(0, 300)}`);
  return wrong;
}
