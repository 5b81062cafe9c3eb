import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitMs } from '../../client/backoff.ts';
import { createClock } from '../../client/clock.ts';
import { messagesOf } from '../../client/event-stream.ts';

test('waits grow to five seconds, are random, and never shorter than the service asked', () => {
  const longest = [1, 2, 3, 4, 5, 6, 7, 1_000].map((failed) => waitMs(failed, 0, () => 1));
  assert.deepEqual(longest, [200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]);
  assert.equal(
    waitMs(9, 0, () => 0),
    0,
  );
  assert.equal(
    waitMs(1, 2_000, () => 0.5),
    2_100,
  );
});

test('the service’s clock is known more exactly with each answer, and anew when it was set', () => {
  const clock = createClock();
  assert.ok(Math.abs(clock.now() - Date.now()) <= 1, 'nothing is known yet');
  // A service that is 7.3 s ahead, whose answers take 40 ms; a whole second begins somewhere between them.
  const at = (ms: number) => new Date(ms).toUTCString();
  const base = Date.UTC(2026, 0, 1);
  for (const ms of [0, 250, 500, 650, 690, 710, 900])
    clock.saw(at(base + ms + 7_300 + 20), base + ms, base + ms + 40);
  assert.ok(Math.abs(clock.now() - Date.now() - 7_300) <= 60, String(clock.now() - Date.now()));
  clock.saw(at(base - 3_600_000), base, base + 40);
  assert.ok(clock.now() - Date.now() < -3_598_000, 'it was set back by an hour');
  clock.saw(null, 0, 0);
  clock.saw('yesterday', 0, 0);
  assert.ok(clock.now() - Date.now() < -3_598_000);
});

test('a stream is cut into messages, however its bytes are cut', async () => {
  const text = 'retry: 1000\n\n:\n\ndata: {"a":"ä"}\n\nevent: x\r\ndata:1\r\ndata: 2\r\n\r\ndata: never ends';
  const bytes = new TextEncoder().encode(text);
  for (const size of [1, 2, 3, 7, bytes.length]) {
    let heard = 0;
    const parts = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
      bytes.slice(i * size, (i + 1) * size),
    );
    const found = [];
    for await (const message of messagesOf(ReadableStream.from(parts), () => heard++)) found.push(message);
    assert.deepEqual(found, [
      { event: 'message', data: '{"a":"ä"}' },
      { event: 'x', data: '1\n2' },
    ]);
    assert.equal(heard, parts.length);
  }
});
