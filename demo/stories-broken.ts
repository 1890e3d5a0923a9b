import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { BankAdmin } from '../examples/bank/admin.js';
import { randomBytes } from 'node:crypto';
import { signerOf } from '../src/domain/dsse.js';
import { packageRoot } from '../src/temporal/paths.js';
import { bankBook, decisionOf, keyturn, temporalCli } from './outside.js';
import { propose } from './stories-held.js';
import { row } from './report.js';
import { short, type Stage } from './stage.js';

const IBAN = 'DE02120300000000202051';

/** 5: the second of two steps fails for sure; the first is undone, as people had agreed. */
export async function storyUndone(stage: Stage): Promise<void> {
  const { outside, report, processes } = stage;
  report.story(5, 'It breaks half way and is undone');
  await new BankAdmin(processes.bankUrl, stage.bankPassword).setClosed(IBAN, true);
  const action = await stage.agent.propose(
    'payments.escrow',
    { vendor: 'Umbrella', iban: IBAN, cents: 64_000 },
    { reason: 'Deposit', idempotencyKey: 'deposit-1' },
  );
  const shown = await outside.actionWhen(action.id, (each) => each.digest !== null);
  await outside.decide('ana', shown, { verdict: 'approve' });
  await outside.decide('ben', shown, { verdict: 'approve' });
  const end = await outside.actionWhen(action.id, (each) => each.outcome.final);
  const reservation = (await bankBook(processes.bankUrl)).find((entry) => entry.vendor === 'Umbrella');
  report.say(`   ${short(action.id)}  reserve ok, settle failed (account closed), release ok`);
  report.claim(
    row('', '', `${end.outcome.status} effect: ${end.outcome.effect}`),
    'an action that broke half way',
    { status: 'compensated', effect: 'undone', bank: 'released' },
    { status: end.outcome.status, effect: end.outcome.effect, bank: reservation?.state },
  );
}

/** 6: a namespace writer forges a vote with the CLI, then orders the payment with a worker of his own. */
export async function storyAttacked(stage: Stage): Promise<void> {
  const { outside, report, processes } = stage;
  report.story(6, 'Somebody with full access to Temporal tries to skip all this');
  const id = await propose(stage, 'payments.transfer', 'Shell Co', 9_999_900, 'urgent!!', 'shell-1');
  const shown = await outside.action(id);
  // He knows everything Temporal holds: ids, digests, public keys. He has no reviewer's private key.
  const forger = signerOf(randomBytes(32));
  const forged = (['ana', 'ben'] as const).map((person) => {
    const real = stage.cast.people[person].key.id;
    const signed = forger.sign('decision', { ...decisionOf(person, shown, { verdict: 'approve' }, forger), keyId: real });
    return { ...signed, signatures: [{ keyid: real, sig: signed.signatures[0]?.sig ?? '' }] };
  });
  await writeFile(join(stage.dir, 'forged-vote.json'), JSON.stringify(forged[0]));
  report.say('   $ temporal workflow signal --name decision --input-file forged-vote.json \\');
  report.say(`       --workflow-id ${id}`);
  const before = shown.refused.total;
  await temporalCli(stage.temporalBinary, processes.temporalAddress, [
    'workflow',
    'signal',
    '--name',
    'decision',
    '--input-file',
    join(stage.dir, 'forged-vote.json'),
    '--workflow-id',
    id,
  ]);
  const after = await outside.actionWhen(id, (action) => action.refused.total > before);
  const code = after.refused.last?.code ?? 'nothing refused';
  report.countRefusal();
  report.claim(
    `${'  Temporal delivered it; the workflow'.padEnd(49)}REFUSED   ${code}`,
    'a forged vote by the temporal command line',
    'signature_invalid',
    code,
  );

  report.say('   $ node rogue-worker.js   # a worker of his own, orders the payment itself');
  await writeFile(join(stage.dir, 'forged-order.json'), JSON.stringify({ actionId: id, have: 0, digest: shown.digest, decisions: forged }));
  const answer = await rogue(stage);
  report.countRefusal();
  report.claim(
    `${`  Temporal passed it on; executor, check ${String(answer.check)} of 15`.padEnd(49)}REFUSED   ${String(answer.code)}`,
    'an order by a rogue worker',
    { code: 'signature_invalid', check: 6 },
    answer,
  );

  const still = await outside.action(id);
  await stage.agent.cancel(id);
  const end = await outside.actionWhen(id, (action) => action.outcome.final);
  report.claim(
    `${short(id)} is still ${still.progress.have} of ${still.progress.need}; the agent cancels it`.padEnd(49) +
      `${end.outcome.status} effect: ${end.outcome.effect}`,
    'the attacked action',
    { have: 0, status: 'cancelled', effect: 'none' },
    { have: still.progress.have, status: end.outcome.status, effect: end.outcome.effect },
  );
}

async function rogue(stage: Stage): Promise<{ code: unknown; check: unknown }> {
  const child = spawn(process.execPath, [join(packageRoot, 'dist/demo/rogue-worker.js'), join(stage.dir, 'forged-order.json')], {
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', TEMPORAL_ADDRESS: stage.processes.temporalAddress },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await new Promise((done) => child.once('close', done));
  const answer = JSON.parse(output) as { code?: unknown; check?: unknown };
  return { code: answer.code, check: answer.check };
}

/** 7: the evidence file, checked offline by a process that asks nobody. */
export async function storyEvidence(stage: Stage): Promise<void> {
  const { report } = stage;
  report.story(7, 'Check it without trusting us');
  const id = stage.ids.get('held') ?? '';
  const file = `${short(id)}.json`;
  await keyturn(stage.dir, ['evidence', 'export', id, '-o', file]);
  const good = await keyturn(stage.dir, ['evidence', 'verify', file]);
  const said = (output: string): string =>
    output
      .split('\n')
      .find((line) => /OK|FAILED/.test(line))
      ?.replace(/^.*?(OK|FAILED)/, '$1')
      .slice(0, 26) ?? output.slice(0, 26);
  report.claim(
    `${`keyturn evidence verify ${file}`.padEnd(49)}${said(good.output)}`,
    'the evidence file',
    { code: 0, said: 'OK, offline' },
    { code: good.code, said: said(good.output) },
  );
  const bytes = await readFile(join(stage.dir, file));
  const at = 1_904;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await writeFile(join(stage.dir, 'changed.json'), bytes);
  const bad = await keyturn(stage.dir, ['evidence', 'verify', 'changed.json']);
  report.claim(
    `${`the same file with byte ${at} changed`.padEnd(49)}${said(bad.output)}`,
    'the file with one byte changed',
    { code: 1, failed: true },
    { code: bad.code, failed: bad.output.includes('FAILED') },
  );
}
