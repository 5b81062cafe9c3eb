/** `npm run perf`: the benchmark suite. `-- list` names the other tools of measurement, and `-- NAME` runs one. */
import { EXIT } from './command.ts';

interface Tool {
  readonly about: string;
  /** Importing a tool runs it; it reads the options that are left, and sets the exit code. */
  readonly run: () => Promise<unknown>;
}

const TOOLS: Readonly<Record<string, Tool>> = {
  suite: {
    about: 'the service beside a bare node:http cluster (--help tells more)',
    run: () => import('./suite.ts'),
  },
  chart: {
    about: 'draws perf/results/latest.svg of the newest results again',
    run: async () => (await import('./latest.ts')).redraw(),
  },
  load: {
    about: 'a crowd of buyers with live progress, on a sale with an item for each (--help)',
    run: () => import('./load.ts'),
  },
  overload: {
    about: 'more customers than can be served: books, attempt log and operations must stay right (--help)',
    run: () => import('./overload.ts'),
  },
  simulate: {
    about: 'a drop on boxes that are not here, from what operations were measured to cost (--help)',
    run: () => import('./simulate/main.ts'),
  },
  cold: {
    about: 'the first sell-out after a start beside those that follow (--help)',
    run: () => import('./cold.ts'),
  },
  beside: {
    about: 'what open consoles and a crowd that polls cost a sell-out, with and without in turns (--help)',
    run: () => import('./beside.ts'),
  },
  'first-view': {
    about: 'the storefront of 10,000 goods in Chromium: bytes, and the time to the first of them (--help)',
    run: () => import('./first-view.ts'),
  },
  observing: {
    about: 'what metrics and request lines cost, on and off in one run (--help)',
    run: () => import('./observing.ts'),
  },
  door: {
    about: 'what proof of the buyer, rates and CORS cost a request, in time',
    run: () => import('./door.ts'),
  },
  drop: {
    about: 'people against bots, with tokens, rates and a queue, and without (--help)',
    run: () => import('./drop.ts'),
  },
  queue: {
    about: 'what joining a queue and a turn cost, and what a million buyers take of Redis',
    run: () => import('./queue.ts'),
  },
  shard: {
    about: "what the functions of a worker's memory cost, in time and bytes",
    run: () => import('./shard.ts'),
  },
};

const LIST = `npm run perf -- [NAME] [options]

${Object.entries(TOOLS)
  .map(([name, { about }]) => `  ${name.padEnd(12)}${about}`)
  .join('\n')}

Without a name it is the suite. Sales of other sizes: --scale 10000,1000000.
A sell-out with its books compared is a command of its own: npm run sellout.`;

const [first = 'suite'] = process.argv.slice(2);
const name = first.startsWith('-') ? 'suite' : first;
const tool = Object.hasOwn(TOOLS, name) ? TOOLS[name] : undefined;
if (tool) {
  if (name === first) process.argv.splice(2, 1);
  await tool.run();
} else if (name === 'list') {
  console.log(LIST);
} else {
  console.error(`perf: there is no "${name}"; there are ${Object.keys(TOOLS).join(', ')} and list.`);
  process.exitCode = EXIT.refused;
}
