import { digestOfSigned, readPayload, type Signed } from '../../domain/dsse.js';
import type { ActionResource } from '../../domain/http.js';
import type { ActionId, Digest } from '../../domain/ids.js';
import { toMs } from '../../domain/instant.js';
import type { PublicKey } from '../../domain/keys.js';
import { envelopeSchema, type Envelope } from '../../domain/objects/envelope.js';
import { outcomeOf, type Outcome } from '../../domain/outcome.js';
import { endOf, extendReceipt, signedByAny, type Receipt } from '../../domain/receipt.js';
import { keyValidAt, type Roster } from '../../domain/roster.js';
import { viewDigestOf } from '../../domain/view/v1.js';
import { CliError } from '../errors.js';

/** One sealed revision whose bytes this machine has checked and rendered itself. */
export interface Revision {
  readonly envelope: Envelope;
  readonly digest: Digest;
  readonly view: Digest;
}

/** An action as far as it is proved by signatures of an executor the roster lists; the rest of `resource` are claims. */
export interface VerifiedAction {
  readonly id: ActionId;
  readonly resource: ActionResource;
  /** Oldest first. Empty while nothing is sealed, and where no worker answered. */
  readonly revisions: readonly Revision[];
  readonly newest: Revision | undefined;
  readonly receipt: Receipt;
  /** Final only where a signed entry says so (§5), or where nothing was ever sealed (`proof: 'claimed'`). */
  readonly outcome: Outcome;
  readonly proof: 'proved' | 'claimed' | 'open';
}

const forged = (text: string): CliError =>
  new CliError(
    'receipt_invalid',
    text,
    'Decide nothing on it. Is roster.yaml up to date? Else somebody stands between you and the executor.',
  );

/**
 * Checks what the API handed over against the roster's executor keys (design §2: the API host may be hostile). Throws `receipt_invalid` on a seal
 * or entry no executor signed, on an older revision shown for the newest, `view_mismatch` where this build renders other than the executor sealed.
 */
export function verifyAction(resource: ActionResource, id: ActionId, roster: Roster): VerifiedAction {
  if (resource.id !== id) throw forged(`the API answered with another action than ${id}`);
  const revisions = resource.envelopes.map((signed) => revisionOf(signed, id, roster));
  const newest = revisions.at(-1);
  const receipt = receiptOf(resource, id, roster, newest);
  const seal = receipt.findLast(({ entry }) => entry.kind === 'sealed')?.entry;
  // Of an action that has ended while no worker lives the API has the receipt alone: enough to prove the end, and nothing is left to decide on.
  const endAlone = newest === undefined && endOf(id, receipt) !== undefined;
  if (seal?.kind === 'sealed' && seal.digest !== newest?.digest && !endAlone)
    throw forged('the API shows another revision than the one sealed last');
  if (newest !== undefined) {
    if (seal === undefined) throw forged('no entry of the executor names the revision the API shows');
    if (seal.kind === 'sealed' && seal.view !== newest.view)
      throw new CliError(
        'view_mismatch',
        'this build does not render what the executor sealed',
        'Update Keyturn, show the action again and decide on that.',
      );
  }
  return { id, resource, revisions, newest, receipt, ...endProved(resource, id, receipt) };
}

function revisionOf(signed: Signed, id: ActionId, roster: Roster): Revision {
  const read = envelopeSchema.safeParse(readPayload('envelope', signed));
  if (!read.success) throw forged('the API shows something that is no envelope of this version');
  const envelope = read.data;
  const keys = executorKeys(roster, envelope.executor, toMs(envelope.sealedAt));
  if (!signedByAny('envelope', signed, keys)) throw forged(`no executor of roster.yaml sealed revision ${envelope.revision} of ${id}`);
  if (envelope.actionId !== id || envelope.deployment !== roster.deployment) throw forged('the seal is of another action or deployment');
  return { envelope, digest: digestOfSigned(signed), view: viewDigestOf(envelope) };
}

function receiptOf({ entries }: ActionResource, id: ActionId, roster: Roster, newest: Revision | undefined): Receipt {
  // Of a denied action nothing names the executor but the entry itself: then any of the roster's may have said it.
  const names = newest === undefined ? [...roster.executors.keys()] : [newest.envelope.executor];
  const keys = names.flatMap((name) => executorKeys(roster, name));
  const receipt = extendReceipt([], id, entries, { deployment: roster.deployment, keys });
  if (receipt === undefined) throw forged('the entries the API shows are not an unbroken receipt of an executor of roster.yaml');
  return receipt;
}

/** The keys of one executor; `at` in ms keeps those valid then. */
function executorKeys(roster: Roster, name: string, at?: number): PublicKey[] {
  const keys = roster.executors.get(name)?.keys ?? [];
  return keys.filter((key) => at === undefined || keyValidAt(key, at)).map(({ key }) => key);
}

/** An end is an end only when the ledger says so; a refusal before any seal writes nothing, so nothing can prove it. */
function endProved({ outcome, envelopes }: ActionResource, id: ActionId, receipt: Receipt): Pick<VerifiedAction, 'outcome' | 'proof'> {
  const end = endOf(id, receipt);
  if (end !== undefined) return { outcome: end, proof: 'proved' };
  if (!outcome.final) return { outcome, proof: 'open' };
  if (outcome.status === 'denied' && envelopes.length === 0 && receipt.length === 0) return { outcome, proof: 'claimed' };
  const text = `said to be ${outcome.status}, which no entry of the executor proves yet`;
  return { outcome: outcomeOf(id, 'evaluating', { code: 'receipt_invalid', text }), proof: 'open' };
}
