import { claimEnd, claimPayments, propose } from './stories-held.js';
import { row } from './report.js';
import { claimFate, short, type Stage } from './stage.js';

const IBAN = 'DE89370400440532013000';

/** 3: a modify voids the approvals before it, and its author never counts on it. */
export async function storyModified(stage: Stage): Promise<void> {
  const { outside, report } = stage;
  report.story(3, 'A reviewer changes it: earlier approvals are void');
  // Proposed now, told in story 4: it takes six seconds.
  const urgent = await stage.agent.propose(
    'payments.urgent',
    { vendor: 'Initrode', iban: IBAN, cents: 120_000 },
    { reason: 'cannot wait', idempotencyKey: 'urgent-1' },
  );
  stage.ids.set('urgent', urgent.id);

  const id = await propose(stage, 'payments.transfer', 'Initech', 8_200_000, 'Invoice 77', 'invoice-77');
  const first = await outside.action(id);
  claimFate(stage, 'ben', 'approves revision 1', await outside.decide('ben', first, { verdict: 'approve' }), {
    code: 'counted',
    have: 1,
    need: 2,
  });
  await outside.decide('ana', first, { verdict: 'modify', reason: 'typo', patch: { '/cents': 820_000 } });
  const second = await outside.actionWhen(id, (action) => action.revision === 2);
  report.claim(
    row(
      'ana',
      'modifies 82,000.00 -> 8,200.00 "typo"',
      `revision ${second.revision}           ${second.progress.have} of ${second.progress.need}`,
    ),
    'the modify',
    { revision: 2, have: 0, need: 2 },
    { revision: second.revision, have: second.progress.have, need: second.progress.need },
  );
  claimFate(stage, 'ana', 'approves her own edit', await outside.decide('ana', second, { verdict: 'approve' }), {
    code: 'editor_excluded',
  });
  claimFate(stage, 'ben', 'approves revision 2', await outside.decide('ben', second, { verdict: 'approve' }), {
    code: 'counted',
    have: 1,
    need: 2,
  });
  claimFate(stage, 'cleo', 'approves revision 2', await outside.decide('cleo', second, { verdict: 'approve' }), {
    code: 'counted',
    have: 2,
    need: 2,
  });
  await claimEnd(stage, id, 'executor ran EUR 8,200.00', 'succeeded', 'done');
  await claimPayments(stage, 2);
}

/** 4: a rejection ends it and reaches the agent; silence expires, and never approves. */
export async function storyRefused(stage: Stage): Promise<void> {
  const { outside, report } = stage;
  report.story(4, 'No is no, and silence is not yes');
  const action = await stage.agent.propose(
    'payments.transfer',
    { vendor: 'Hooli', iban: IBAN, cents: 31_000 },
    { reason: 'Invoice 12', idempotencyKey: 'invoice-12' },
  );
  const shown = await outside.actionWhen(action.id, (each) => each.digest !== null);
  await outside.decide('cleo', shown, { verdict: 'reject', reason: 'paid in October' });
  const end = await outside.actionWhen(action.id, (each) => each.outcome.final);
  report.claim(
    row('cleo', `rejects ${short(action.id)} "paid in October"`, `${end.outcome.status}  effect: ${end.outcome.effect}`),
    'the rejection',
    { status: 'rejected', effect: 'none' },
    { status: end.outcome.status, effect: end.outcome.effect },
  );
  const told = await stage.agent.wait(action.id);
  report.claim(
    `agent   is told: rejected by ${(told.reason.by ?? '').replace('person:', '')}, "${told.reason.text}"`,
    'what the agent is told',
    { by: 'person:cleo', text: 'paid in October' },
    { by: told.reason.by, text: told.reason.text },
  );

  const urgent = stage.ids.get('urgent') ?? '';
  const expired = await outside.actionWhen(urgent, (each) => each.outcome.final);
  const notices = (await stage.notices(urgent)).map((notice) => notice.event);
  report.claim(
    `nobody  looks at ${short(urgent)}: reminder after 2 s, finance-leads after 4 s`,
    'notices of the silent action',
    ['asked', 'reminded', 'escalated'],
    notices.filter((event) => event !== 'ended'),
  );
  report.claim(
    row('', '6 s are over', `${expired.outcome.status}   effect: ${expired.outcome.effect}`),
    'silence',
    { status: 'expired', effect: 'none' },
    { status: expired.outcome.status, effect: expired.outcome.effect },
  );
  claimFate(stage, 'eva', 'approves after that', await outside.decide('eva', expired, { verdict: 'approve' }), { code: 'action_ended' });
}
