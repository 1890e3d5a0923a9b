import { bankBook } from './outside.js';
import { row } from './report.js';
import { claimFate, short, type Stage } from './stage.js';
import { signerFrom } from '../src/files/key-files.js';
import { euros } from '../examples/payments/types.js';

const IBAN = 'DE89370400440532013000';

/** The agent proposes a payment; claimed as held. */
export async function propose(stage: Stage, type: string, vendor: string, cents: number, reason: string, key: string): Promise<string> {
  const action = await stage.agent.propose(type, { vendor, iban: IBAN, cents }, { reason, idempotencyKey: key });
  const seen = await stage.outside.actionWhen(action.id, (each) => each.outcome.status !== 'evaluating');
  stage.report.claim(
    row('agent', `proposes ${euros(cents)} to ${vendor}`, `held      ${short(action.id)}  ${seen.progress.have} of ${seen.progress.need}`),
    `the agent proposes ${type}`,
    { status: 'awaiting_approval', have: 0, need: 2 },
    { status: seen.outcome.status, have: seen.progress.have, need: seen.progress.need },
  );
  return action.id;
}

/** 1: held until two of three agree; the agent itself never does. */
export async function storyHeld(stage: Stage): Promise<void> {
  const { outside, report } = stage;
  report.story(1, 'An agent asks; two of three people in finance must agree');
  const id = await propose(stage, 'payments.transfer', 'ACME GmbH', 480_000, 'Invoice 2291, due Friday', 'invoice-2291');
  stage.ids.set('held', id);
  const action = await outside.action(id);
  const agentSigner = signerFrom(stage.cast.agentKey, 'the agent');
  claimFate(stage, 'agent', 'tries to approve it', await outside.decide('ana', action, { verdict: 'approve' }, agentSigner), {
    code: 'not_a_reviewer',
  });
  claimFate(stage, 'ana', 'approves', await outside.decide('ana', action, { verdict: 'approve' }), { code: 'counted', have: 1, need: 2 });
}

/** 2: SIGKILL of the server, the worker and the executor; and of the worker again while somebody votes. */
export async function storyKilled(stage: Stage): Promise<void> {
  const { outside, report, processes } = stage;
  const id = stage.ids.get('held') ?? '';
  report.story(2, 'Everything that can die, dies');
  const before = await outside.action(id);
  const killed = [await processes.kill('temporal'), await processes.kill('worker'), await processes.kill('executor')];
  report.say(`   kill -9 ${killed[0]} temporal, ${killed[1]} worker, ${killed[2]} executor`);
  const since = Date.now();
  await processes.startTemporal();
  await Promise.all([processes.startWorker(), processes.startExecutor()]);
  const after = await outside.actionWhen(id, (action) => !action.stale);
  const seconds = ((Date.now() - since) / 1000).toFixed(1);
  report.say(
    `   ${`started ${processes.pid('temporal')} temporal, ${processes.pid('worker')} worker, ${processes.pid('executor')} executor`.padEnd(60)}in ${seconds} s`,
  );
  report.claim(
    `${short(id)} is still ${after.progress.have} of ${after.progress.need}, digest ${after.digest?.slice(0, 12) ?? 'none'} as before`,
    'the action after the kills',
    { have: 1, need: 2, digest: before.digest },
    { have: after.progress.have, need: after.progress.need, digest: after.digest },
  );
  claimFate(stage, 'ana', 'approves once more', await outside.decide('ana', after, { verdict: 'approve' }), { code: 'seat_taken' });

  report.say(`   kill -9 ${await processes.kill('worker')} worker`);
  const vote = await outside.decide('ben', after, { verdict: 'approve' });
  claimFate(stage, 'ben', 'approves while no worker lives', { ...vote, have: null, need: null }, { code: 'waiting' }, 'not yet counted');
  await processes.startWorker();
  const counted = await outside.actionWhen(id, (action) => action.progress.have === 2);
  report.claim(
    `${`started ${processes.pid('worker')} worker`.padEnd(49)}counted   ${counted.progress.have} of ${counted.progress.need}`,
    'the vote Temporal kept',
    { have: 2, need: 2 },
    { have: counted.progress.have, need: counted.progress.need },
  );
  await claimEnd(stage, id, 'executor checked 2 signatures and ran it', 'succeeded', 'done');
  await claimPayments(stage, 1);
}

export async function claimEnd(stage: Stage, id: string, line: string, status: string, effect: string): Promise<void> {
  const end = await stage.outside.actionWhen(id, (action) => action.outcome.final);
  stage.report.claim(
    `${line.padEnd(49)}${status} effect: ${effect}`,
    `the end of ${line}`,
    { status, effect },
    { status: end.outcome.status, effect: end.outcome.effect },
  );
}

export async function claimPayments(stage: Stage, count: number): Promise<void> {
  const book = await bankBook(stage.processes.bankUrl);
  const paid = book.filter((entry) => entry.state === 'paid').length;
  stage.report.claim(`bank's book: ${paid} payment${paid === 1 ? '' : 's'}`, "payments in the bank's book", count, paid);
}
