import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createFrameReader, encodeFrame, FRAME_BYTES_MAX } from '../../src/shard/frames.ts';
import { createPeers, type PeersOptions } from '../../src/shard/peers.ts';

const SALE = 'S-3f9a1c22b7';
/** Long enough for a slow machine, where the test is not about the deadline. */
const PATIENT_MS = 5000;

/** A directory for sockets, and peers in it that are closed at the end of the test. */
function createBox(t: TestContext) {
  const dir = mkdtempSync(join(tmpdir(), 'fs-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const join_ = (slot: number, options: Partial<PeersOptions> = {}) => {
    const peers = createPeers({ dir, slot, deadlineMs: PATIENT_MS, answer: () => false, ...options });
    t.after(() => peers.close());
    return peers;
  };
  /** Something else that listens in a slot. */
  const impostor = async (slot: number, onConnection: (socket: Socket) => void) => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket.on('error', () => {}));
      onConnection(socket);
    });
    await new Promise<void>((resolve) => server.listen(join(dir, `${slot}.sock`), resolve));
    t.after(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return sockets;
  };
  return { dir, join: join_, impostor };
}

test('an owner answers each question for itself, by sale, epoch, version and item', async (t) => {
  const box = createBox(t);
  const owner = box.join(1, {
    answer: (sale, epoch, since, item) => sale === SALE && epoch === 7 && since <= 3 && item === 'sold',
  });
  await owner.listen();
  const asker = box.join(0);
  const answers = [
    asker.ask(1, SALE, 7, 0, 'unsold'),
    asker.ask(1, SALE, 7, 0, 'sold'),
    asker.ask(1, SALE, 6, 0, 'sold'),
    asker.ask(1, 'S-0000000000', 7, 0, 'sold'),
    asker.ask(1, SALE, 7, 3, 'sold'),
    asker.ask(1, SALE, 7, 4, 'sold'),
  ];
  assert.deepEqual(await Promise.all(answers), [false, true, false, false, true, false]);
});

test('the questions of one turn travel as one frame, and 3,000 as three', async (t) => {
  const box = createBox(t);
  let heard = 0;
  await box.impostor(1, (socket) => {
    const read = createFrameReader();
    socket.on('data', (chunk) => {
      for (const { batch, text } of read(chunk)) {
        heard++;
        const items = text.split(' ').filter((_, i) => i % 4 === 3);
        socket.write(encodeFrame(batch, items.map((item) => (Number(item) % 3 === 0 ? '1' : '0')).join('')));
      }
    });
  });
  const asker = box.join(0);
  for (const [count, frames] of [[100, 1] as const, [3000, 3] as const]) {
    heard = 0;
    const answers = await Promise.all(
      Array.from({ length: count }, (_, i) => asker.ask(1, SALE, 1, 0, String(i))),
    );
    answers.forEach((answer, i) => {
      assert.equal(answer, i % 3 === 0);
    });
    assert.equal(heard, frames);
  }
});

test('questions with the longest ids fit into a frame', async (t) => {
  const box = createBox(t);
  const owner = box.join(1, { answer: () => true });
  await owner.listen();
  const asker = box.join(0);
  const ask = () =>
    asker.ask(1, 's'.repeat(64), Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 'i'.repeat(64));
  assert.ok((await Promise.all(Array.from({ length: 1024 }, ask))).every(Boolean));
});

test('an owner that never answers costs the deadline, and after three silences is not asked for a while', async (t) => {
  const box = createBox(t);
  await box.impostor(1, (socket) => socket.resume());
  const asker = box.join(0, { deadlineMs: 5 });
  for (let i = 0; i < 3; i++) assert.equal(await asker.ask(1, SALE, 1, 0, 'a'), false);
  assert.equal(asker.ask(1, SALE, 1, 0, 'a'), undefined);
});

test('an owner that is not there is a no, and then not asked for a while', async (t) => {
  const asker = createBox(t).join(0);
  assert.equal(await asker.ask(1, SALE, 1, 0, 'a'), false);
  assert.equal(asker.ask(1, SALE, 1, 0, 'a'), undefined);
  assert.equal(asker.ask(-1, SALE, 1, 0, 'a'), undefined);
});

test('past the bound of questions in flight there is no asking', async (t) => {
  const box = createBox(t);
  const owner = box.join(1, { answer: () => true });
  await owner.listen();
  const asker = box.join(0, { inFlightMax: 10 });
  const answers = Array.from({ length: 12 }, () => asker.ask(1, SALE, 1, 0, 'a'));
  assert.deepEqual(answers.slice(10), [undefined, undefined]);
  assert.ok((await Promise.all(answers.slice(0, 10))).every(Boolean));
  assert.equal(await asker.ask(1, SALE, 1, 0, 'a'), true);
});

