import { open } from 'node:fs/promises';
import { type Config, SetupError } from '../config.ts';
import { readKeySet } from '../door/key-set.ts';
import type { Log } from '../log.ts';
import type { BuyerKey } from '../messages.ts';
import { every } from './every.ts';
import type { Shutdown } from './shutdown.ts';
import type { Supervisor } from './workers/supervisor.ts';

/** A provider's answer is some 2 to 10 KB. */
const SET_BYTES_MAX = 64 << 10;
/** The service starts without keys after this. */
const ANSWER_MS = 5_000;
/** A new key is known after this at the latest, and usually long before it signs anything. */
const FETCH_MS = 60_000;
/** A file is read again this often. */
const READ_MS = 5_000;
/** An unknown key has the set read at once, but not more often than this: forgers name keys too. */
const WANTED_MS = 2_000;

/** The public keys by which buyers prove themselves, as they are published now. */
export interface BuyerKeys {
  readonly count: number;
  /** When they were last read, by Date.now(); undefined before the first time. */
  readonly readAtMs: number | undefined;
  /** Tells one worker, which is new. */
  show(pid: number): void;
  /** A worker has met a key that it does not know. */
  wanted(): void;
}

/**
 * Reads the key set again and again, and tells the workers what changes. While it cannot be read, the last one stands. Throws
 * SetupError when a file cannot be read at the start; a URL may come later.
 */
export async function openBuyerKeys(
  source: NonNullable<Config['buyerJwks']>,
  supervisor: Supervisor,
  log: Log,
  shutdown: Shutdown,
): Promise<BuyerKeys> {
  const isUrl = /^https?:/.test(source);
  let keys: readonly BuyerKey[] = [];
  let text = '';
  let readAtMs: number | undefined;
  let triedMs = 0;
  let isFailing = false;
  const message = () => ({ type: 'buyer-keys', keys }) as const;

  const read = async () => {
    triedMs = performance.now();
    const found = await (isUrl ? fetchText(source) : readText(source));
    if (found !== text) {
      keys = readKeySet(found);
      text = found;
      log.info({ keys: keys.map(({ kid, kty }) => kid ?? kty) }, 'the public keys of buyers were read');
      supervisor.broadcast(message());
    }
    readAtMs = Date.now();
    isFailing = false;
  };
  // Once, not with every attempt.
  const onError = (err: unknown) => {
    if (!isFailing) log.error({ err }, 'the public keys of buyers cannot be read; the last ones stand');
    isFailing = true;
  };

  await read().catch((error: Error) => {
    if (!isUrl) throw new SetupError(`BUYER_JWKS: ${source} is not usable: ${error.message}.`);
    onError(error);
  });
  const reading = every(isUrl ? FETCH_MS : READ_MS, read, onError);
  shutdown.add('keys of buyers', reading.stop);

  return {
    get count() {
      return keys.length;
    },
    get readAtMs() {
      return readAtMs;
    },
    show: (pid) => supervisor.send(pid, message()),
    wanted() {
      if (performance.now() - triedMs >= WANTED_MS) void reading.now();
    },
  };
}

async function readText(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(SET_BYTES_MAX + 1), 0, SET_BYTES_MAX + 1, 0);
    if (bytesRead > SET_BYTES_MAX) throw tooLarge();
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

async function fetchText(url: string): Promise<string> {
  const answer = await fetch(url, {
    // A redirect could lead anywhere, also to http.
    redirect: 'error',
    signal: AbortSignal.timeout(ANSWER_MS),
    headers: { Accept: 'application/jwk-set+json, application/json' },
  });
  if (answer.status !== 200) throw new Error(`it was answered ${answer.status}`);
  const parts: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop by an error cancels the rest of the answer.
  for await (const part of answer.body ?? []) {
    bytes += part.length;
    if (bytes > SET_BYTES_MAX) throw tooLarge();
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

const tooLarge = () => new Error(`it has more than ${SET_BYTES_MAX} bytes`);
