import { z } from 'zod';
import { fromUtf8 } from '../domain/bytes.js';
import { signedSchema, type Signed } from '../domain/dsse.js';
import { JsonRefused, parseStrict, type Json } from '../domain/json.js';
import { refused } from './problem.js';

const JSON_TYPE = /^application\/json\s*(?:;\s*charset="?utf-8"?\s*)?$/i;

/**
 * The body as strict JSON: size first, then the bytes, then the text (duplicate keys, 2^53, depth). Throws `request_too_large` or `request_invalid`.
 * No framework's own parser is used: it would let duplicate keys and large numbers through.
 */
export async function jsonBody(request: Request, maxBytes: number): Promise<Json> {
  if (!JSON_TYPE.test(request.headers.get('content-type') ?? ''))
    throw refused('request_invalid', 'send the body as content-type: application/json');
  if ((request.headers.get('content-encoding') ?? 'identity') !== 'identity')
    throw refused('request_invalid', 'send the body without content-encoding');
  try {
    return parseStrict(fromUtf8(await bytesOf(request, maxBytes)));
  } catch (error) {
    if (error instanceof JsonRefused) throw refused('request_invalid', `the body is not strict JSON: ${error.message}`.slice(0, 500));
    if (error instanceof TypeError) throw refused('request_invalid', 'the body is not UTF-8');
    throw error;
  }
}

async function bytesOf(request: Request, maxBytes: number): Promise<Uint8Array> {
  const tooLarge = refused('request_too_large', `this door takes at most ${maxBytes} bytes`);
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge;
  const chunks: Uint8Array[] = [];
  let length = 0;
  const body: AsyncIterable<Uint8Array> = request.body ?? new ReadableStream<Uint8Array>({ start: (empty) => empty.close() });
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

/** A value as one signed object. Says nothing of its signature. */
export function signedOf(value: Json, maxPayloadChars: number): Signed {
  const signed = signedSchema.safeParse(value);
  if (!signed.success) throw refused('request_invalid', `not a signed object: ${issuesOf(signed.error)}`);
  if (signed.data.payload.length > maxPayloadChars)
    throw refused('request_too_large', `the payload is over ${maxPayloadChars} characters of base64url`);
  return signed.data;
}
