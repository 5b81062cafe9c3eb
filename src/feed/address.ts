import { type LookupAddress, lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { type Network, networksOf, readAddress, readNetwork } from '../network.ts';

/** Networks that lead into the operator's own, or nowhere (IANA's special-purpose registries). */
const PRIVATE = networksOf(
  [
    '0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16',
    '172.16.0.0/12 192.0.0.0/24 192.168.0.0/16 198.18.0.0/15 224.0.0.0/3',
    // Among these 6to4, Teredo and NAT64, which may hold an IPv4 address of the kinds above.
    '::/96 64:ff9b::/32 100::/64 2001::/23 2002::/16 fc00::/7 fe80::/10 fec0::/10 ff00::/8',
  ].flatMap((line) => line.split(' ').map((text) => readNetwork(text) as Network)),
);

/** Whether an IP address is private, loopback, link-local, or otherwise not of the internet. */
export function isPrivate(address: string): boolean {
  const groups = readAddress(address);
  return groups === undefined || PRIVATE.has(groups);
}

/** A name that leads to a private address. */
export class PrivateAddress extends Error {
  override name = 'PrivateAddress';
}

/** As `dns.lookup`. */
type Resolve = (
  hostname: string,
  options: { readonly all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * Resolves names for a connection, and refuses those that lead to a private address. What it returns is what is connected to: a
 * name that is answered differently the next time (DNS rebinding) gains nothing.
 */
export function publicLookup(resolve: Resolve = lookup): LookupFunction {
  return (hostname, options, callback) =>
    resolve(hostname, { all: true }, (error, addresses) => {
      const found = addresses?.find(({ address }) => isPrivate(address));
      const first = addresses?.[0];
      if (error || first === undefined) callback(error ?? new Error(`${hostname} has no address`), []);
      else if (found) callback(new PrivateAddress(`${hostname} leads to a private address`), []);
      else if (options.all) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
}
