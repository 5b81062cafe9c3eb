import type { Answer } from '../http/answer.ts';
import type { Asked } from '../http/asked.ts';
import { problem } from '../http/problem.ts';
import { BodyTooLarge } from '../http/read-body.ts';
import { readJson } from '../intake/json.ts';
import { createPace } from '../intake/pace.ts';
import { readText } from '../intake/text.ts';

const JSON_BODY = /^application\/(json|[\w.+-]+\+json)\s*(;|$)/i;
const CHARSET = /;\s*charset\s*=\s*"?([^\s";]*)/i;

export interface JsonBody {
  readonly value: unknown;
  readonly bytes: Uint8Array;
}

export type Refused = { readonly refused: Answer };

export const isJson = (type: string): boolean => JSON_BODY.test(type);

/** Whether a media type names no other charset than UTF-8. */
export const isInUtf8 = (type: string): boolean =>
  /^(utf-?8|us-ascii)$/i.test(CHARSET.exec(type)?.[1] ?? 'utf-8');

/** The bytes of a body; refused when it is too large, or when the client has disconnected or was too slow, and gets no answer. */
export async function readBytes(asked: Asked): Promise<{ bytes: Uint8Array } | Refused> {
  try {
    return { bytes: (await asked.readBody?.()) ?? new Uint8Array() };
  } catch (error) {
    return {
      refused: problem(asked, error instanceof BodyTooLarge ? 'body_too_large' : 'malformed_request'),
    };
  }
}

/** The refusal of a body that cannot be read; `fault` says why. */
export const unreadable = (asked: Asked, fault: string): Answer =>
  problem(asked, 'malformed_request', undefined, undefined, `The request cannot be read: ${fault}.`);

/** The JSON body of a request and its bytes, or the refusal of one without. */
export async function readJsonBody(asked: Asked): Promise<JsonBody | Refused> {
  if (!hasJsonType(asked)) return { refused: problem(asked, 'unsupported_media_type') };
  const body = await readBytes(asked);
  return 'refused' in body ? body : parse(asked, body.bytes);
}

/** The same of a request that may leave out its body, and means an empty object then. */
export async function readOptionalJson(asked: Asked): Promise<JsonBody | Refused> {
  const body = await readBytes(asked);
  if ('refused' in body) return body;
  if (body.bytes.length === 0) return { value: {}, bytes: body.bytes };
  if (!hasJsonType(asked)) return { refused: problem(asked, 'unsupported_media_type') };
  return parse(asked, body.bytes);
}

const hasJsonType = ({ headers: { contentType: type = '' } }: Asked): boolean =>
  isJson(type) && isInUtf8(type);

async function parse(asked: Asked, bytes: Uint8Array): Promise<JsonBody | Refused> {
  const text = readText(bytes);
  const read = 'fault' in text ? text : await readJson(text.value, createPace());
  return 'fault' in read ? { refused: unreadable(asked, read.fault) } : { value: read.value, bytes };
}
