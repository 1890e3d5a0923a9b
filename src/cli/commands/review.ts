import { reviewSchema } from '../../domain/objects/review.js';
import { postReviewOf } from '../../domain/post-review.js';
import { freshness, print, sayRecorded, send } from '../action/decide.js';
import { Desk } from '../desk.js';
import { usage } from '../errors.js';
import { EXIT, type ExitCode } from '../exit.js';
import { person } from '../identity.js';
import type { Session } from '../session.js';
import { issuesOf } from '../text/inert.js';
import { postReviewLine } from '../text/post-review.js';

export interface ReviewOptions {
  readonly as?: string;
  readonly verdict: string;
  readonly reason: string;
  readonly print?: true;
}

/** `review ID`: what a person says afterwards of an action that ran by a break-glass rule (§6.10). It undoes nothing: it is on record. */
export async function review(session: Session, idText: string, options: ReviewOptions): Promise<ExitCode> {
  const desk = await Desk.open(session, await person(session, options.as));
  const { id } = await desk.find(idText);
  const said = reviewSchema.safeParse({
    v: 1,
    deployment: desk.author.deployment,
    actionId: id,
    by: desk.author.id,
    verdict: options.verdict,
    reason: options.reason,
    ...freshness(session.now()),
  });
  if (!said.success) throw usage(`this is no review: ${issuesOf(said.error)}`, 'Write --verdict justified, or not_justified.');
  const signed = desk.author.signer.sign('review', said.data);
  if (options.print) return print(desk, signed);

  const judged = await send(desk, id, 'reviews', signed);
  if (judged.recorded) return sayRecorded(desk, id);
  const action = await desk.read(id);
  const line = postReviewLine(action.receipt, session.now()) ?? 'recorded';
  session.answer({ id, fate: judged.answer.fate.state, postReview: postReviewOf(action.receipt) }, [line]);
  return EXIT.ok;
}
