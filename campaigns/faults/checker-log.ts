import { readFileSync } from 'node:fs';
import type { Rules, Violation } from './checker.ts';

interface LogLine {
  readonly level?: string;
  readonly msg?: string;
  readonly sale?: string;
  readonly decisions?: number;
}

/**
 * Checks what the services say themselves in their logs at `paths`. A decision that Redis alone knew was in no outbox and in no
 * transaction: it was only luck that nobody lost Redis. And no process ends by an error, whatever its stores do.
 */
export function checkLogs(paths: readonly string[], saleId: string, rules: Rules): Violation[] {
  const lines = paths.flatMap((path) => readFileSync(path, 'utf8').split('\n').flatMap(parse));
  const mayHaveLost = rules.losesRedis || rules.losesLog;
  return lines.flatMap(({ level, msg = '', sale, decisions }): Violation[] => {
    if (level === 'fatal') return [{ kind: 'service-broken', detail: msg }];
    if (mayHaveLost || sale !== saleId || msg !== 'decisions that only Redis knew were committed') return [];
    return [{ kind: 'saved-late', detail: `${decisions} decisions were in Redis alone` }];
  });
}

/** A start-up error is a sentence, and a killed process leaves half a line. */
function parse(line: string): LogLine[] {
  try {
    return [JSON.parse(line) as LogLine];
  } catch {
    return [];
  }
}
