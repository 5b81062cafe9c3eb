import type { Random } from '../faults/random.ts';

/** The user of requests that are hidden in others; none of them may ever be served. */
export const SMUGGLED = 'smuggled';

const HOST = 'Host: a\r\n';
const JSON_TYPE = 'Content-Type: application/json\r\n';

/** A request of parts, so that each can be broken on its own. */
interface Parts {
  method: string;
  target: string;
  version: string;
  headers: string[];
  body: string;
}

/** Requests in the one right form that can only be refused, whatever a mutation leaves of them. */
const HOPELESS: ((random: Random) => Parts)[] = [
  (random) => parts('POST', `/checkout?user_id=u${random.between(1, 99)}&id=no-such-item`),
  (random) => parts('POST', `/purchase?code=CHK-S-0000000000-${random.between(1, 99)}`),
  () => parts('GET', '/purchases/none'),
  () => parts('DELETE', '/livez'),
  () =>
    parts(
      'POST',
      '/admin/sales',
      ['Content-Type: application/json', 'Content-Length: 17'],
      '{"total_items":1}',
    ),
  () => parts('POST', '/nothing', ['Transfer-Encoding: chunked'], '3\r\nabc\r\n0\r\n\r\n'),
];

const parts = (method: string, target: string, headers: string[] = [], body = ''): Parts => ({
  method,
  target,
  version: 'HTTP/1.1',
  headers: ['Host: a', ...headers],
  body,
});

const write = ({ method, target, version, headers, body }: Parts): string =>
  `${method} ${target} ${version}\r\n${headers.map((line) => `${line}\r\n`).join('')}\r\n${body}`;

const BYTES = [
  '\0',
  '\r',
  '\n',
  '\r\n',
  ' ',
  '\t',
  ':',
  '%',
  '%00',
  '%zz',
  '%c0%af',
  '\x7f',
  '\x80',
  '\xff',
  '#',
  '"',
  '+',
  '../',
];

/** Mutations of the parts. */
const BREAK: ((it: Parts, random: Random) => void)[] = [
  (it, random) => {
    it.method = random.pick([
      'BREW',
      'get',
      '',
      'CONNECT',
      'TRACE',
      'PRI',
      'G'.repeat(300),
      'POST POST',
      '\x16\x03\x01',
    ]);
  },
  (it, random) => {
    it.version = random.pick([
      'HTTP/0.9',
      'HTTP/1.0',
      'HTTP/2.0',
      'HTTP/3.7',
      'HTTP/1.10',
      'http/1.1',
      'HTTP/',
      '',
      'HTTP/1.1 x',
    ]);
  },
  (it, random) => {
    it.target = random.pick([
      '*',
      'a:443',
      '//',
      `http://a${it.target}`,
      'http://[::1',
      'ftp://a/x',
      '\\',
      '',
      '/../..//x',
    ]);
  },
  (it, random) => {
    it.target += random.pick([
      '&id=2',
      '&user_id=%00',
      '&id=%zz',
      '&%E0%A4%A=1',
      '?',
      '&&&===',
      '&sale_id=__proto__',
      '#x',
    ]);
  },
  (it, random) => {
    it.target += `&x=${'x'.repeat(random.between(1_000, 12_000))}`;
  },
  (it, random) => {
    it.headers[0] = random.pick([
      'Host: ',
      'Host: a b',
      'Host: a/b',
      'Host: a, b',
      'Host : a',
      'X: y',
      'Host: [',
      'Host: a:b',
      'Host',
    ]);
  },
  (it, random) =>
    void it.headers.push(
      random.pick(['Host: b', ' folded', ': none', 'X Y: z', 'no colon', 'X: \0', 'X: a\rb', 'X\x80: y']),
    ),
  (it, random) =>
    void it.headers.push(
      random.pick([
        'Content-Length: -1',
        'Content-Length: +1',
        'Content-Length: 0x1',
        'Content-Length: 1, 1',
        'Content-Length: 1e1',
        'Content-Length: 99999999',
        `Content-Length: ${'9'.repeat(40)}`,
      ]),
    ),
  (it, random) =>
    void it.headers.push(
      random.pick([
        'Transfer-Encoding: gzip',
        'Transfer-Encoding: chunked, gzip',
        'Transfer-Encoding: xchunked',
        'Transfer-Encoding:\x0bchunked',
        'Transfer-Encoding: identity',
      ]),
    ),
  (it, random) =>
    void it.headers.push(
      random.pick([
        'Expect: 100-continue',
        'Expect: 200-maybe',
        'Upgrade: websocket',
        'Upgrade: h2c',
        'Range: bytes=0-',
        'Trailer: X',
      ]),
    ),
  (it, random) => {
    for (let n = random.between(50, 2_500); n > 0; n--) it.headers.push('a:');
  },
  (it, random) => void it.headers.push(`X: ${'y'.repeat(random.between(1_000, 12_000))}`),
  (it, random) => {
    it.headers.push('Transfer-Encoding: chunked');
    it.body = random.pick([
      'zz\r\n\r\n',
      '-1\r\n',
      '0x3\r\nabc\r\n',
      `${'f'.repeat(20)}\r\n`,
      '3\nabc\r\n',
      '3\r\nabcX0\r\n\r\n',
      `3;${'e'.repeat(17_000)}\r\nabc\r\n0\r\n\r\n`,
      `0\r\nX: ${'t'.repeat(9_000)}\r\n\r\n`,
      '5\r\nab',
      '',
    ]);
  },
];

