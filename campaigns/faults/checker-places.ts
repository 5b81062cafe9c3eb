import type { Violation } from './checker.ts';

/** What a buyer was told of his place in the queue of a sale. */
export interface Told {
  /** `join`: by POST /queue; `read`: by GET /queue/{ticket}. */
  readonly does: 'join' | 'read';
  readonly user: string;
  /** When it was asked first, and when it was answered, by one clock in ms. */
  readonly from: number;
  readonly t: number;
  readonly ticket: string;
  readonly place: number | null;
  readonly state: string;
}

export interface PlaceViolation extends Violation {
  readonly kind: 'place-moved' | 'place-twice' | 'place-over';
}

/** What happened to the sale meanwhile. */
export interface PlaceRules {
  /** From then on Redis may have forgotten who has joined; absent: it has not. */
  lostAt?: number;
  /** From then on nobody has a place; absent: the sale goes on. */
  endedAt?: number;
}

/** A worker looks four times a second where a queue stands; on two busy cores it may be late. */
export const SEEN_MS = 2_000;

/** All that was told of one ticket. */
interface Story {
  readonly ticket: string;
  /** 0 of one who is drawn; n of the n-th later comer. */
  readonly number: number;
  readonly told: Told[];
}

/** Checks what the buyers of one sale were told who joined its queue again and again. Pure (docs/queue.md, "Places"). */
export function checkPlaces(told: readonly Told[], { lostAt, endedAt }: PlaceRules = {}): PlaceViolation[] {
  const stories = storiesOf(told);
  return [
    ...checkOwners(stories),
    ...checkOrder(stories),
    ...stories.flatMap(checkStill),
    ...stories.flatMap(checkOver),
    ...checkAgain(stories, lostAt ?? Number.POSITIVE_INFINITY),
    ...told.flatMap(({ user, from }): PlaceViolation[] =>
      from > (endedAt ?? from)
        ? [{ kind: 'place-over', detail: `${user} has one after the sale's end` }]
        : [],
    ),
  ];
}

/** In the order in which the tickets were told first. */
function storiesOf(told: readonly Told[]): Story[] {
  const stories = new Map<string, Story>();
  for (const each of [...told].sort((a, b) => a.t - b.t)) {
    const { ticket } = each;
    const story = stories.get(ticket) ?? { ticket, number: Number(ticket.split('.')[1]), told: [] };
    story.told.push(each);
    stories.set(ticket, story);
  }
  return [...stories.values()];
}

const toldFirst = ({ told }: Story): number => (told[0] as Told).t;
const askedFirst = ({ told }: Story): number => Math.min(...told.map(({ from }) => from));
const firstAt = ({ told }: Story, state: string): number =>
  told.find((each) => each.state === state)?.t ?? Number.POSITIVE_INFINITY;

/** Nobody is told another's place. Two who are drawn may read the same number, but not by the same ticket. */
function checkOwners(stories: readonly Story[]): PlaceViolation[] {
  const owners = new Map<string | number, Set<string>>();
  for (const { ticket, number, told } of stories) {
    const key = number === 0 ? ticket : number;
    owners.set(key, new Set([...(owners.get(key) ?? []), ...told.map(({ user }) => user)]));
  }
  return [...owners].flatMap(([key, users]): PlaceViolation[] =>
    users.size > 1 ? [{ kind: 'place-twice', detail: `${key} is that of ${[...users].join(', ')}` }] : [],
  );
}

/** A later comer stands behind all who had been told their places before he asked. */
function checkOrder(stories: readonly Story[]): PlaceViolation[] {
  return stories.flatMap((story): PlaceViolation[] => {
    const asked = askedFirst(story);
    const passed = stories.find((other) => other.number > story.number && toldFirst(other) < asked);
    if (story.number === 0 || passed === undefined) return [];
    return [
      { kind: 'place-moved', detail: `${story.ticket}, asked for at ${asked}, is before ${passed.ticket}` },
    ];
  });
}

/** In the order in which a place goes through them. */
const STATES = ['drawing', 'waiting', 'admitted', 'over'];

/** A place never moves, and its turn does not go back: by then each worker has seen what another has told. */
function checkStill(story: Story): PlaceViolation[] {
  const { ticket, told } = story;
  const places = new Set(told.flatMap(({ place }) => place ?? []));
  if (places.size > 1) return [{ kind: 'place-moved', detail: `${ticket} was at ${[...places].join(', ')}` }];
  const back = told.find(({ state, from }) =>
    STATES.slice(STATES.indexOf(state) + 1).some((later) => from > firstAt(story, later) + SEEN_MS),
  );
  return back ? [{ kind: 'place-moved', detail: `${ticket} went back: ${back.state} at ${back.from}` }] : [];
}

/** Whoever joins again when his place is over is given another. */
function checkOver(story: Story): PlaceViolation[] {
  const over = firstAt(story, 'over');
  const again = story.told.find(({ does, from }) => does === 'join' && from > over + SEEN_MS);
  return again
    ? [{ kind: 'place-over', detail: `${story.ticket}, over at ${over}, is given at ${again.t}` }]
    : [];
}

/** Whoever joins again has the place that he had, until it is over, or Redis has forgotten him. */
function checkAgain(stories: readonly Story[], lostAt: number): PlaceViolation[] {
  const last = new Map<string, Story>();
  return stories.flatMap((story): PlaceViolation[] => {
    const { user } = story.told[0] as Told;
    const before = last.get(user);
    last.set(user, story);
    const at = toldFirst(story);
    if (before === undefined || at > lostAt || firstAt(before, 'over') <= at + SEEN_MS) return [];
    return [{ kind: 'place-moved', detail: `${user} had ${before.ticket}, and ${story.ticket} at ${at}` }];
  });
}
