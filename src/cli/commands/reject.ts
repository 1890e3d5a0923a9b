import { byDoors, idWithoutApi, lookWithoutApi, recordedOrByDoors, throughApi, type DoorOptions } from '../action/by-door.js';
import { PATIENCE_MS, print, send, signDecision } from '../action/decide.js';
import { newestOrSeen } from '../action/seen.js';
import { votesOf } from '../action/votes.js';
import type { VerifiedAction } from '../action/verified.js';
import { Desk } from '../desk.js';
import { EXIT, type ExitCode } from '../exit.js';
import { person } from '../identity.js';
import type { Session } from '../session.js';
import { inert } from '../text/inert.js';
import { outcomeLine } from '../text/state.js';

export interface RejectOptions extends DoorOptions {
  readonly as?: string;
  /** On whose seat, by a delegation in this folder. */
  readonly for?: string;
  readonly reason: string;
  readonly print?: true;
}

/**
 * `reject ID`: a no is never made hard. It needs no look before, carries over to later revisions, and says what it rejects. Without the API it goes by
 * the executors' own doors, and names what was seen here before.
 */
export async function reject(session: Session, idText: string, options: RejectOptions): Promise<ExitCode> {
  const desk = await Desk.open(session, await person(session, options.as));
  const action = await throughApi(desk, options, () => desk.find(idText));
  const id = action?.id ?? (await idWithoutApi(desk, idText));
  const seen = action === undefined ? await lookWithoutApi(desk, id) : await newestOrSeen(desk, action);
  const what = { verdict: 'reject', reason: options.reason, ...(await desk.seatOf(action, options.for)) };
  const signed = signDecision(desk.author, id, seen, what, session.now());
  if (options.print) return print(desk, signed);

  if (action?.newest !== undefined) session.hint(`rejecting: ${inert(action.newest.envelope.summary)}`);
  const judged = action === undefined ? undefined : await throughApi(desk, options, () => send(desk, id, 'decisions', signed));
  if (judged === undefined) return byDoors(desk, id, signed, 'rejected');
  if (judged.recorded) return recordedOrByDoors(desk, id, signed, 'rejected');
  const ends = (now: VerifiedAction): boolean => now.outcome.final || !votesOf(now, session.now()).rejected;
  const settled = await desk.readUntil(id, ends, PATIENCE_MS);
  const said =
    settled?.outcome.final === true ? outcomeLine(settled.outcome) : 'the rejection stands; the rule asks for more to end the action';
  session.answer({ id, fate: judged.answer.fate.state, outcome: settled?.outcome ?? null }, [said]);
  return EXIT.ok;
}
