/** `npm run perf -- simulate`: a drop on more boxes than there are here, from what operations were measured to cost. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { EXIT, printTable, readCount, runCommand } from '../command.ts';
import { COSTS } from './costs.ts';
import { type Outcome, type Setup, simulate } from './model.ts';
import { drawDrop } from './picture.ts';

const HELP = `npm run perf -- simulate [options]

Buyers come within so many seconds, each to a random item; who is too late tries
another one. The service, Redis and Postgres are queues that cost what
operations were measured to cost (docs/scale.md says where, and how far off).

  --boxes 1                boxes of the service
  --cores 16               of each box, and of Postgres' machine
  --workers N              of each box; as many as it has cores
  --masters 1              masters of a Redis Cluster, a core each
  --sales 1                sales at the same time
  --items 10000            of each sale
  --buyers 1000000         of all sales
  --seconds 1              in which they come
  --tries 3                items that a buyer tries
  --picture FILE.svg       draws what was answered over time
  --validate               real sell-outs on this machine beside simulated ones
  --measure                what one operation costs Redis and Postgres here`;

function readOptions() {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: {
      ...{ boxes: text, cores: text, workers: text, masters: text, sales: text, items: text },
      ...{ buyers: text, seconds: text, tries: text },
      picture: text,
      validate: { type: 'boolean' },
      measure: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  return values;
}

const percent = (share: number) => `${Math.round(share * 100)} %`;

function print(setup: Setup, outcome: Outcome): void {
  const { requests, refused, shed, sold, soldOutS, endS, p50Ms, p99Ms, busy } = outcome;
  console.log(
    `${sold.toLocaleString('en')} of ${(setup.sales * setup.items).toLocaleString('en')} units sold and committed after ${soldOutS.toFixed(2)} s; the last of ${requests.toLocaleString('en')} requests answered after ${endS.toFixed(2)} s.`,
  );
  printTable([
    ['refused', '503', 'p50', 'p99', 'busiest worker', 'busiest Redis', 'Postgres'],
    [
      ...[refused, shed, `${p50Ms.toFixed(1)} ms`, `${p99Ms.toFixed(1)} ms`],
      ...[busy.workers, busy.redis, busy.postgres].map(percent),
    ],
  ]);
}

await runCommand('simulate', async () => {
  const options = readOptions();
  if (options.help) console.log(HELP);
  else if (options.measure) await (await import('./measure.ts')).measureCosts();
  else if (options.validate) await (await import('./validate.ts')).validate();
  else {
    const cores = readCount('cores', options.cores, 16);
    const setup: Setup = {
      ...{ boxes: readCount('boxes', options.boxes, 1), cores, postgresCores: cores, shared: false },
      workers: readCount('workers', options.workers, cores),
      masters: readCount('masters', options.masters, 1),
      sales: readCount('sales', options.sales, 1),
      items: readCount('items', options.items, 10_000),
    };
    const crowd = {
      buyers: readCount('buyers', options.buyers, 1_000_000),
      seconds: readCount('seconds', options.seconds, 1),
      tries: readCount('tries', options.tries, 3),
    };
    const outcome = simulate(setup, crowd, COSTS);
    print(setup, outcome);
    const words = `${crowd.buyers.toLocaleString('en')} buyers in ${crowd.seconds} s`;
    if (options.picture) writeFileSync(options.picture, drawDrop(setup, words, outcome));
  }
  return EXIT.ok;
});
