/** One server of a list, as `REDIS_URL` names it. */
export interface RedisHost {
  readonly host: string;
  readonly port: number;
}

/** How every server of a list is reached. */
export interface RedisHosts {
  readonly hosts: readonly RedisHost[];
  readonly tls: boolean;
  readonly username?: string;
  readonly password?: string;
}

/** What `REDIS_URL` names: one server, the master that Sentinels name, or a Cluster. */
export type RedisPlace =
  | { readonly kind: 'server'; readonly url: string }
  | (RedisHosts & {
      readonly kind: 'sentinel';
      /** What the sentinels call the master. */
      readonly name: string;
      readonly sentinelUsername?: string;
      readonly sentinelPassword?: string;
    });

const FORM = 'redis+sentinel://user:password@host:port,host:port/name';
const SENTINEL_PORT = 26_379;
const LIST = /^(rediss?)\+sentinel:\/\/(?:([^/?#]*)@)?([^/?#@]+)(?:\/([^/?#]*))?(?:\?([^#]*))?$/;
const PARAMETERS = ['username', 'password', 'sentinel_username', 'sentinel_password'] as const;

/**
 * Reads a URL of Redis, or says what it must be; what it says never holds a part of the URL, which may be a secret.
 * Lists of hosts are no URLs by the standard, so that its parser refuses them.
 */
export function readRedisUrl(raw: string): RedisPlace | { readonly must: string } {
  if (/^rediss?:\/\//.test(raw) && URL.canParse(raw)) return { kind: 'server', url: raw };
  if (!/^rediss?\+/.test(raw))
    return { must: 'be a URL that begins with redis://, rediss:// or redis+sentinel://' };
  const [, scheme, user, list = '', name, query] = LIST.exec(raw) ?? [];
  if (scheme === undefined) return { must: `be of the form ${FORM}` };
  const hosts = list.split(',').map(readHost);
  if (!hosts.every((host) => host !== undefined))
    return { must: `be of the form ${FORM}: one of its hosts or ports is none` };
  const secrets = readSecrets(user, query ?? '');
  if ('must' in secrets) return secrets;
  const master = decode(name ?? '');
  if (!master) return { must: `be of the form ${FORM}: the name of the master is missing` };
  return { kind: 'sentinel', hosts, tls: scheme === 'rediss', name: master, ...secrets };
}

/** `host`, `host:port` or `[IPv6]:port`. */
function readHost(text: string): RedisHost | undefined {
  const [, six, plain, digits] = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::(\d{1,5}))?$/i.exec(text) ?? [];
  const host = six ?? plain;
  const port = Number(digits ?? SENTINEL_PORT);
  return host !== undefined && port > 0 && port < 65_536 ? { host, port } : undefined;
}

type Secrets = Omit<Extract<RedisPlace, { kind: 'sentinel' }>, 'kind' | 'hosts' | 'tls' | 'name'>;

/** User and password before the hosts, or as parameters. */
function readSecrets(userInfo: string | undefined, query: string): Secrets | { readonly must: string } {
  const at = userInfo?.indexOf(':') ?? -1;
  const parts: [string, string | undefined][] = [
    ['username', at < 0 ? userInfo : userInfo?.slice(0, at)],
    ['password', at < 0 ? undefined : userInfo?.slice(at + 1)],
    ...query
      .split('&')
      .filter(Boolean)
      .map((each): [string, string] => {
        const [key = '', ...value] = each.split('=');
        return [key, value.join('=')];
      }),
  ];
  const read = new Map<string, string>();
  for (const [key, text] of parts) {
    if (!text) continue;
    if (!PARAMETERS.some((known) => known === key))
      return { must: `be of the form ${FORM}, with no other parameters than ${PARAMETERS.join(', ')}` };
    if (read.has(key)) return { must: `be of the form ${FORM}: its ${key} is there twice` };
    const value = decode(text);
    if (value === undefined) return { must: `be of the form ${FORM}: its ${key} is not percent-encoded` };
    read.set(key, value);
  }
  const of = (key: (typeof PARAMETERS)[number], as: keyof Secrets) => {
    const value = read.get(key);
    return value === undefined ? {} : { [as]: value };
  };
  return {
    ...of('username', 'username'),
    ...of('password', 'password'),
    ...of('sentinel_username', 'sentinelUsername'),
    ...of('sentinel_password', 'sentinelPassword'),
  };
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
