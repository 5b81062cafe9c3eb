import { createClock } from '../client/clock.ts';
import { Refusal, refusalOf } from '../client/errors.ts';
import { follow } from '../client/follow.ts';
import type { Figures } from './figures.ts';

const baseUrl = new URL('.', location.href).href;

/** Asks the service once: what an operator does is never sent again by itself. Throws a Refusal. */
export async function ask<T>(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<T> {
  let response: Response;
  const isText = typeof body === 'string';
  try {
    response = await fetch(new URL(path, baseUrl), {
      method,
      headers: { ...(body !== undefined && !isText && { 'Content-Type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: isText ? body : JSON.stringify(body) }),
    });
  } catch (cause) {
    throw new Refusal('network', 'The service cannot be reached.', { cause });
  }
  if (!response.ok) throw await refusalOf(response);
  const text = await response.text();
  return (text === '' ? undefined : headers.Accept === 'text/csv' ? text : JSON.parse(text)) as T;
}

/** What a refusal says, with the faults that it names. */
export function sentenceOf(error: unknown): string {
  if (!(error instanceof Refusal)) return String(error);
  const errors = Object.entries((error.problem?.errors ?? {}) as Record<string, string>);
  // The sentence names the field, and only the key its line: `line 3, stock`.
  const lines = errors.map(
    ([place, words]) => `${/^line \d+/.test(place) ? `${place.split(',', 1)[0]}: ` : ''}${words}`,
  );
  return [error.message, ...lines].join('\n');
}

/** The figures of this box, once a second. */
export const figures = (signal: AbortSignal): AsyncGenerator<Figures> =>
  follow<Figures>(
    { baseUrl, fetch: (url, init) => fetch(url, init), clock: createClock(), token: () => undefined },
    'admin/live',
    { signal },
  );
