import { confirmed } from '../action/confirm.js';
import { PATIENCE_MS, print, sayRecorded, send, signDecision } from '../action/decide.js';
import { whatWasSeen } from '../action/seen.js';
import { votesOf } from '../action/votes.js';
import { Desk } from '../desk.js';
import { EXIT, exitOf, type ExitCode } from '../exit.js';
import { person } from '../identity.js';
import type { Session } from '../session.js';
import { inert } from '../text/inert.js';
import { outcomeLine } from '../text/state.js';

export interface ApproveOptions {
  readonly as?: string;
  /** On whose seat, by a delegation in this folder. */
  readonly for?: string;
  readonly digest?: string;
  readonly reason?: string;
  /** The value the rule wants repeated. */
  readonly confirm?: string;
  readonly print?: true;
}

/**
 * `approve ID`: signs exactly what was seen. After the last vote that was missing it waits 10 s for the end, and exits by that;
 * a vote that Temporal only keeps exits with 6.
 */
export async function approve(session: Session, idText: string, options: ApproveOptions): Promise<ExitCode> {
  const desk = await Desk.open(session, await person(session, options.as));
  const action = await desk.find(idText);
  const { id } = action;
  const seen = await whatWasSeen(desk, action, { digest: options.digest, question: `Approve exactly this, as ${desk.author.id}?` });
  const guards = await confirmed(session, action, seen, options.confirm);
  const reason = options.reason === undefined ? {} : { reason: options.reason };
  const seat = await desk.seatOf(action, options.for);
  const signed = signDecision(desk.author, id, seen, { verdict: 'approve', ...reason, ...guards, ...seat }, session.now());
  if (options.print) return print(desk, signed);

  const judged = await send(desk, id, 'decisions', signed);
  if (judged.recorded) return sayRecorded(desk, id);
  const settled = await desk.readUntil(id, (now) => isSettled(now, session.now()), PATIENCE_MS);
  if (settled === undefined) {
    session.answer({ id, fate: judged.answer.fate.state }, [judged.answer.fate.state]);
    return EXIT.ok;
  }
  const { outcome } = settled;
  const { have, need, awaiting, notBefore } = votesOf(settled, session.now());
  const rest = have < need ? (awaiting.length === 0 ? '' : `, waiting for ${awaiting.join(', ')}`) : `: ${outcomeLine(outcome)}`;
  session.answer({ id, have, need, awaiting, outcome, notBefore: notBefore ?? null }, [`${have} of ${need}${rest}`]);
  if (have === need && notBefore !== undefined) session.hint(`it starts by itself, not before ${notBefore}`);
  if (outcome.final && outcome.effect !== 'done') session.hint(inert(outcome.reason.text));
  return outcome.final || exitOf(outcome) === EXIT.person ? exitOf(outcome) : EXIT.ok;
}

/** More votes are needed, or time, or it has ended, or only a person can end it. */
function isSettled(action: Parameters<typeof votesOf>[0], now: number): boolean {
  const { have, need, notBefore } = votesOf(action, now);
  return have < need || notBefore !== undefined || action.outcome.final || exitOf(action.outcome) === EXIT.person;
}
