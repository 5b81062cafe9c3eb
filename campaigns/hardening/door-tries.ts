import type { Random } from '../faults/random.ts';
import { forgedTickets } from './tickets.ts';
import { byKey, bySecret, type Claims, claimsOf, inS, SECRET, type Signer, unsigned } from './tokens.ts';

/** What the attacker knows, and what it would like to be. */
export interface Prey {
  readonly saleId: string;
  readonly item: string;
  /** A code of the victim's cart, which has leaked. */
  readonly code: string;
  /** A sale whose queue admits nobody, one of its items, and the tickets of victim and thief in it. */
  readonly queued: { readonly saleId: string; readonly item: string; readonly tickets: readonly string[] };
  /** Keys that the service knows: their public parts are published. */
  readonly signers: readonly Signer[];
}

export const [VICTIM, THIEF, AUDIENCE] = ['victim', 'thief', 'shop'];
/** The one address of the attacker, as the proxy names it. */
export const ATTACKER = '203.0.113.9';

/** A request over a connection of its own, and which statuses may answer it. */
export interface Try {
  readonly text: string;
  readonly isCheckout: boolean;
  readonly allowed: readonly number[];
}

const claims = (user: unknown, more: Claims = {}) => claimsOf(user, { aud: AUDIENCE, ...more });
const changed = (token: string, at: number) =>
  `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
const longer = (random: Random) => 'x'.repeat(random.between(3_000, 9_000));

/** Tokens of the victim that the attacker makes without a secret or a private key. */
const FORGERIES: readonly ((random: Random, prey: Prey) => string)[] = [
  // A change of the last character may leave the same signature.
  (random) => {
    const token = bySecret(claims(VICTIM));
    return changed(token, random.between(0, token.length - 3));
  },
  (random, { signers }) => {
    const token = byKey(random.pick(signers), claims(VICTIM));
    return changed(token, random.between(0, token.length - 3));
  },
  (random) => bySecret(claims(VICTIM), random.pick(['', 'secret', SECRET.slice(1), `${SECRET} `])),
  (random, { signers }) => {
    const { publicKey, jwk, kid } = random.pick(signers);
    const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
    const der = publicKey.export({ type: 'spki', format: 'der' });
    return bySecret(claims(VICTIM), random.pick([pem, pem.trim(), der, JSON.stringify(jwk)]), { kid });
  },
  (random) =>
    `${unsigned({ alg: random.pick(['none', 'None', 'NONE', '', null, 'HS256 ', 'HS384', 'PS256']) }, claims(VICTIM))}.${random.pick(['', 'AAAA'])}`,
  (random, { signers }) => {
    const [one, other] = [random.pick(signers), random.pick(signers)];
    return byKey({ ...one, privateKey: strangerOf(one) }, claims(VICTIM), { kid: other.kid });
  },
  (random, { signers }) => {
    const one = random.pick(signers);
    const header = { jwk: one.jwk, jku: 'http://127.0.0.1:1/', x5u: 'file:///etc/passwd' };
    return byKey({ ...one, privateKey: strangerOf(one) }, claims(VICTIM), header);
  },
  (random) => bySecret(claims(VICTIM, { exp: inS(-random.between(60, 100_000)) })),
  (random) => bySecret(claims(VICTIM, { nbf: inS(random.between(60, 100_000)) })),
  (random) =>
    bySecret({ ...claims(VICTIM), exp: random.pick([undefined, null, '9999999999', -1, 0, {}, 'Infinity']) }),
  (random) =>
    bySecret(claims(VICTIM, { aud: random.pick([undefined, 'other', ['other'], '', {}, `${AUDIENCE} `]) })),
  (random) =>
    bySecret(
      claims(
        random.pick([
          undefined,
          null,
          7,
          [VICTIM],
          {},
          '',
          ' victim',
          'victim\n',
          'vic"tim',
          'v'.repeat(129),
        ]),
      ),
    ),
  () => bySecret(bySecret(claims(VICTIM)), SECRET, { cty: 'JWT' }),
  () => bySecret([claims(VICTIM)]),
  (random) =>
    bySecret(claims(VICTIM), SECRET, { crit: [random.pick(['exp', 'b64', 'x'])], b64: false, x: 1 }),
  (random) => bySecret(claims(VICTIM, { more: longer(random) })),
  (random) => `${bySecret(claims(VICTIM))}.${random.pick(['a.b', '', 'AAAA'])}`,
  (random) =>
    Array.from({ length: random.between(0, 5) }, () => random.pick(['', 'e30', 'bnVsbA', '!!', 'W10'])).join(
      '.',
    ),
];

/** Keys of nobody, one of each algorithm. */
const strangers = new Map<string, Signer['privateKey']>();
const strangerOf = ({ alg }: Signer) => strangers.get(alg) as Signer['privateKey'];
export const setStranger = ({ alg, privateKey }: Signer) => void strangers.set(alg, privateKey);

/** A request for what is the victim's, with a token that does not prove it. */
export function tokenTry(random: Random, prey: Prey): Try {
  const targets = [
    `POST /checkout?user_id=${VICTIM}&id=${prey.item}&sale_id=${prey.saleId}`,
    `POST /checkout?id=${prey.item}&sale_id=${prey.saleId}`,
    `POST /purchase?code=${prey.code}`,
    `GET /purchases/${prey.code}`,
  ];
  // A token of its own is good, but not for what is the victim's; the second target would be the thief's own cart.
  const isOwn = random.chance(0.1);
  const target = random.pick(isOwn ? targets.filter((_, i) => i !== 1) : targets);
  const token = isOwn ? bySecret(claims(THIEF)) : random.pick(FORGERIES)(random, prey);
  const scheme = isOwn
    ? 'Bearer'
    : random.pick(['Bearer', 'bearer', 'BEARER', 'Bearer  ', 'Basic', 'JWT', '']);
  const forwarded = `X-Forwarded-For: 100.${random.between(0, 255)}.${random.between(0, 255)}.${random.between(0, 255)}`;
  const second = random.chance(0.05) ? [`Authorization: Bearer ${bySecret(claims(VICTIM, { exp: 1 }))}`] : [];
  const isCheckout = target.startsWith('POST /checkout');
  // 404: the code has no receipt yet, which is all that a token of its own may learn of it. 401: two tokens are none.
  // 503: whose the code is was not found out in time, see BUSY_SHARE.
  const ofOwn = [401, 403, 404, 429, ...(isCheckout ? [] : [503])];
  return {
    text: requestOf(random, target, [`Authorization: ${scheme} ${token}`, ...second, forwarded]),
    isCheckout,
    allowed: isOwn ? ofOwn : [401, 429, 431],
  };
}

/** A thief with a good token who makes himself a turn: by the victim's ticket, by a forged one, or by its own before its time. */
export function ticketTry(random: Random, { queued }: Prey): Try {
  const own = random.pick(queued.tickets);
  const ticket = random.chance(0.1) ? own : random.pick(forgedTickets(own));
  const isCheckout = ticket === queued.tickets[1] || random.chance(0.7);
  const target = isCheckout
    ? `POST /checkout?id=${queued.item}&sale_id=${queued.saleId}&ticket=${ticket}`
    : `GET /queue/${ticket}`;
  const forwarded = `X-Forwarded-For: 100.${random.between(0, 255)}.${random.between(0, 255)}.${random.between(0, 255)}`;
  return {
    text: requestOf(random, target, [`Authorization: Bearer ${bySecret(claims(THIEF))}`, forwarded]),
    isCheckout,
    // 403: the ticket is the victim's, or none. 404: there is no such ticket.
    allowed: isCheckout ? [403, 429] : [403, 404, 429],
  };
}

const digits = (random: Random) => Array.from({ length: 4 }, () => random.between(0, 300)).join('.');
const LIES: readonly ((random: Random) => string)[] = [
  digits,
  () => '127.0.0.1',
  () => '198.51.100.1',
  () => '::1',
  () => 'unknown',
  () => '',
  (random) => `for=${digits(random)}`,
  (random) => `"${digits(random)}`,
  (random) => '1'.repeat(random.between(1, 2_000)),
  (random) => Array.from({ length: random.between(1, 100) }, () => '127.0.0.1').join(', '),
];
const NAMES = [
  'X-Real-IP',
  'True-Client-IP',
  'CF-Connecting-IP',
  'X-Client-IP',
  'Forwarded',
  'Client-IP',
  'X-Forwarded',
];
/** How a proxy may write the address that it saw. */
const SEEN = [ATTACKER, `::ffff:${ATTACKER}`, `${ATTACKER}:4711`, `[::ffff:${ATTACKER}]:80`, ` ${ATTACKER} `];

