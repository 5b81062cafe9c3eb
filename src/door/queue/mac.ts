import { hash } from 'node:crypto';

/**
 * HMAC-SHA256 of a text in UTF-8 by one key: 32 bytes, which the next call overwrites.
 * Throws a RangeError when the text is longer than 256 characters.
 */
export type Mac = (text: string) => Buffer;

const BLOCK_BYTES = 64;
const HASH_BYTES = 32;
/** A ticket without its signature has at most 195 characters. */
const TEXT_MAX = 256;
const UTF8_BYTES_MAX = 3;

/**
 * HMAC as RFC 2104 defines it, of two whole hashes. `createHmac` makes an object for each text, which the garbage collector has
 * to finish: it takes twice as long (docs/decisions.md).
 *
 * @param key at most 64 bytes, in hexadecimal digits
 */
export function createMac(key: string): Mac {
  const inner = Buffer.alloc(BLOCK_BYTES + TEXT_MAX * UTF8_BYTES_MAX);
  const outer = Buffer.alloc(BLOCK_BYTES + HASH_BYTES);
  const mac = Buffer.alloc(HASH_BYTES);
  const secret = Buffer.alloc(BLOCK_BYTES);
  secret.write(key, 'hex');
  for (const [i, byte] of secret.entries()) {
    inner[i] = byte ^ 0x36;
    outer[i] = byte ^ 0x5c;
  }
  return (text) => {
    if (text.length > TEXT_MAX) throw new RangeError(`the text is longer than ${TEXT_MAX} characters`);
    const end = BLOCK_BYTES + inner.write(text, BLOCK_BYTES);
    // Between them as text: to make a buffer for a hash costs more than the hash.
    outer.write(hash('sha256', inner.subarray(0, end), 'binary'), BLOCK_BYTES, 'latin1');
    mac.write(hash('sha256', outer, 'binary'), 'latin1');
    return mac;
  };
}
