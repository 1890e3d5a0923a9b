import { digestOfSigned, readPayload, type Signed } from '../../domain/dsse.js';
import { refuse } from '../../domain/codes.js';
import type { ActionId } from '../../domain/ids.js';
import { answerSchema, doorInput, RESULTS } from '../../domain/objects/answer.js';
import { isByRoster, stopMessageIn } from '../../domain/stops.js';
import { Refused, refused } from '../../http/problem.js';
import type { Executor } from '../executor.js';
import { lodge } from '../lodge.js';

/** On record: the answer this executor signed, and the action it is about. */
export interface Stood {
  readonly answer: Signed;
  readonly actionId: ActionId | null;
}

/**
 * Puts a signed stop message on record as the activity `lodge` does, and answers with what that signs. Throws the refusal.
 * A stranger's message is `signature_invalid` whatever it names, so that nobody learns here which actions there are. Rejections alone are asked of the
 * ledger even then: it knows the keys an action was sealed with, and a "no" by one of them stands though the present roster lacks it.
 */
export async function takeStop(executor: Executor, signed: Signed): Promise<Stood> {
  const stop = stopMessageIn(signed);
  if (stop === undefined)
    throw refused(
      'request_invalid',
      'this door takes signed rejects, withdrawals, cancels and freezes; everything else goes through the API',
    );
  const { kind, actionId } = stop;
  const rules = await executor.rules();
  const isKnown = rules.ok && isByRoster(signed, stop, rules.roster);
  if (rules.ok && !isKnown && kind !== 'reject') throw refused('signature_invalid');
  const answer = await lodge(executor, doorInput(actionId, signed));
  const result = RESULTS.lodge.parse(answerSchema.parse(readPayload('answer', answer)).result);
  const said = result.kind === 'stands' ? 'stands' : result.code;
  executor.log('door', { kind, actionId, digest: digestOfSigned(signed), said });
  if (result.kind === 'stands') return { answer, actionId };
  if (isKnown) throw new Refused(refuse(result.code, result.text));
  throw rules.ok
    ? refused('signature_invalid')
    : refused(
        'roster_stale',
        'policy or roster is invalid here: only a rejection by a key the action was sealed with is taken until it is mended',
      );
}
