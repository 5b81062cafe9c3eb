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
    })
  | (RedisHosts & { readonly kind: 'cluster' });

const FORMS = {
  sentinel: 'redis+sentinel://user:password@host:port,host:port/name',
  cluster: 'redis+cluster://user:password@host:port,host:port',
} as const;
/** What a host without a port means. */
const PORTS = { sentinel: 26_379, cluster: 6_379 } as const;
const PARAMETERS = {
  sentinel: ['username', 'password', 'sentinel_username', 'sentinel_password'],
  cluster: ['username', 'password'],
} as const;
type Kind = keyof typeof FORMS;
const LIST = /^(rediss?)\+(sentinel|cluster):\/\/(?:([^/?#]*)@)?([^/?#@]+)(?:\/([^/?#]*))?(?:\?([^#]*))?$/;

/**
 * Reads a URL of Redis, or says what it must be; what it says never holds a part of the URL, which may be a secret.
 * Lists of hosts are no URLs by the standard, so that its parser refuses them.
 */
export function readRedisUrl(raw: string): RedisPlace | { readonly must: string } {
  if (/^rediss?:\/\//.test(raw) && URL.canParse(raw)) return { kind: 'server', url: raw };
  const named = /^rediss?\+(sentinel|cluster):/.exec(raw)?.[1] as Kind | undefined;
  if (named === undefined)
    return { must: 'be a URL that begins with redis://, rediss://, redis+sentinel:// or redis+cluster://' };
  const must = (why: string) => ({ must: `be of the form ${FORMS[named]}${why}` });
  const [, scheme, , user, list = '', path = '', query = ''] = LIST.exec(raw) ?? [];
  if (scheme === undefined) return must('');
  const hosts = list.split(',').map((host) => readHost(host, PORTS[named]));
  if (!hosts.every((host) => host !== undefined)) return must(': one of its hosts or ports is none');
  const secrets = readSecrets(user, query, PARAMETERS[named]);
  if (typeof secrets === 'string') return must(secrets);
  const tls = scheme === 'rediss';
  if (named === 'cluster')
    return path === '' ? { kind: named, hosts, tls, ...secrets } : must(': a Cluster has one database');
  const name = decode(path);
  return name ? { kind: named, hosts, tls, name, ...secrets } : must(': the name of the master is missing');
}

/** `host`, `host:port` or `[IPv6]:port`. */
function readHost(text: string, portElse: number): RedisHost | undefined {
  const [, six, plain, digits] = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::(\d{1,5}))?$/i.exec(text) ?? [];
  const host = six ?? plain;
  const port = Number(digits ?? portElse);
  return host !== undefined && port > 0 && port < 65_536 ? { host, port } : undefined;
}

type Secrets = Omit<Extract<RedisPlace, { kind: 'sentinel' }>, 'kind' | 'hosts' | 'tls' | 'name'>;
const FIELDS: Readonly<Record<string, keyof Secrets>> = {
  username: 'username',
  password: 'password',
  sentinel_username: 'sentinelUsername',
  sentinel_password: 'sentinelPassword',
};

/** User and password before the hosts, or as parameters; or what is wrong with them. */
function readSecrets(userInfo = '', query: string, allowed: readonly string[]): Secrets | string {
  const [username = '', ...password] = userInfo.split(':');
  const parameters = query.split('&').map((each) => {
    const [key = '', ...value] = each.split('=');
    return [key, value.join('=')] as const;
  });
  const secrets: Partial<Record<keyof Secrets, string>> = {};
  for (const [key, text] of [
    ['username', username] as const,
    ['password', password.join(':')] as const,
    ...parameters,
  ]) {
    if (key === '') continue;
    const field = FIELDS[key];
    if (field === undefined || !allowed.includes(key))
      return `, with no other parameters than ${allowed.join(', ')}`;
    if (text === '') continue;
    if (field in secrets) return `: its ${key} is there twice`;
    const value = decode(text);
    if (value === undefined) return `: its ${key} is not percent-encoded`;
    secrets[field] = value;
  }
  return secrets;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
