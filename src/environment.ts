import { resolve } from 'node:path';
import { readDatabaseUrl } from './database-url.ts';
import type { Rate } from './messages.ts';
import { type Network, readNetwork } from './network.ts';
import { readRedisUrl } from './redis-url.ts';

export type Env = Readonly<Record<string, string | undefined>>;

/**
 * Readers of the variables of one environment. A bad variable leaves a sentence in `errors`, and its fallback stands in, so that
 * all bad ones can be named at once. An empty variable is an absent one.
 */
export function readersOf(env: Env) {
  const errors: string[] = [];
  const text = (name: string): string | undefined => env[name]?.trim() || undefined;
  const read = <T>(name: string, fallback: T, parse: (raw: string) => T | undefined, must: string): T => {
    const raw = text(name);
    if (raw === undefined) return fallback;
    const value = parse(raw);
    if (value === undefined) errors.push(`${name} must be ${must}`);
    return value ?? fallback;
  };
  return {
    errors,
    text,
    integer(name: string, fallback: number, min: number, max: number): number {
      const parse = (raw: string) => numberIn(raw, min, max, Number.isInteger);
      return read(name, fallback, parse, `a whole number from ${min} to ${max}, not "${text(name)}"`);
    },
    share(name: string, fallback: number): number {
      const parse = (raw: string) => numberIn(raw, 0, 1);
      return read(name, fallback, parse, `a number from 0 to 1, not "${text(name)}"`);
    },
    oneOf<T extends string>(name: string, fallback: T, allowed: readonly T[]): T {
      const parse = (raw: string) => allowed.find((each) => each === raw);
      return read(name, fallback, parse, `one of ${allowed.join(', ')}, not "${text(name)}"`);
    },
    /** https://www.rfc-editor.org/rfc/rfc6750#section-2.1: what a header can carry as a bearer token. */
    bearer(name: string): string | undefined {
      const parse = (raw: string) => (/^[A-Za-z0-9._~+/-]+=*$/.test(raw) ? raw : undefined);
      return read(name, undefined, parse, 'of A-Z a-z 0-9 . _ ~ + / - alone, to be sent as a bearer token');
    },
    url(name: string, protocols: readonly string[]): string | undefined {
      const parse = (raw: string) =>
        URL.canParse(raw) && protocols.includes(new URL(raw).protocol) ? raw : undefined;
      const beginnings = protocols.map((protocol) => `${protocol}//`).join(' or ');
      return read(name, undefined, parse, `a URL that begins with ${beginnings}`);
    },
    /** A path of plain segments, without a slash at its end. */
    basePath(name: string): string | undefined {
      const parse = (raw: string) => (/^(\/[\w.~-]*[\w~-][\w.~-]*){1,8}$/.test(raw) ? raw : undefined);
      return read(name, undefined, parse, 'a path such as /shop, without a slash at its end');
    },
    /** One Redis, Sentinels, or a Cluster. */
    redisUrl(name: string): string | undefined {
      const raw = text(name);
      const place = raw === undefined ? undefined : readRedisUrl(raw);
      if (place && 'must' in place) errors.push(`${name} must ${place.must}`);
      return raw;
    },
    /** One Postgres, or a primary and its standbys. */
    databaseUrl(name: string): string | undefined {
      const raw = text(name);
      const place = raw === undefined ? undefined : readDatabaseUrl(raw);
      if (place && 'must' in place) errors.push(`${name} must ${place.must}`);
      return raw;
    },
    /** Exact origins as a browser sends them, separated by commas, or `*`. */
    origins(name: string): readonly string[] | '*' | undefined {
      const must = 'origins such as https://shop.example, separated by commas, or *';
      return read(name, undefined, originsIn, must);
    },
    /** Secrets of HS256, separated by commas: shorter than its hash, a secret could be guessed from one token (RFC 7518, 3.2). */
    secrets(name: string): readonly string[] {
      return read(name, [], secretsIn, '1 to 4 secrets of at least 32 bytes each, separated by commas');
    },
    /** Requests a second, and how many at once: `5,20`. */
    rate(name: string): Rate | undefined {
      const must = 'requests a second (0.01 to 100000) and at once (1 to 1000000), such as 5,20';
      return read(name, undefined, rateIn, must);
    },
    networks(name: string): readonly Network[] {
      const must = 'networks such as 10.0.0.0/8 or 2001:db8::/32, separated by commas';
      return read(name, [], networksIn, must);
    },
    /** https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md: 24 to 64 bytes in base64. */
    webhookSecret(name: string): string | undefined {
      const must = '24 to 64 random bytes in base64, with or without whsec_ before them';
      return read(name, undefined, webhookSecretIn, must);
    },
    /** A file, or a URL that nobody on the way can change: https, or http on this machine. */
    keySet(name: string): string | undefined {
      const must = 'a file, or a URL that begins with https:// (http:// for this machine alone)';
      return read(name, undefined, keySetIn, must);
    },
  };
}

const partsOf = (raw: string): string[] => raw.split(',').map((each) => each.trim());

function originsIn(raw: string): readonly string[] | '*' | undefined {
  if (raw === '*') return raw;
  const isOrigin = (each: string) =>
    URL.canParse(each) && /^https?:/.test(each) && new URL(each).origin === each;
  const list = partsOf(raw);
  return list.every(isOrigin) ? list : undefined;
}

function secretsIn(raw: string): readonly string[] | undefined {
  const list = partsOf(raw);
  return list.length <= 4 && list.every((each) => Buffer.byteLength(each) >= 32) ? list : undefined;
}

function rateIn(raw: string): Rate | undefined {
  const [rate = '', most = '', ...more] = partsOf(raw);
  const perSecond = /^\d+(\.\d+)?$/.test(rate) ? numberIn(rate, 0.01, 100_000) : undefined;
  const burst = /^\d+$/.test(most) ? numberIn(most, 1, 1_000_000) : undefined;
  return perSecond && burst && more.length === 0 ? { perSecond, burst } : undefined;
}

function networksIn(raw: string): readonly Network[] | undefined {
  const networks = partsOf(raw).map(readNetwork);
  return networks.every((network) => network !== undefined) ? networks : undefined;
}

function webhookSecretIn(raw: string): string | undefined {
  const text = raw.replace(/^whsec_/, '');
  const bytes = Buffer.from(text, 'base64');
  const isBase64 = /^[A-Za-z0-9+/]+={0,2}$/.test(text) && bytes.toString('base64') === text;
  return isBase64 && bytes.length >= 24 && bytes.length <= 64 ? raw : undefined;
}

function keySetIn(raw: string): string | undefined {
  if (!/^[a-z][a-z0-9+.-]*:/i.test(raw)) return resolve(raw);
  if (!URL.canParse(raw)) return undefined;
  const { protocol, hostname } = new URL(raw);
  const isLocal = ['127.0.0.1', '[::1]', 'localhost'].includes(hostname);
  return protocol === 'https:' || (protocol === 'http:' && isLocal) ? raw : undefined;
}

function numberIn(raw: string, min: number, max: number, isKind = (_: number) => true): number | undefined {
  const value = Number(raw);
  return isKind(value) && value >= min && value <= max ? value : undefined;
}