/** A request from the one address of the attacker, which pretends to have others. */
export function addressTry(random: Random): Try {
  const lies = Array.from({ length: random.between(0, 3) }, () => random.pick(LIES)(random));
  const seen = random.pick(SEEN);
  const name = random.pick(['X-Forwarded-For', 'x-forwarded-for', 'X-FORWARDED-FOR']);
  // A proxy appends to the header, or adds another one.
  const forwarded = random.chance(0.5)
    ? [`${name}: ${[...lies, seen].join(random.pick([',', ', ', ' ,\t']))}`]
    : [...lies.map((lie) => `${name}: ${lie}`), `${name}: ${seen}`];
  const others = Array.from(
    { length: random.between(0, 2) },
    () => `${random.pick(NAMES)}: ${random.pick(LIES)(random)}`,
  );
  return {
    text: requestOf(random, 'GET /shards', [...others, ...forwarded]),
    isCheckout: false,
    allowed: [200, 429, 431],
  };
}

/** Half of them through node:http and Hono: a second option of the connection is nothing plain. */
const requestOf = (random: Random, target: string, headers: readonly string[]) =>
  [
    `${target} HTTP/1.1`,
    'Host: shop',
    ...headers,
    `Connection: ${random.pick(['close', 'close, x'])}`,
    '',
    '',
  ].join('\r\n');
