/** How a campaign listens to what a stand tells: the event feed, and webhooks at a port that is known before it starts. */
import { setTimeout as sleep } from 'node:timers/promises';
import { call, newAgent } from './http.ts';
import { type Received, SECRET } from './receiver.ts';
import type { Stand } from './stand.ts';

const PORT = 20_000 + (process.pid % 20_000);
/** The ports of receivers. The services of a stand are told them when they start, before there is a receiver. */
export const PORTS = { feed: PORT, returns: PORT + 1 } as const;

/** The environment of services that send webhooks to a receiver at this port of loopback. */
export const tellingTo = (port: number) => ({
  WEBHOOK_URL: `http://127.0.0.1:${port}/hooks`,
  WEBHOOK_SECRET: SECRET,
  WEBHOOK_PRIVATE: 'on',
});

/** Reads the feed all the time, from whichever box answers; stops when told, with what it has read. */
export function followFeed(stand: Stand): { stop(): Promise<Received[]> } {
  const seen: Received[] = [];
  let isOver = false;
  const reading = (async () => {
    const agent = newAgent(1);
    for (let n = 0; ; n++) {
      const after = seen.length === 0 ? '' : `&after=${seen.at(-1)?.id}`;
      const urls = stand.urls();
      const { status, body } = await call(agent, `${urls[n % urls.length]}/admin/events?limit=50${after}`);
      const page: Received[] = status === 200 ? JSON.parse(body) : [];
      seen.push(...page);
      if (isOver && status === 200 && page.length === 0) break;
      if (page.length === 0) await sleep(5);
    }
    agent.destroy();
  })();
  return {
    async stop() {
      isOver = true;
      await reading;
      return seen;
    },
  };
}
