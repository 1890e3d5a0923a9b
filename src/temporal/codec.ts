import type { Payload, PayloadCodec } from '@temporalio/common';

const JSON_PLAIN = new TextEncoder().encode('json/plain');
const REFUSED = new TextEncoder().encode(JSON.stringify({ keyturnUndecodable: 'codec_refused' }));

/** A payload the converter reads as the marker. New each time: the SDK may hand it on as its own. */
const refused = (): Payload => ({ metadata: { encoding: JSON_PLAIN.slice() }, data: REFUSED.slice() });

/**
 * Wraps a codec so that `decode` never throws: a payload the inner codec refuses becomes one the payload converter reads as
 * `{ keyturnUndecodable: 'codec_refused' }`, which strict schemas refuse. Without it one bad signal stops its run for ever,
 * because codecs run before the workflow sees anything. Each payload is judged alone, so a bad one takes no good one with it.
 *
 * The inner codec must wait out what passes (a key service that is down) instead of throwing: a payload refused now and read on
 * replay would make the replay differ. `encode` is the inner codec's, and may throw.
 */
export function neverThrowingCodec(inner: PayloadCodec): PayloadCodec {
  const decodeOne: (payload: Payload, context: Parameters<PayloadCodec['decode']>[1]) => Promise<Payload> = async (payload, context) => {
    try {
      const [decoded, ...more] = await inner.decode([payload], context);
      return decoded === undefined || more.length > 0 ? refused() : decoded;
    } catch {
      return refused();
    }
  };
  return {
    encode: (payloads, context) => inner.encode(payloads, context),
    decode: (payloads, context) => Promise.all(payloads.map((payload) => decodeOne(payload, context))),
  };
}
