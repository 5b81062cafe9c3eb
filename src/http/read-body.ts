import type { IncomingMessage } from 'node:http';

/** A body has more bytes than its path accepts. */
export class BodyTooLarge extends Error {
  override name = 'BodyTooLarge';
}

/**
 * Reads a whole body from its connection, not through a web stream: that would stop with an early answer, and what follows could not be
 * discarded. Rejects with BodyTooLarge past `bytesMax` bytes, and when the client leaves or is too slow.
 */
export function readBody(incoming: IncomingMessage, bytesMax: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let bytes = 0;
    const leave = () => reject(new Error('the client has left'));
    if (incoming.destroyed) leave();
    incoming.on('data', (part: Buffer) => {
      bytes += part.length;
      if (bytes <= bytesMax) return void parts.push(part);
      // The rest goes nowhere, until `lingerBriefly` ends it.
      parts.length = 0;
      reject(new BodyTooLarge());
    });
    incoming.once('end', () => resolve(Buffer.concat(parts)));
    incoming.once('error', reject);
    incoming.once('close', leave);
  });
}
