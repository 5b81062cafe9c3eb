import { renameSync, rmSync, statSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createFrameReader, encodeFrame } from './frames.ts';
import { createPeerLink, type PeerLink } from './peer-link.ts';

export interface PeersOptions {
  /** A directory of this service alone, with a short path: `dir/slot.sock` must stay below 108 bytes. */
  readonly dir: string;
  /** The own slot. */
  readonly slot: number;
  /** How long a question waits, in ms. 20: some hundred round-trips, and still less than a slow Redis. */
  readonly deadlineMs?: number;
  /** Questions in flight per owner. 4,096: more than one worker can be asked within a deadline. */
  readonly inFlightMax?: number;
  /** Answers the questions of others; Shard.ownsSold. */
  readonly answer: (saleId: string, epoch: number, since: number, itemId: string) => boolean;
}

/** Questions so far, by what became of them. */
export interface QuestionCounts {
  sold: number;
  not_sold: number;
  /** The deadline passed, or the connection was lost. */
  unanswered: number;
  /** The owner could not be asked: gone, silent, or too much in flight. */
  not_asked: number;
}

/** Questions between the workers of one box, over Unix sockets. */
export interface Peers {
  /** Starts answering. Takes the slot's socket over from a worker that is leaving or dead. */
  listen(): Promise<void>;
  /**
   * Asks the worker in a slot whether it knows that an item is sold, having heard all changes up to the version `since`.
   * Undefined when it cannot be asked now (gone, silent, too much in flight); false at the deadline. Questions of one
   * event-loop turn travel as one frame.
   */
  ask(
    owner: number,
    saleId: string,
    epoch: number,
    since: number,
    itemId: string,
  ): Promise<boolean> | undefined;
  /** Ends all connections; open questions are answered with no. */
  close(): Promise<void>;
  readonly counts: Readonly<QuestionCounts>;
}

/** `sun_path` of unix(7) holds 108 bytes with the closing zero; past it Linux would cut the path off. */
const PATH_BYTES_MAX = 107;
/** Answers that an asker has not read. Its deadline is long past: disconnect it. */
const UNREAD_BYTES_MAX = 1024 * 1024;

export function createPeers(options: PeersOptions): Peers {
  const { dir, slot, deadlineMs = 20, inFlightMax = 4096, answer } = options;
  const pathOf = (owner: number) => join(dir, `${owner}.sock`);
  const links = new Map<number, PeerLink>();
  const askers = new Set<Socket>();
  const counts: QuestionCounts = { sold: 0, not_sold: 0, unanswered: 0, not_asked: 0 };
  const onSettled = (questions: number, answers: string) => {
    if (answers === '') counts.unanswered += questions;
    for (const answer of answers) counts[answer === '1' ? 'sold' : 'not_sold']++;
  };
  let inode: number | undefined;

  const server = createServer((socket) => {
    askers.add(socket);
    socket.on('close', () => askers.delete(socket));
    socket.on('error', () => socket.destroy());
    serve(socket, answer);
  });

  const linkTo = (owner: number): PeerLink => {
    const known = links.get(owner);
    if (known !== undefined) return known;
    const link = createPeerLink({ path: pathOf(owner), deadlineMs, inFlightMax, onSettled });
    links.set(owner, link);
    return link;
  };

  return {
    async listen() {
      // Bound under a name of its own, then renamed: a server removes the name it has bound when it closes,
      // and a worker that leaves must not remove the socket of the one that has taken over its slot.
      const bound = join(dir, `${slot}.${process.pid}`);
      for (const path of [pathOf(slot), bound]) {
        if (Buffer.byteLength(path) > PATH_BYTES_MAX) throw new RangeError(`socket path too long: ${path}`);
      }
      rmSync(bound, { force: true });
      await new Promise<void>((resolve, reject) => {
        server.on('error', reject).listen(bound, resolve); // later errors: an asker whose connection is not accepted gets no answer
      });
      inode = inodeOf(bound);
      renameSync(bound, pathOf(slot));
    },
    ask(owner, saleId, epoch, since, itemId) {
      const asked = owner < 0 ? undefined : linkTo(owner).ask(saleId, epoch, since, itemId);
      if (asked === undefined) counts.not_asked++;
      return asked;
    },
    async close() {
      for (const link of links.values()) link.close();
      for (const socket of askers) socket.destroy();
      if (inode === undefined) return;
      if (inodeOf(pathOf(slot)) === inode) rmSync(pathOf(slot), { force: true });
      await new Promise((resolve) => server.close(resolve));
    },
    counts,
  };
}

const inodeOf = (path: string) => statSync(path, { throwIfNoEntry: false })?.ino;

/** Answers the frames of one asker; anything that is not a frame of questions ends the connection. */
function serve(socket: Socket, answer: PeersOptions['answer']): void {
  const readFrames = createFrameReader();
  socket.on('data', (chunk: Buffer) => {
    try {
      for (const { batch, text } of readFrames(chunk))
        socket.write(encodeFrame(batch, answersTo(text, answer)));
      if (socket.writableLength > UNREAD_BYTES_MAX) socket.destroy();
    } catch {
      socket.destroy();
    }
  });
}

function answersTo(text: string, answer: PeersOptions['answer']): string {
  const words = text.split(' ');
  if (words.length % 4 !== 0) throw new RangeError('not a frame of questions');
  let answers = '';
  for (let i = 0; i < words.length; i += 4) {
    answers += answer(words[i]!, Number(words[i + 1]), Number(words[i + 2]), words[i + 3]!) ? '1' : '0';
  }
  return answers;
}