const GARBAGE: Record<string, (batch: number) => Buffer> = {
  'a frame that is too long': () => Buffer.from([0xff, 0xff, 0xff, 0xff]),
  'a frame that is too short': () => Buffer.from([0, 0, 0, 0]),
  'too few answers': (batch) => encodeFrame(batch, '1'),
  'too many answers': (batch) => encodeFrame(batch, '111'),
  'the answers to another batch and then the end': (batch) =>
    Buffer.concat([encodeFrame(batch + 1, '11'), Buffer.alloc(4)]),
};

for (const [name, reply] of Object.entries(GARBAGE)) {
  test(`an owner that answers with ${name} is not believed`, async (t) => {
    const box = createBox(t);
    await box.impostor(1, (socket) => {
      const read = createFrameReader();
      socket.on('data', (chunk: Buffer) => {
        for (const { batch } of read(chunk)) socket.write(reply(batch));
      });
    });
    const asker = box.join(0);
    const answers = [asker.ask(1, SALE, 1, 0, 'a'), asker.ask(1, SALE, 1, 0, 'b')];
    assert.deepEqual(await Promise.all(answers), [false, false]);
    assert.equal(asker.ask(1, SALE, 1, 0, 'a'), undefined);
  });
}

test('an owner that dies in the middle of a frame is a no, and its successor is asked after the back-off', async (t) => {
  const box = createBox(t);
  await box.impostor(1, (socket) => {
    socket.once('data', () => socket.end(encodeFrame(1, '11').subarray(0, 9)));
  });
  const asker = box.join(0);
  const answers = [asker.ask(1, SALE, 1, 0, 'a'), asker.ask(1, SALE, 1, 0, 'b')];
  assert.deepEqual(await Promise.all(answers), [false, false]);

  const successor = box.join(1, { answer: () => true });
  await successor.listen();
  assert.equal(await untilAsked(() => asker.ask(1, SALE, 1, 0, 'a')), true);
});

test('a worker takes over the socket of a dead one, and of one that is still leaving', async (t) => {
  const box = createBox(t);
  writeFileSync(join(box.dir, '1.sock'), '');
  const leaving = box.join(1, { answer: () => false });
  await leaving.listen();
  const successor = box.join(1, { answer: () => true });
  await successor.listen();
  await leaving.close();
  assert.equal(await box.join(0).ask(1, SALE, 1, 0, 'a'), true);
  await successor.close();
  assert.equal(existsSync(join(box.dir, '1.sock')), false);
});

test('a worker ends a connection that sends garbage, and goes on answering the others', async (t) => {
  const box = createBox(t);
  const owner = box.join(1, { answer: () => true });
  await owner.listen();
  const tooLong = Buffer.alloc(4);
  tooLong.writeUInt32BE(FRAME_BYTES_MAX + 1);
  const noQuestions = [
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    tooLong,
    encodeFrame(1, 'a b'),
    encodeFrame(1, ''),
  ];
  for (const bytes of noQuestions) {
    const socket = createConnection(join(box.dir, '1.sock'));
    socket.on('error', () => {});
    socket.write(bytes);
    socket.resume();
    await new Promise((resolve) => socket.on('close', resolve));
  }
  assert.equal(await box.join(0).ask(1, SALE, 1, 0, 'a'), true);
});

test('frames survive being cut into single bytes', () => {
  const read = createFrameReader();
  const bytes = Buffer.concat([encodeFrame(1, 'one'), encodeFrame(2, ''), encodeFrame(3, 'drei ä')]);
  const frames = [...bytes].flatMap((byte) => read(Buffer.from([byte])));
  assert.deepEqual(frames, [
    { batch: 1, text: 'one' },
    { batch: 2, text: '' },
    { batch: 3, text: 'drei ä' },
  ]);
});

test('closing answers every open question with no', async (t) => {
  const box = createBox(t);
  await box.impostor(1, (socket) => socket.resume());
  const asker = box.join(0);
  const answer = asker.ask(1, SALE, 1, 0, 'a');
  await asker.close();
  assert.equal(await answer, false);
  assert.equal(asker.ask(1, SALE, 1, 0, 'a'), undefined);
});

test('a socket path that the system would cut off is refused', async () => {
  const peers = createPeers({ dir: join(tmpdir(), 'x'.repeat(100)), slot: 0, answer: () => false });
  await assert.rejects(peers.listen(), RangeError);
});

/** Asks again and again until there is an answer other than no. */
async function untilAsked(ask: () => Promise<boolean> | undefined): Promise<boolean> {
  for (let i = 0; i < 500; i++) {
    if (await ask()) return true;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return false;
}
