/** What the counterparts of store calls have in common. */
import assert from 'node:assert/strict';
import type { Model } from './recovery.ts';

/** The model's part of a call: returns what the store has to answer, or throws when it answered otherwise. */
export type Does = (model: Model, args: string[], reply: unknown, keys: readonly string[]) => unknown;

/** Takes what the model answers for what the store has to. */
export function agree<T>(expected: T, actual: unknown, what: string): T {
  assert.deepEqual(actual, expected, `the answer to ${what}`);
  return expected;
}

export const readsOnly: Does = (_model, _args, reply) => reply;

/** What a gate that lets in who shows this says, on the dataset that is reached now. */
export const gateOf = ({ dataset }: Pick<Model, 'dataset'>, shown: string | undefined) =>
  `${shown}:${dataset}`;