/** Mutations of the text. */
const MANGLE: ((text: string, random: Random) => string)[] = [
  (text, random) => text.slice(0, random.between(0, text.length)),
  (text, random) => insert(text, random.between(0, text.length), random.pick(BYTES)),
  (text, random) => insert(text, random.between(0, text.length), String.fromCharCode(random.between(0, 255))),
  (text, random) => {
    const at = random.between(0, text.length);
    return text.slice(0, at) + text.slice(at + random.between(1, 20));
  },
  (text) => text.replaceAll('\r\n', '\n'),
  (text) => text.replaceAll('\r\n', '\r'),
  (text) => text.replace(': ', ' : '),
  (text, random) => text + noise(random, 200) + text,
];

const insert = (text: string, at: number, what: string): string => text.slice(0, at) + what + text.slice(at);

function noise(random: Random, most: number): string {
  return String.fromCharCode(
    ...Array.from({ length: random.between(1, most) }, () => random.between(0, 255)),
  );
}

/** Heads whose end two readers may see in different places; what follows is a request to one and a body to the other. */
const AMBIGUOUS = [
  (n: number) => `Content-Length: ${n}\r\nTransfer-Encoding: chunked\r\n`,
  (n: number) => `Content-Length: 0\r\nContent-Length: ${n}\r\n`,
  (n: number) => `Content-Length: ${n}\r\nContent-Length: 0\r\n`,
  (n: number) => `Content-Length: ${n}, 0\r\n`,
  (n: number) => `Content-Length: +${n}\r\n`,
  () => 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n',
  () => 'Transfer-Encoding: xchunked\r\n',
  () => 'Transfer-Encoding: identity\r\n',
  () => 'Transfer-Encoding: chunked, gzip\r\n',
  () => 'Transfer-Encoding : chunked\r\n',
  () => 'Transfer-Encoding:\x0bchunked\r\n',
  () => 'X: a\nTransfer-Encoding: chunked\r\n',
  () => 'X: a\rTransfer-Encoding: chunked\r\n',
];

/** A request that hides another, one that would be served if it were found. */
function smuggle(random: Random, item: string): string {
  const hidden = `POST /checkout?user_id=${SMUGGLED}&id=${item} HTTP/1.1\r\n${HOST}\r\n`;
  const body = random.chance(0.5) ? `0\r\n\r\n${hidden}` : hidden;
  return `POST /admin/sales HTTP/1.1\r\n${HOST}${JSON_TYPE}${random.pick(AMBIGUOUS)(body.length)}\r\n${body}`;
}

/** What no client should send: anything but a request that can be served. `item` is one for sale. */
export function malformedRequest(random: Random, item: string): Buffer {
  if (random.chance(0.1)) return Buffer.from(smuggle(random, item), 'latin1');
  if (random.chance(0.05)) return Buffer.from(noise(random, 400), 'latin1');
  const request = random.pick(HOPELESS)(random);
  const breaks = random.between(0, 2);
  for (let i = 0; i < breaks; i++) random.pick(BREAK)(request, random);
  let text = write(request);
  const mangles = random.between(breaks === 0 ? 1 : 0, 2);
  for (let i = 0; i < mangles; i++) text = random.pick(MANGLE)(text, random);
  return Buffer.from(text, 'latin1');
}
