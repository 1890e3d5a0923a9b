import { z } from 'zod';
import { fromUtf8 } from '../domain/bytes.js';
import { signedSchema, type Signed } from '../domain/dsse.js';
import { JsonRefused, parseStrict, type Json } from '../domain/json.js';
import type { Call } from './api.js';
import { refused } from './problem.js';

const JSON_TYPE = /^application\/json\s*(?:;\s*charset="?utf-8"?\s*)?$/i;
/** For the signature, the names of members and white space around a payload. */
export const ROOM_CHARS = 8_192;

/**
 * The body as strict JSON: size first, then the bytes, then the text (duplicate keys, 2^53, depth). Throws `request_too_large` or `request_invalid`.
 * The framework's own parser is never used: it would let duplicate keys and large numbers through.
 */
export async function readBody(c: Call, maxBytes: number): Promise<Json> {
  if (!JSON_TYPE.test(c.req.header('content-type') ?? ''))
    throw refused('request_invalid', 'send the body as content-type: application/json');
  if ((c.req.header('content-encoding') ?? 'identity') !== 'identity')
    throw refused('request_invalid', 'send the body without content-encoding');
  try {
    return parseStrict(fromUtf8(await bytesOf(c, maxBytes)));
  } catch (error) {
    if (error instanceof JsonRefused) throw refused('request_invalid', `the body is not strict JSON: ${error.message}`.slice(0, 500));
    if (error instanceof TypeError) throw refused('request_invalid', 'the body is not UTF-8');
    throw error;
  }
}

async function bytesOf(c: Call, maxBytes: number): Promise<Uint8Array> {
  const tooLarge = refused('request_too_large', `this door takes at most ${maxBytes} bytes`);
  if (Number(c.req.header('content-length') ?? 0) > maxBytes) throw tooLarge;
  const chunks: Uint8Array[] = [];
  let length = 0;
  const body: AsyncIterable<Uint8Array> = c.req.raw.body ?? new ReadableStream<Uint8Array>({ start: (empty) => empty.close() });
  for await (const chunk of body) {
    length += chunk.byteLength;
    if (length > maxBytes) throw tooLarge;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** What does not fit, in one line. */
export const issuesOf = (error: z.ZodError): string =>
  z
    .prettifyError(error)
    .replaceAll(/\s*\n\s*/g, ' ')
    .slice(0, 1_000);

/** The body as one signed object. Says nothing of its signature. */
export async function readSigned(c: Call, maxPayloadChars: number): Promise<Signed> {
  return signedOf(await readBody(c, maxPayloadChars + ROOM_CHARS), maxPayloadChars);
}

export function signedOf(value: Json, maxPayloadChars: number): Signed {
  const signed = signedSchema.safeParse(value);
  if (!signed.success) throw refused('request_invalid', `not a signed object: ${issuesOf(signed.error)}`);
  if (signed.data.payload.length > maxPayloadChars)
    throw refused('request_too_large', `the payload is over ${maxPayloadChars} characters of base64url`);
  return signed.data;
}
