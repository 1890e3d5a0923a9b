import { readParams } from '../assignments.js';
import { Desk } from '../desk.js';
import { usage } from '../errors.js';
import { EXIT, exitOf, type ExitCode } from '../exit.js';
import { short } from '../ids.js';
import { agent } from '../identity.js';
import type { Session } from '../session.js';
import { inert, issuesOf } from '../text/inert.js';
import { outcomeLine } from '../text/state.js';
import { votesOf } from '../action/votes.js';
import { verifyAction } from '../action/verified.js';
import { actionSchema } from '../../domain/http.js';
import { actionIdOf } from '../../domain/ids.js';
import { requestSchema } from '../../domain/objects/request.js';

export interface ProposeOptions {
  readonly asAgent?: string;
  readonly reason: string;
  readonly idempotencyKey: string;
  readonly onBehalfOf?: string;
  readonly print?: true;
}

/** `propose TYPE /vendor=ACME …`: what an agent does with `keyturn/client`, by hand. The same key is the same action, for ever. */
export async function propose(session: Session, type: string, assignments: readonly string[], options: ProposeOptions): Promise<ExitCode> {
  const params = readParams(assignments);
  const desk = await Desk.open(session, await agent(session, options.asAgent));
  const { deployment, id: name, signer } = desk.author;
  const request = requestSchema.safeParse({
    v: 1,
    deployment,
    agent: name,
    type,
    params,
    reason: options.reason,
    idempotencyKey: options.idempotencyKey,
    ...(options.onBehalfOf === undefined ? {} : { onBehalfOf: options.onBehalfOf }),
  });
  if (!request.success) throw usage(`this is no proposal: ${issuesOf(request.error)}`, 'Correct what it names.');
  const signed = signer.sign('request', request.data);
  if (options.print) {
    session.terminal.out(JSON.stringify(signed));
    return EXIT.ok;
  }
  const { status, value } = await desk.api.post('/v1/actions', signed, actionSchema);
  const action = verifyAction(value, actionIdOf(deployment, name, options.idempotencyKey), desk.roster);
  const { have, need } = votesOf(action, session.now());
  const { outcome, id } = action;
  const held = outcome.status === 'awaiting_approval';
  session.answer({ id, created: status === 201, outcome, have, need }, [
    held ? `held ${short(id)}  ${have} of ${need}` : `${short(id)} ${outcomeLine(outcome)}`,
    ...(held ? [] : [`  ${inert(outcome.reason.text)}`]),
    ...(status === 201 ? [] : ['  this key was used before for the same: the same action, not a new one']),
  ]);
  return outcome.final ? exitOf(outcome) : EXIT.ok;
}
