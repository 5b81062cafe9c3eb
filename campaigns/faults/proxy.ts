import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A TCP proxy whose connections can be cut, silenced, or robbed of a reply. */
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
  close(): void;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

export async function startProxy(target: number): Promise<TcpProxy> {
  const pairs = new Set<Pair>();
  let refusing = false;
  let toSwallow = 0;

  const server = createServer((client) => {
    if (refusing) return void client.resetAndDestroy();
    const pair = { client, server: connect({ port: target, host: '127.0.0.1', noDelay: true }) };
    client.setNoDelay(true);
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      for (const socket of [pair.client, pair.server]) socket.destroy();
    };
    for (const socket of [pair.client, pair.server]) {
      socket.on('error', end);
      socket.on('close', end);
    }
    client.on('data', (bytes) => pair.server.write(bytes));
    pair.server.on('data', (bytes) => {
      if (toSwallow === 0 || !isReplyToScript(bytes)) return void client.write(bytes);
      toSwallow--;
      client.resetAndDestroy();
    });
  });
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
    close: () => {
      cut();
      server.close();
    },
  };
}

/** An array: what scripts answer, and what PINGs, INFO and most single commands do not. */
const isReplyToScript = (bytes: Buffer) => bytes[0] === 0x2a;
