import { byDoors, idWithoutApi, lookWithoutApi, recordedOrByDoors, throughApi, type DoorOptions } from '../action/by-door.js';
import { print, send, signDecision } from '../action/decide.js';
import { mustBeSealed } from '../action/seen.js';
import { lookOf } from '../action/shown.js';
import { votesOf } from '../action/votes.js';
import type { VerifiedAction } from '../action/verified.js';
import { Desk } from '../desk.js';
import { CliError, usage } from '../errors.js';
import { EXIT, type ExitCode } from '../exit.js';
import { short } from '../ids.js';
import { person, type Author } from '../identity.js';
import type { Session } from '../session.js';
import { readDecision } from '../../domain/admit.js';
import { digestSchema, type Digest } from '../../domain/ids.js';

export interface WithdrawOptions extends DoorOptions {
  readonly as?: string;
  readonly decision?: string;
  readonly reason?: string;
  readonly print?: true;
}

/** `withdraw ID`: takes back one's own approval or rejection, while execution has not started (§6.11). */
export async function withdraw(session: Session, idText: string, options: WithdrawOptions): Promise<ExitCode> {
  const desk = await Desk.open(session, await person(session, options.as));
  const action = await throughApi(desk, options, () => desk.find(idText));
  const id = action?.id ?? (await idWithoutApi(desk, idText));
  const own = action === undefined ? namedVote(options.decision) : ownVote(action, desk.author, options.decision);
  const seen = action === undefined ? await lookWithoutApi(desk, id) : lookOf(mustBeSealed(action));
  const reason = options.reason === undefined ? {} : { reason: options.reason };
  const signed = signDecision(desk.author, id, seen, { verdict: 'withdraw', withdraws: own.digest, ...reason }, session.now());
  if (options.print) return print(desk, signed);

  const judged = action === undefined ? undefined : await throughApi(desk, options, () => send(desk, id, 'decisions', signed));
  if (judged === undefined) return byDoors(desk, id, signed, 'withdrawn');
  if (judged.recorded) return recordedOrByDoors(desk, id, signed, 'withdrawn');
  const { have, need } = votesOf(judged.action ?? (await desk.read(id)), session.now());
  session.answer({ id, withdrew: own.digest, verdict: own.verdict, have, need }, [
    `${own.verdict === 'approve' ? 'approval' : 'rejection'} withdrawn: ${have} of ${need}`,
  ]);
  return EXIT.ok;
}

/** Without the API nobody lists the votes: it must be named by its whole digest. */
function namedVote(decision?: string): { readonly digest: Digest; readonly verdict: string } {
  const digest = digestSchema.safeParse(decision);
  if (digest.success) return { digest: digest.data, verdict: 'vote' };
  throw usage(
    'without the API, the vote to withdraw is named by its whole digest',
    'Give --decision <64 digits>, as `keyturn --json show` told it.',
  );
}

/** The one live vote of this person, or made for this person by a delegate. Its digest comes from its own bytes, never from the API's word. */
function ownVote({ id, resource }: VerifiedAction, author: Author, prefix = ''): { readonly digest: Digest; readonly verdict: string } {
  const mine = resource.signedDecisions.flatMap((signed) => {
    const read = readDecision(signed);
    const mine = read?.decision.person === author.id || read?.decision.delegation?.from === author.id;
    return read !== undefined && mine && read.decision.actionId === id ? [read] : [];
  });
  const withdrawn = new Set(mine.flatMap(({ decision }) => (decision.verdict === 'withdraw' ? [decision.withdraws] : [])));
  const refused = new Set(resource.decisions.filter(({ fate }) => fate.state === 'refused').map(({ digest }) => digest));
  const live = mine.filter(
    ({ digest, decision }) =>
      (decision.verdict === 'approve' || decision.verdict === 'reject') &&
      !withdrawn.has(digest) &&
      !refused.has(digest) &&
      digest.startsWith(prefix),
  );
  const [only] = live;
  if (only !== undefined && live.length === 1) return { digest: only.digest, verdict: only.decision.verdict };
  if (only === undefined)
    throw new CliError('request_invalid', `${author.id} has no vote on ${short(id)} to withdraw`, `See: keyturn show ${short(id)}`);
  const lines = live.map(({ digest, decision }) => `${digest.slice(0, 12)}  ${decision.verdict}, revision ${decision.revision}`);
  throw new CliError(
    'request_invalid',
    `${author.id} has ${live.length} votes on ${short(id)}`,
    'Name one with --decision <digits>.',
    EXIT.error,
    lines,
  );
}
