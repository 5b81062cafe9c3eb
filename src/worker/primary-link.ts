import type { Question, Questions, ToPrimary, ToWorker } from '../messages.ts';

/** A worker's channel to the primary: messages, and questions with answers. */
export interface PrimaryLink {
  send(message: ToPrimary): void;
  /** Resolves when the message was sent, or can never be. */
  sendSurely(message: ToPrimary): Promise<void>;
  /** Asks the primary; rejects when it does not answer within `ms` milliseconds. */
  ask<Q extends Question>(question: Q, ms: number): Promise<Questions[Q]['answer']>;
}

/** What the primary tells a worker to do or to know. */
export type Order = Exclude<ToWorker, { type: 'answer' | 'heartbeat' }>;

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly timer: NodeJS.Timeout;
}

/** How often to check whether the primary has sent anything. */
const LISTEN_MS = 1_000;
/** After this many checks without a message the primary is dead or stopped, or has forgotten this worker. */
const SILENT_LOOKS_MAX = 5;

/**
 * Calls `onSilent` once when nothing arrives from the primary for 5 s. Counts checks, not time: a worker that was itself
 * stopped gets the messages of that time after its first check.
 */
function watchSilence(onSilent: () => void): void {
  let looks = 0;
  process.on('message', () => {
    looks = 0;
  });
  const timer = setInterval(() => {
    if (++looks < SILENT_LOOKS_MAX) return;
    clearInterval(timer);
    onSilent();
  }, LISTEN_MS).unref();
}

/** Calls `onMessage` with everything but answers and heartbeats, and `onSilent` when the primary has fallen silent. */
export function openPrimaryLink(onMessage: (message: Order) => void, onSilent: () => void): PrimaryLink {
  const waiting = new Map<number, Waiting>();
  let lastId = 0;

  const send = (message: ToPrimary, onSent = () => {}) => {
    // The primary is gone; this process is about to exit too.
    if (process.connected) process.send?.(message, undefined, undefined, onSent);
    else onSent();
  };

  process.on('message', (message: ToWorker) => {
    if (message.type === 'heartbeat') return;
    if (message.type !== 'answer') return onMessage(message);
    const question = waiting.get(message.id);
    if (question === undefined) return;
    waiting.delete(message.id);
    clearTimeout(question.timer);
    question.resolve(message.value);
  });

  watchSilence(onSilent);

  return {
    send: (message) => send(message),
    sendSurely: (message) => new Promise((resolve) => send(message, resolve)),
    ask: <Q extends Question>(question: Q, ms: number) =>
      new Promise<Questions[Q]['answer']>((resolve, reject) => {
        const id = ++lastId;
        const timer = setTimeout(() => {
          waiting.delete(id);
          reject(new Error(`the primary did not answer ${question} within ${ms} ms`));
        }, ms);
        waiting.set(id, { resolve: resolve as (value: unknown) => void, timer });
        send({ type: 'ask', id, question });
      }),
  };
}
