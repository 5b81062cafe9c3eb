import { isIP } from 'node:net';

/** Eight groups of 16 bits. IPv4 is written as IPv6 maps it (::ffff:a.b.c.d), so that both forms of an address are one. */
export type Groups = readonly number[];

const MAPPED = [0, 0, 0, 0, 0, 0xffff];

/** Reads an address; undefined when the text is none. A zone (`%eth0`) is left out. */
export function readAddress(text: string): Groups | undefined {
  const zone = text.indexOf('%');
  const bare = zone < 0 ? text : text.slice(0, zone);
  const version = isIP(bare);
  if (version === 4) return [...MAPPED, ...dotted(bare)];
  if (version === 0) return undefined;
  // The last 32 bits may be written as IPv4.
  const dots = bare.includes('.') ? bare.lastIndexOf(':') + 1 : bare.length;
  const tail = dots < bare.length ? dotted(bare.slice(dots)) : [];
  const [front = '', back = ''] = bare.slice(0, dots).split('::');
  const head = groupsIn(front);
  const rest = [...groupsIn(back), ...tail];
  return [...head, ...new Array<number>(8 - head.length - rest.length).fill(0), ...rest];
}

const groupsIn = (text: string): number[] =>
  text.split(':').flatMap((group) => (group === '' ? [] : Number.parseInt(group, 16)));

function dotted(text: string): number[] {
  const [a = 0, b = 0, c = 0, d = 0] = text.split('.').map(Number);
  return [a * 256 + b, c * 256 + d];
}

/**
 * Reads an IPv4 address into its 32 bits; -1 for anything else. By hand, since every request has one: `readAddress` and node's
 * BlockList take more than a microsecond.
 */
export function readIPv4(text: string): number {
  let bits = 0;
  let part = -1;
  let parts = 0;
  for (let i = 0; i <= text.length; i++) {
    const digit = i < text.length ? text.charCodeAt(i) - 48 : DOT;
    if (digit >= 0 && digit <= 9) {
      // Some read 010 as 8.
      if (part === 0) return -1;
      part = part < 0 ? digit : part * 10 + digit;
    } else {
      if (digit !== DOT || part < 0 || part > 255 || ++parts > 4) return -1;
      bits = bits * 256 + part;
      part = -1;
    }
  }
  return parts === 4 ? bits : -1;
}

/** A dot, less the code of 0. */
const DOT = -2;

/** What a limit counts IPv6 by: the first 64 bits, which one customer has at least. */
export const networkKeyOf = (groups: Groups): string =>
  `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`;

/** A network: the first `bits` of an address. */
export interface Network {
  readonly groups: Groups;
  readonly bits: number;
}

/**
 * Reads an address with or without a prefix length (10.0.0.0/8, ::1). Undefined when it is none, or has bits set behind its
 * prefix: usually its length is a mistake then.
 */
export function readNetwork(text: string): Network | undefined {
  const [address = '', length, ...more] = text.split('/');
  const groups = address.includes('%') ? undefined : readAddress(address);
  const isLength = length === undefined || /^\d{1,3}$/.test(length);
  if (groups === undefined || !isLength || more.length > 0) return undefined;
  const bits = length === undefined ? 128 : Number(length) + (isIP(address) === 4 ? 96 : 0);
  const isWhole = groups.every((group, i) => (group & ~maskOf(bits, i)) === 0);
  return bits <= 128 && isWhole ? { groups, bits } : undefined;
}

/** The bits of a group that a prefix covers. */
function maskOf(bits: number, group: number): number {
  const covered = Math.min(16, Math.max(0, bits - 16 * group));
  return (0xffff << (16 - covered)) & 0xffff;
}

const contains = ({ groups, bits }: Network, address: Groups): boolean =>
  groups.every((group, i) => ((group ^ (address[i] as number)) & maskOf(bits, i)) === 0);

/** Whether an address is in one of some networks; of IPv4 also by its 32 bits. */
export interface Networks {
  has(address: Groups): boolean;
  hasIPv4(bits: number): boolean;
}

export function networksOf(networks: readonly Network[]): Networks {
  const ranges = networks.flatMap(({ groups, bits }) => {
    // A shorter prefix holds all of IPv4, or nothing.
    const mask = bits <= 96 ? 0 : -1 << (128 - bits);
    const isOfIPv4 = contains({ groups, bits: Math.min(bits, 96) }, [...MAPPED, 0, 0]);
    return isOfIPv4 ? [{ mask, base: (((groups[6] as number) << 16) | (groups[7] as number)) & mask }] : [];
  });
  return {
    has: (address) => networks.some((network) => contains(network, address)),
    hasIPv4: (bits) => ranges.some(({ base, mask }) => (bits & mask) === base),
  };
}
