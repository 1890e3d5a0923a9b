import type { Signed } from '../domain/dsse.js';
import type { Json } from '../domain/json.js';
import { jsonBody, signedOf } from '../http/body.js';
import type { Call } from './api.js';

export { issuesOf, signedOf } from '../http/body.js';

/** For the signature, the names of members and white space around a payload. */
export const ROOM_CHARS = 8_192;

/** The body as strict JSON. Throws `request_too_large` or `request_invalid`. */
export const readBody = (c: Call, maxBytes: number): Promise<Json> => jsonBody(c.req.raw, maxBytes);

/** The body as one signed object. Says nothing of its signature. */
export async function readSigned(c: Call, maxPayloadChars: number): Promise<Signed> {
  return signedOf(await readBody(c, maxPayloadChars + ROOM_CHARS), maxPayloadChars);
}
