import type { Asked } from '../http/asked.ts';
import { type Network, networkKeyOf, networksOf, readAddress, readIPv4 } from '../network.ts';
import { createRecent } from '../recent.ts';

/** An address as the limits see it. */
export interface Client {
  /** What is counted by. */
  readonly key: string;
  /** It is let in, however often it asks. */
  readonly isExempt: boolean;
}

interface Known extends Client {
  readonly isTrusted: boolean;
}

export interface ClientOptions {
  /** Proxies of ours: what they say of the address behind them is true. */
  readonly trusted: readonly Network[];
  readonly exempt: readonly Network[];
  /** The header in which they say it. The other one is never read: a client could write it, and a proxy pass it on. */
  readonly header: 'x-forwarded-for' | 'forwarded';
}

/** IPv6 addresses that were read before, by their text: reading one takes a microsecond. Per worker, some 3 MB. */
const KNOWN_MAX = 16_384;
/** The longest: an IPv6 address with its IPv4 part and a zone. */
const TEXT_MAX = 80;
/** How node names IPv4 on a socket of both. */
const MAPPED = '::ffff:';
/** Proxies one behind the other. */
const HOPS_MAX = 16;

/**
 * Returns a function that finds the client of a request: its peer, or, behind proxies of ours, the address next to them, read
 * from the right end of their header. What stands further left the client may have written itself. Undefined when the peer is
 * not known.
 */
export function createClientOf({ trusted, exempt, header }: ClientOptions) {
  const recent = createRecent<Known>(KNOWN_MAX);
  const [ours, letIn] = [networksOf(trusted), networksOf(exempt)];
  const readIPv6 = (text: string): Known | undefined => {
    const known = recent.get(text);
    if (known !== undefined) return known;
    const address = text.length <= TEXT_MAX ? readAddress(text) : undefined;
    if (address === undefined) return undefined;
    const found = { key: networkKeyOf(address), isTrusted: ours.has(address), isExempt: letIn.has(address) };
    recent.set(text, found);
    return found;
  };
  const read = (text: string): Known | undefined => {
    const key = text.startsWith(MAPPED) ? text.slice(MAPPED.length) : text;
    const bits = readIPv4(key);
    return bits < 0 ? readIPv6(text) : { key, isTrusted: ours.hasIPv4(bits), isExempt: letIn.hasIPv4(bits) };
  };
  const nodeOf = header === 'forwarded' ? forwardedNode : (element: string) => element;

  /** Follows the header from the right while each address is a proxy of ours; stops at what is no address. */
  const behind = (proxy: Known, list: string): Known => {
    let client = proxy;
    let end = list.length;
    for (let hop = 0; hop < HOPS_MAX && client.isTrusted && end > 0; hop++) {
      const comma = list.lastIndexOf(',', end - 1);
      const next = read(addressIn(nodeOf(list.slice(comma + 1, end).trim())));
      if (next === undefined) return client;
      client = next;
      end = comma;
    }
    return client;
  };

  return ({ peer, headers }: Pick<Asked, 'peer' | 'headers'>): Client | undefined => {
    const known = peer.remoteAddress === undefined ? undefined : read(peer.remoteAddress);
    if (known === undefined || !known.isTrusted) return known;
    const list = header === 'forwarded' ? headers.forwarded : headers.forwardedFor;
    return list === undefined ? known : behind(known, list);
  };
}

/** The node of a Forwarded element (RFC 7239): `for="[2001:db8::1]:4711";proto=https`; '' without one. */
const forwardedNode = (element: string): string =>
  /(?:^|;)[ \t]*for=("?)([^";]*)\1[ \t]*(?:;|$)/i.exec(element)?.[2] ?? '';

/** A node without brackets and port, which some proxies write. */
function addressIn(node: string): string {
  if (node.startsWith('[')) return node.slice(1, Math.max(1, node.indexOf(']')));
  const colon = node.indexOf(':');
  return colon > 0 && colon === node.lastIndexOf(':') ? node.slice(0, colon) : node;
}
