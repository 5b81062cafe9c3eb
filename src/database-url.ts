/** Hosts of a list, at most: a primary and its standbys. */
const HOSTS_MAX = 8;
const LIST = /^(postgres(?:ql)?:\/\/(?:[^/?#]*@)?)([^/?#@]*,[^/?#@]*)(\/[^?#]*)?(?:\?([^#]*))?$/;
/** What libpq calls the server that takes writes; no other will do. */
const WRITABLE = ['read-write', 'primary'];

/**
 * The servers that `DATABASE_URL` names, as a URL each, or what it must be; that never holds a part of the URL, which may be
 * a secret. A list of hosts is no URL by the standard, so its parser refuses the ports.
 */
export function readDatabaseUrl(
  raw: string,
): { readonly urls: readonly string[] } | { readonly must: string } {
  const isUrl = (text: string) => /^postgres(ql)?:\/\//.test(text) && URL.canParse(text);
  const [, before = '', list, path = '', query = ''] = LIST.exec(raw) ?? [];
  if (list === undefined)
    return isUrl(raw) ? { urls: [raw] } : { must: 'be a URL that begins with postgres:// or postgresql://' };
  const parameters = query.split('&').filter(Boolean);
  const isWanted = (each: string) => each.startsWith('target_session_attrs=');
  const wanted = parameters.filter(isWanted).map((each) => each.slice(each.indexOf('=') + 1));
  if (!wanted.every((each) => WRITABLE.includes(each)))
    return { must: 'have target_session_attrs=read-write, or none, where it names several hosts' };
  const rest = parameters.filter((each) => !isWanted(each)).join('&');
  const urls = list.split(',').map((host) => `${before}${host}${path}${rest && `?${rest}`}`);
  const areHosts = list.split(',').every((host) => /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d+)?$/i.test(host));
  return areHosts && urls.length <= HOSTS_MAX && urls.every(isUrl)
    ? { urls }
    : { must: `name 1 to ${HOSTS_MAX} hosts, each with its port where that is not 5432: h1:5432,h2:5432` };
}
