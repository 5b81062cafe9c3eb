import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Replies under way arrive within this time. */
const QUIET_MS = 30;

/** A TCP proxy whose connections can be cut, silenced, robbed of a reply, or led to another server. */
export interface TcpProxy {
  readonly port: number;
  /** Cuts every connection now. */
  cut(): void;
  /** Swallows the next `count` replies of the server and cuts their connections: done, but unanswered. */
  swallow(count: number): void;
  /** While true, new connections are cut at once, as if nobody listened, and the existing ones are cut. */
  refuse(on: boolean): void;
  /** Existing connections pass nothing any more, and are never closed; new ones work. */
  silence(): void;
  /**
   * From now on all connections lead to that port, also those that are open, whose clients notice nothing. `greeting` is
   * what a server wants to hear first; what it answers is swallowed.
   */
  swap(port: number, greeting: string): Promise<void>;
  close(): void;
}

interface Pair {
  readonly client: Socket;
  server: Socket;
}

export async function startProxy(firstTarget: number): Promise<TcpProxy> {
  let target = firstTarget;
  const pairs = new Set<Pair>();
  let refusing = false;
  let toSwallow = 0;

  const server = createServer((client) => {
    if (refusing) return void client.resetAndDestroy();
    const pair = { client, server: connect({ port: target, host: '127.0.0.1', noDelay: true }) };
    client.setNoDelay(true);
    pairs.add(pair);
    endWith(pair, client);
    client.on('data', (bytes) => pair.server.write(bytes));
    answerFrom(pair, pair.server);
  });
  const endWith = (pair: Pair, socket: Socket) => {
    const end = () => {
      // A server that was exchanged for another may go.
      if (socket !== pair.client && socket !== pair.server) return;
      pairs.delete(pair);
      for (const each of [pair.client, pair.server]) each.destroy();
    };
    socket.on('error', end);
    socket.on('close', end);
  };
  const answerFrom = (pair: Pair, from: Socket) => {
    endWith(pair, from);
    from.on('data', (bytes) => {
      if (from !== pair.server) return;
      if (toSwallow === 0 || !isReplyToScript(bytes)) return void pair.client.write(bytes);
      toSwallow--;
      pair.client.resetAndDestroy();
    });
  };
  // As a proxy of that kind does: between requests, so that each reply still belongs to its request.
  const exchange = async (pair: Pair, greeting: string) => {
    pair.client.pause();
    await sleep(QUIET_MS);
    const next = connect({ port: target, host: '127.0.0.1', noDelay: true });
    next.write(greeting);
    await once(next, 'data');
    const before = pair.server;
    pair.server = next;
    answerFrom(pair, next);
    before.destroy();
    pair.client.resume();
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const cut = () => {
    for (const { client } of [...pairs]) client.resetAndDestroy();
  };
  return {
    port: (server.address() as { port: number }).port,
    cut,
    swallow: (count) => {
      toSwallow = count;
    },
    refuse: (on) => {
      refusing = on;
      if (on) cut();
    },
    silence: () => {
      for (const pair of [...pairs]) {
        pairs.delete(pair);
        for (const socket of [pair.client, pair.server]) {
          socket.removeAllListeners('data');
          socket.removeAllListeners('close');
          socket.on('data', () => {});
        }
      }
    },
    async swap(port, greeting) {
      target = port;
      await Promise.all([...pairs].map((pair) => exchange(pair, greeting)));
    },
    close: () => {
      cut();
      server.close();
    },
  };
}

/** An array: what scripts answer, and what PINGs, INFO and most single commands do not. */
const isReplyToScript = (bytes: Buffer) => bytes[0] === 0x2a;
