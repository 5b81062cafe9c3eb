/** Hash slots of a Cluster. */
export const SLOTS = 16_384;

/** CRC-16/XMODEM of each byte: https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/ */
const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc;
});

/** The slot of a key, or of a channel: of what stands between its first `{` and the next `}`, if that is anything. ASCII only, as our keys are. */
export function slotOf(key: string): number {
  const open = key.indexOf('{') + 1;
  const close = open > 0 ? key.indexOf('}', open) : -1;
  const [from, to] = close > open ? [open, close] : [0, key.length];
  let crc = 0;
  for (let i = from; i < to; i++)
    crc = ((crc << 8) & 0xffff) ^ (TABLE[(crc >> 8) ^ (key.charCodeAt(i) & 0xff)] as number);
  return crc % SLOTS;
}

/** `host:port` of the master of each slot that has one, from what CLUSTER SLOTS answers. `from` stands in for a host that is not named. */
export function readOwners(reply: unknown, from: string): (string | undefined)[] {
  const owners = new Array<string | undefined>(SLOTS).fill(undefined);
  for (const [first, last, [host, port]] of reply as [number, number, [string | null, number]][])
    owners.fill(addressOf(host || from, port), first, last + 1);
  return owners;
}

/** Where a slot is, or is on its way to. */
export interface Redirect {
  readonly address: string;
  /** It is on its way, and the new server takes only what asks for that. */
  readonly asking: boolean;
}

/** Reads `MOVED 3999 host:port` or `ASK 3999 host:port`; undefined for any other error. `from`: the host that answered, where none is named. */
export function readRedirect(error: unknown, from: string): Redirect | undefined {
  const [, kind, host, port] =
    /^(MOVED|ASK) \d+ (.*):(\d+)$/.exec(error instanceof Error ? error.message : '') ?? [];
  if (kind === undefined) return undefined;
  return { address: addressOf(host || from, Number(port)), asking: kind === 'ASK' };
}

const addressOf = (host: string, port: number): string => `${host}:${port}`;

/** Host and port of an address; of an IPv6 address the port is what follows the last colon. */
export function placeOf(address: string): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}
