/**
 * Runs that once failed, or fail when a guard is taken away (a planted bug), in their smallest form: the random runs
 * may take long to find them again.
 */
import type { Command, Script, Turn } from './commands.ts';

const run = (...commands: Command[]): Script => ({
  items: 3,
  limit: 2,
  scheduled: false,
  real: false,
  finish: false,
  commands,
});
const checkout = (...items: number[]): Command => ({
  do: 'checkout',
  worker: 0,
  ops: items.map((item) => [0, item]),
});
const purchase: Command = { do: 'purchase', worker: 0, codes: [0] };
/** Decides, and is left before it commits. */
const purchaseHeld: Command = { ...purchase, course: [1, 'waits'] };
const resume: Command = { do: 'resume', process: 0 };
const keep: Command = { do: 'keep' };
const giveBack: Command = { do: 'give back', code: 0, part: false, restock: true };
/** Gives back in Postgres, and is left before Redis hears of it. */
const giveBackHeld: Command = { ...giveBack, course: [1, 'waits'] };

const turn = (to: Turn): Command => ({ do: 'switch', turn: to });
/** Changes the sale in Postgres, and is left before Redis hears of it. */
const turnHeld = (to: Turn): Command => ({ ...turn(to), course: [3, 'waits'] }) as Command;

export const PAST: Readonly<Record<string, Script>> = {
  'a decision that a rebuild did not see comes back with an old copy of Redis': run(
    checkout(0),
    purchaseHeld,
    { do: 'go back', commands: 1 },
    keep,
    { do: 'go back', commands: 2 },
    keep,
  ),
  'a purchase whose fence was written before a restart meets an old copy': run(
    checkout(0),
    { ...purchase, course: [0, 'waits'] },
    checkout(1),
    purchase,
    { do: 'go back', commands: 2 },
    resume,
    keep,
    purchase,
  ),
  'a worker commits after a rebuild what was lost before it': run(
    checkout(0),
    purchaseHeld,
    { do: 'empty' },
    keep,
    resume,
  ),
  'an old copy brings back the cart of a committed code': run(
    checkout(0),
    purchase,
    { do: 'go back', commands: 1 },
    keep,
    purchase,
  ),
  'an old copy brings back a cart that no longer fits under the limit': run(
    checkout(0, 1),
    { do: 'empty' },
    keep,
    checkout(2),
    purchase,
    { do: 'go back', commands: 4 },
    keep,
    { do: 'purchase', worker: 0, codes: [1] },
  ),
  'a rebuild goes on after another has begun, gone through and sold': run(
    { do: 'rebuild', course: [8, 'waits'] },
    keep,
    checkout(0),
    purchase,
    resume,
  ),
  'a rebuild goes on with an older epoch after Redis was emptied under a newer one': run(
    { do: 'rebuild', course: [2, 'waits'] },
    { do: 'rebuild', course: [7, 'waits'] },
    { do: 'empty' },
    resume,
    resume,
  ),
  'the items are gone, and nothing else': run(checkout(0), { do: 'lose items' }, purchase),
  'a sale ends with a decision in its outbox': run(
    checkout(0),
    purchaseHeld,
    { do: 'end' },
    { do: 'retire' },
    { do: 'sweep' },
    { do: 'retire' },
  ),
  'Postgres loses a purchase that Redis still knows': run(checkout(0), purchase, {
    do: 'Postgres goes back',
    commands: 1,
    kept: true,
  }),
  'Postgres loses a purchase and an epoch, and both were answered in it': run(
    checkout(0),
    { do: 'restart', kept: true },
    purchase,
    { do: 'Postgres goes back', commands: 2, kept: true },
    { do: 'empty' },
    keep,
  ),
  'a sale is retired before anybody has seen that Postgres lost a purchase of it': run(
    checkout(0),
    purchase,
    { do: 'Postgres goes back', commands: 1, kept: false },
    { do: 'end' },
    { do: 'retire' },
  ),
  'a worker commits in an epoch that both stores have forgotten': run(
    { do: 'restart', kept: true },
    checkout(0),
    purchaseHeld,
    { do: 'empty' },
    { do: 'Postgres goes back', commands: 3, kept: true },
    resume,
  ),
  'the outbox is lost, and its decisions are not': run(checkout(0), purchaseHeld, {
    do: 'lose',
    key: 'outbox',
    kept: true,
  }),
  'the decisions are lost, and wait in the outbox': run(checkout(0), purchaseHeld, {
    do: 'lose',
    key: 'decisions',
    kept: true,
  }),
  'a rebuild is overtaken by the retirement of its sale': run(
    { do: 'end' },
    { do: 'rebuild', course: [1, 'waits'] },
    { do: 'retire' },
    resume,
  ),
  'a return is carried on by the leader, and then its worker wakes': run(
    checkout(0),
    purchase,
    giveBackHeld,
    keep,
    checkout(0),
    resume,
    purchase,
  ),
  'Postgres loses a return, and the purchase of the same unit that followed': run(
    checkout(0, 1),
    purchase,
    giveBack,
    checkout(0),
    purchase,
    { do: 'Postgres goes back', commands: 3, kept: true },
  ),
  'Postgres loses everything: a purchase, a part of it that came back, and who bought that': run(
    checkout(0, 1),
    purchase,
    { ...giveBack, part: true },
    checkout(0),
    purchase,
    { do: 'Postgres goes back', commands: 5, kept: true },
  ),
  'Postgres loses a purchase of which nobody gets a unit again': run(
    checkout(0, 1),
    purchase,
    { ...giveBack, part: true, restock: false },
    { do: 'Postgres goes back', commands: 2, kept: true },
    checkout(2),
    purchase,
  ),
  'a unit comes back while a rebuild reads': run(
    checkout(0),
    purchase,
    { do: 'rebuild', course: [9, 'waits'] },
    giveBack,
    resume,
    keep,
    giveBack,
  ),
  'what nobody gets is not for sale after a rebuild, and its buyer has room': run(
    checkout(0, 1),
    purchase,
    { ...giveBack, restock: false },
    { do: 'empty' },
    keep,
    checkout(2),
    purchase,
  ),
  'units come while a rebuild has read the items': run(
    { do: 'rebuild', course: [13, 'waits'] },
    { do: 'more', item: 0, units: 1 },
    resume,
  ),
  'units come just before the gate of a rebuild opens': run(
    { do: 'rebuild', course: [14, 'waits'] },
    { do: 'more', item: 0, units: 1 },
    resume,
  ),
  'a paused sale sells nothing that was in a cart, and goes on': run(
    checkout(0, 1),
    turn('pause'),
    purchase,
    checkout(2),
    turn('resume'),
    purchase,
  ),
  'Postgres loses changes, and the sale is paused before the leader has looked': run(
    turn('pause'),
    turn('resume'),
    { do: 'Postgres goes back', commands: 2, kept: false },
    turn('pause'),
    checkout(0),
  ),
  'Postgres loses a change, and makes another of the same number': run(
    turn('pause'),
    { do: 'Postgres goes back', commands: 1, kept: false },
    turn('limit'),
    checkout(0),
  ),
  'two changes reach Redis in the other order': run(
    turnHeld('pause'),
    turnHeld('resume'),
    resume,
    resume,
    checkout(0),
  ),
  'a sale is extended as it is being retired': run(
    checkout(0),
    purchase,
    { do: 'end' },
    { do: 'retire', course: [26, 'waits'] },
    turn('extend'),
    resume,
    keep,
    checkout(1),
    purchase,
  ),
};
