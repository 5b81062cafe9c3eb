/** Starts first: it takes among the longest. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../support/processes.ts';
import { type Service, startService } from '../../support/service.ts';

/** The processes of workers, whether the primary knows them or not. */
const workerPids = (service: Service) =>
  service
    .tree()
    .filter(({ command }) => command.endsWith('worker/main.js'))
    .map(({ pid }) => pid)
    .sort();

/** Requests whose bodies do not come: a worker that has one drains until they end. */
function openUploads(port: number, count: number): { end(): void } {
  const sockets = Array.from({ length: count }, () => {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    socket.write(
      'POST /admin/sales HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
    );
    return socket;
  });
  return {
    end() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

test('a worker that is killed in the middle of a roll leaves no process that the primary does not know', async () => {
  const service = await startService({ WORKERS: '2' });
  const [, second] = await service.workers();
  const uploads = openUploads(service.port, 12);
  await sleep(300);
  service.child.kill('SIGUSR2');
  // The new worker of slot 0 serves, and the old one drains.
  await until('the new worker of slot 0', async () => {
    const { body } = await service.http.get('/health');
    return workerPids(service).length === 3 && body.workers[0].pid !== second && body.workers.length === 2;
  });
  process.kill(second!, 'SIGKILL');
  await service.saw('a worker died');
  await sleep(300);
  uploads.end();
  await service.saw('rolling restart done');
  const known = await service.workers();
  assert.deepEqual(workerPids(service), [...known].sort());
  assert.ok(!service.log.some(({ msg }) => msg === 'a worker in no slot was ended'));
  await service.stop();
});

test('workers whose primary says nothing for 5 s leave, and it has new ones when it wakes', async () => {
  const service = await startService({ WORKERS: '2' });
  const before = workerPids(service);
  service.child.kill('SIGSTOP');
  try {
    const isLeft = (pid: number) => workerPids(service).includes(pid);
    await until('they left', () => !before.some(isLeft));
  } finally {
    service.child.kill('SIGCONT');
  }
  const after = await until('new workers', () => service.workers());
  assert.ok(after.every((pid) => !before.includes(pid)));
  assert.ok(service.log.some(({ msg }) => msg === 'the primary is silent; this worker leaves'));
  assert.equal((await service.http.get('/readyz')).status, 200);
  await service.stop();
});
