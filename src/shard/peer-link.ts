import { createConnection, type Socket } from 'node:net';
import { createFrameReader, encodeFrame } from './frames.ts';

/** The asking end of the connection to one other worker. */
export interface PeerLink {
  /** Undefined when the owner cannot be asked now. Resolves to false at the deadline; never rejects. */
  ask(saleId: string, epoch: number, since: number, itemId: string): Promise<boolean> | undefined;
  /** Answers everything in flight with no. */
  close(): void;
}

export interface PeerLinkOptions {
  readonly path: string;
  readonly deadlineMs: number;
  /** Questions in flight; with more, `ask` returns undefined. */
  readonly inFlightMax: number;
  /** Called with the number of settled questions and their answers ('' without answers). */
  readonly onSettled?: (questions: number, answers: string) => void;
}

/** Keeps a question frame below FRAME_BYTES_MAX; a turn with more questions sends several. */
const BATCH_MAX = 1024;
/** Bytes that a paused owner has not read. With more, `ask` returns undefined, so a stuck owner costs no memory. */
const UNSENT_BYTES_MAX = 256 * 1024;
/** Silent batches in a row after which the owner counts as gone. */
const SILENCES_MAX = 3;
const BACK_OFF_MIN_MS = 50;
const BACK_OFF_MAX_MS = 1000;

interface Batch {
  readonly id: number;
  readonly questions: string[];
  readonly resolves: ((isSold: boolean) => void)[];
  deadline?: NodeJS.Timeout;
}

/** Connects to an owner's socket. Calls `onDown` when it closes, or sends anything but frames. */
function connectTo(path: string, onFrame: (batch: number, text: string) => void, onDown: () => void): Socket {
  const readFrames = createFrameReader();
  const connection = createConnection(path);
  connection.on('error', onDown).on('close', onDown);
  connection.on('data', (chunk: Buffer) => {
    try {
      for (const { batch, text } of readFrames(chunk)) onFrame(batch, text);
    } catch {
      onDown();
    }
  });
  return connection;
}

/** Makes a link that connects at the first question, and after a failure at the first one past the back-off. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: short inner functions share its state.
export function createPeerLink(options: PeerLinkOptions): PeerLink {
  const batches = new Map<number, Batch>();
  let socket: Socket | undefined;
  let open: Batch | undefined;
  let lastBatch = 0;
  let inFlight = 0;
  let silences = 0;
  let backOffMs = BACK_OFF_MIN_MS;
  let downUntilMs = 0;

  const settle = (batch: Batch, answers: string) => {
    clearTimeout(batch.deadline);
    batches.delete(batch.id);
    if (open === batch) open = undefined;
    inFlight -= batch.resolves.length;
    options.onSettled?.(batch.resolves.length, answers);
    batch.resolves.forEach((resolve, i) => {
      resolve(answers[i] === '1');
    });
  };

  const drop = () => {
    if (socket === undefined) return;
    socket.destroy();
    socket = undefined;
    silences = 0;
    downUntilMs = performance.now() + backOffMs;
    backOffMs = Math.min(backOffMs * 2, BACK_OFF_MAX_MS);
    for (const batch of batches.values()) settle(batch, '');
  };

  const hear = (batchId: number, answers: string) => {
    const batch = batches.get(batchId);
    if (batch === undefined) return; // past its deadline: counts as silence
    if (answers.length !== batch.resolves.length) return drop();
    silences = 0;
    backOffMs = BACK_OFF_MIN_MS;
    settle(batch, answers);
  };

  const connect = (): Socket => {
    const connection = connectTo(options.path, hear, () => {
      if (socket === connection) drop();
    });
    return connection;
  };

  const miss = (batch: Batch) => {
    settle(batch, '');
    silences += 1;
    if (silences >= SILENCES_MAX) drop();
  };

  const send = (batch: Batch) => {
    if (open === batch) open = undefined;
    if (!batches.has(batch.id)) return;
    batch.deadline = setTimeout(miss, options.deadlineMs, batch);
    socket?.write(encodeFrame(batch.id, batch.questions.join(' ')));
  };

  const newBatch = (): Batch => {
    lastBatch = (lastBatch + 1) >>> 0;
    const batch: Batch = { id: lastBatch, questions: [], resolves: [] };
    batches.set(batch.id, batch);
    setImmediate(send, batch);
    return batch;
  };

  return {
    ask(saleId, epoch, since, itemId) {
      if (inFlight >= options.inFlightMax) return undefined;
      if (socket === undefined) {
        if (performance.now() < downUntilMs) return undefined;
        socket = connect();
      }
      if (socket.writableLength > UNSENT_BYTES_MAX) return undefined;
      if (open === undefined || open.questions.length >= BATCH_MAX) open = newBatch();
      const { questions, resolves } = open;
      inFlight += 1;
      questions.push(`${saleId} ${epoch} ${since} ${itemId}`);
      return new Promise((resolve) => resolves.push(resolve));
    },
    close() {
      drop();
      downUntilMs = Number.POSITIVE_INFINITY;
    },
  };
}
