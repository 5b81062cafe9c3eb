/**
 * The frames that workers exchange: the length of the rest (u32), the number of the batch (u32), then text.
 *
 * Length-prefixed because a reader can then refuse a frame by its first four bytes, before it holds any of it.
 * Text because ids are `[A-Za-z0-9._:-]`, and V8 joins and splits a string faster than JavaScript can walk a
 * buffer. A question frame is `sale epoch since item` per question, all joined by spaces; an answer frame is one `1`
 * or `0` per question, in their order.
 */
export interface Frame {
  readonly batch: number;
  readonly text: string;
}

/** 1,024 questions of the longest ids (64 + 64 + 16 + 16 + 4 characters) take 168 KB. */
export const FRAME_BYTES_MAX = 256 * 1024;

const LENGTH_BYTES = 4;
const BATCH_BYTES = 4;

export function encodeFrame(batch: number, text: string): Buffer {
  const length = BATCH_BYTES + Buffer.byteLength(text);
  const bytes = Buffer.allocUnsafe(LENGTH_BYTES + length);
  bytes.writeUInt32BE(length, 0);
  bytes.writeUInt32BE(batch, LENGTH_BYTES);
  bytes.write(text, LENGTH_BYTES + BATCH_BYTES);
  return bytes;
}

/**
 * Returns a function that takes in bytes as they arrive and returns the frames they complete; it throws a
 * RangeError at a length that no frame has, after which the connection is of no more use. Holds at most one
 * frame and one chunk.
 */
export function createFrameReader(): (chunk: Buffer) => Frame[] {
  let rest: Buffer | undefined;
  return (chunk) => {
    const bytes = rest === undefined ? chunk : Buffer.concat([rest, chunk]);
    const frames: Frame[] = [];
    let at = 0;
    while (bytes.length - at >= LENGTH_BYTES) {
      const length = bytes.readUInt32BE(at);
      if (length < BATCH_BYTES || length > FRAME_BYTES_MAX)
        throw new RangeError(`a frame of ${length} bytes`);
      const end = at + LENGTH_BYTES + length;
      if (bytes.length < end) break;
      const batch = bytes.readUInt32BE(at + LENGTH_BYTES);
      frames.push({ batch, text: bytes.toString('utf8', at + LENGTH_BYTES + BATCH_BYTES, end) });
      at = end;
    }
    rest = at < bytes.length ? bytes.subarray(at) : undefined;
    return frames;
  };
}
