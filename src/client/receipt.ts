import { createHash, createPublicKey, verify, type KeyObject } from 'node:crypto';
import { fromBase64Url, toCrockford } from '../domain/bytes.js';
import type { Signed } from '../domain/dsse.js';
import type { ActionResource } from '../domain/http.js';
import { canonicalBytes, canonicalize, parseCanonical } from '../domain/json.js';
import { KeyturnError } from './errors.js';
import { preAuthEncoding } from './sign.js';

/**
 * An executor's public keys, by id: what an agent needs to believe an end without believing its API. Written as in roster.yaml; node:crypto alone,
 * as in sign.ts.
 */
export type ExecutorKeys = ReadonlyMap<string, KeyObject>;

const ENTRY = 'application/vnd.keyturn.entry.v1+json';
const SPKI_HEAD = 12;
/** Of the ends, these two left a mark; every other took no effect (§5). */
const EFFECTS: Readonly<Record<string, string>> = { succeeded: 'done', compensated: 'undone' };

/** Throws `TypeError` on a text that is no `ed25519:…` key. */
export function executorKeysOf(texts: readonly string[]): ExecutorKeys {
  return new Map(
    texts.map((text) => {
      const [algorithm, spki = '', ...more] = text.trim().split(':');
      try {
        if (algorithm !== 'ed25519' || more.length > 0) throw new TypeError('another algorithm');
        const der = Buffer.from(fromBase64Url(spki));
        const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
        if (key.asymmetricKeyType !== 'ed25519') throw new TypeError('another algorithm');
        return [createHash('sha256').update(der.subarray(SPKI_HEAD)).digest('hex').slice(0, 32), key] as const;
      } catch (cause) {
        throw new TypeError(`Keyturn: "${text.slice(0, 60)}" is no executor's public key: write it as roster.yaml has it, ed25519:…`, {
          cause,
        });
      }
    }),
  );
}

/**
 * An end counts only if the executor's own entries, without a gap, prove this very outcome (as `endOf` of src/domain/receipt.ts reads them). Throws
 * `receipt_invalid` otherwise; also for the one end without an entry, of a type nobody runs, which nothing can prove.
 */
export function believeEnd({ id, outcome, entries }: ActionResource, asked: string, deployment: string, keys: ExecutorKeys): void {
  // Another action's end, however well proven, is none of this one.
  if (id !== asked) throw unproven(`asked for ${asked}, the API answers with another action.`);
  // Without an end nothing is done or undone yet; with one, its status says what became of the world.
  const effect = outcome.final ? (EFFECTS[outcome.status] ?? 'none') : undefined;
  const claimed = outcome.effect === 'done' || outcome.effect === 'undone';
  if (outcome.final ? outcome.effect !== effect : claimed)
    throw unproven(`the API says effect ${outcome.effect} of a status that has another.`);
  if (!outcome.final) return;
  const receipt = [entries].flat().map((entry) => opened(entry, keys));
  let before: string | null = null;
  let end: { readonly status: unknown; readonly reason: unknown } | undefined;
  let result: unknown;
  for (const each of receipt) {
    if (
      each === undefined ||
      each.entry['actionId'] !== id ||
      each.entry['deployment'] !== deployment ||
      each.entry['prevOfAction'] !== before
    )
      throw unproven(`an entry of the receipt of ${id} is not the executor's, or not the next one.`);
    before = each.digest;
    const { kind } = each.entry;
    if (kind === 'step_done') result = each.entry['result'];
    if (kind === 'ended' || kind === 'closed' || kind === 'denied') end = { status: each.entry['status'], reason: each.entry['reason'] };
  }
  const proven =
    end !== undefined &&
    end.status === outcome.status &&
    canonicalize(end.reason ?? null) === canonicalize(outcome.reason) &&
    (outcome.status !== 'succeeded' || canonicalize(result ?? null) === canonicalize(outcome.result ?? null));
  if (!proven) throw unproven(`the API says that ${id} is ${outcome.status}; the executor's entries do not.`);
}

/** The entry and its digest, if one of these keys signed it. */
function opened(
  signed: Signed,
  keys: ExecutorKeys,
): { readonly digest: string; readonly entry: Readonly<Record<string, unknown>> } | undefined {
  try {
    const [signature] = signed.signatures;
    const key = signature === undefined ? undefined : keys.get(signature.keyid);
    const payload = fromBase64Url(signed.payload);
    if (signature === undefined || key === undefined || signed.payloadType !== ENTRY || signed.signatures.length !== 1) return undefined;
    if (!verify(null, preAuthEncoding(ENTRY, payload), key, fromBase64Url(signature.sig))) return undefined;
    const entry = parseCanonical(payload);
    if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return undefined;
    return { digest: createHash('sha256').update(payload).digest('hex'), entry: entry as Readonly<Record<string, unknown>> };
  } catch {
    return undefined;
  }
}

const unproven = (text: string): KeyturnError =>
  new KeyturnError({
    code: 'receipt_invalid',
    status: 200,
    text,
    remedy:
      'Believe nothing it says of this action; see who else writes to the API and its namespace, and whether KEYTURN_EXECUTOR_KEYS is current.',
    retry: 'never',
  });

/** The id an action has by what is proposed, as src/domain/ids.ts makes it: not whatever an API answers. */
export const actionIdOf = (deployment: string, agent: string, idempotencyKey: string): string =>
  `act_${toCrockford(
    createHash('sha256')
      .update(canonicalBytes([deployment, agent, idempotencyKey]))
      .digest(),
  ).slice(0, 26)}`;
