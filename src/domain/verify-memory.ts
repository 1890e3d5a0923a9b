import { verifySigned } from './dsse.js';

const MAX_KEPT = 300;

/**
 * `verifySigned` with a memory, for whoever judges the same bytes several times: a validator and its handler, a check and its repeat inside the
 * transaction. Pure: it changes no answer. Bounded; keep one for one action or one call.
 */
export function rememberingVerify(verify = verifySigned): typeof verifySigned {
  const known = new Map<string, boolean>();
  return (kind, signed, key, party) => {
    // All of it: an answer about other bytes around the same signature would be another's.
    const name = JSON.stringify([kind, key.text, party ?? null, signed]);
    const before = known.get(name);
    if (before !== undefined) return before;
    const result = verify(kind, signed, key, party);
    if (known.size >= MAX_KEPT) known.clear();
    known.set(name, result);
    return result;
  };
}
