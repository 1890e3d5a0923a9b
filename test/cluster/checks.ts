import assert from 'node:assert/strict';
import { chmod, chown, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../../src/temporal/paths.js';
import { attributes } from '../../src/temporal/attributes.js';
import type { Cluster } from './cluster.js';
import { DEPLOY, service } from './compose.js';
import { Image } from './image.js';
import { freePorts, run, type Part } from './processes.js';

const NAMESPACE = service('worker').environment['TEMPORAL_NAMESPACE'] ?? '';

/** What deploy/ promises beyond the suite, on the server as it is deployed. In this order. */
export const CHECKS: readonly (readonly [string, (cluster: Cluster) => Promise<unknown>])[] = [
  [
    'the dynamic configuration holds only settings this server knows',
    ({ binaries, dir, path }) =>
      run({
        path: binaries.server,
        args: ['validate-dynamic-config', join(DEPLOY, 'compose/dynamic-config.yaml')],
        env: { PATH: path },
        cwd: dir,
      }),
  ],
  [
    'schema.sh and namespace.sh may be run again, and every search attribute is there',
    async (cluster) => {
      await cluster.makeNamespace(NAMESPACE);
      await cluster.makeNamespace(NAMESPACE);
      await cluster.makeSchema();
      const said = await cluster.temporal('operator', 'search-attribute', 'list', '--namespace', NAMESPACE);
      for (const { name } of Object.values(attributes)) assert.match(said, new RegExp(`\\b${name}\\b`));
    },
  ],
  [
    'attack 53: an activity without a workflow is not taken',
    async (cluster) => {
      const order = [
        '--type',
        'advance',
        '--task-queue',
        'keyturn-executor-bank',
        '--activity-id',
        'steal',
        '--start-to-close-timeout',
        '5s',
      ];
      const said = await cluster.temporal('activity', 'start', '--namespace', NAMESPACE, ...order).then(
        (text) => `taken: ${text}`,
        (error: unknown) => String(error),
      );
      assert.match(said, /Standalone activity is disabled/i);
    },
  ],
  [
    "the parts, apart, with the image's modules, files and commands and the compose file's variables: held, agreed to, run once, scraped, frozen by the door",
    partsApart,
  ],
];

/** One action from a gate that `keyturn init` made, whose secrets are files that prepare.sh made. */
async function partsApart(cluster: Cluster): Promise<void> {
  const [gate, secrets] = [join(cluster.dir, 'gate'), join(cluster.dir, 'secrets')];
  const cli = (...args: string[]): Promise<string> =>
    run({
      path: process.execPath,
      args: [join(packageRoot, 'dist/src/cli/main.js'), '--dir', gate, ...args],
      env: { KEYTURN_URL: url },
      cwd: cluster.dir,
    });
  const [apiPort = '', ...ports] = await freePorts(3);
  const [ofWorker, ofExecutor] = ports.map((port) => `127.0.0.1:${port}`);
  const url = `http://127.0.0.1:${apiPort}`;
  await cli('init', gate, '--no-install');
  await run({ path: 'sh', args: [join(DEPLOY, 'compose/prepare.sh'), gate, secrets], env: process.env });
  await writeFile(join(secrets, 'ledger_address'), await cluster.newLedgerAddress());
  await open([cluster.dir, secrets]);

  const [, door = ''] = /door: 'http:\/\/([^']+)'/.exec(await readFile(join(gate, 'roster.yaml'), 'utf8')) ?? [];
  const addresses = {
    'worker KEYTURN_METRICS': ofWorker ?? '',
    'executor KEYTURN_METRICS': ofExecutor ?? '',
    'executor KEYTURN_DOOR': door,
  };
  const image = await Image.assemble(join(cluster.dir, 'image'), { secrets, temporal: cluster.address, apiPort, addresses });
  for (const name of ['api', 'worker', 'executor', 'ledger-init']) await image.folder(name, gate);
  await run(image.command('ledger-init', ['ledger', 'init']));
  await assert.rejects(run(image.command('ledger-init', ['ledger', 'init'])), /No new ledger was made/);
  const parts: Part[] = [];
  try {
    parts.push(await image.start('worker', ['worker']));
    parts.push(await image.start('executor', ['executor', 'executor.js']));
    parts.push(await image.start('api', ['api', '--host', '127.0.0.1', '--port', apiPort]));
    const params = ['/vendor=ACME GmbH', '/iban=DE89370400440532013000', '/cents=480000'];
    await cli('propose', 'payments.transfer', ...params, '--reason', 'Invoice 2291', '--key', 'invoice-2291');
    const [id = ''] = /act_[0-9a-z]+/.exec(await cli('inbox', '--as', 'ana')) ?? [];
    for (const person of ['ana', 'ben']) {
      await cli('show', id, '--as', person);
      await cli('approve', id, '--as', person);
    }
    const book = await readFile(join(cluster.dir, 'image/executor/.keyturn/bank.json'), 'utf8');
    assert.equal(Object.keys(JSON.parse(book) as object).length, 1);
    for (const [address, metric] of [
      [ofWorker, 'keyturn_worker_ended_total'],
      [ofExecutor, 'keyturn_executor_ended_total'],
    ])
      assert.match(
        await (await fetch(`http://${address ?? ''}/metrics`)).text(),
        new RegExp(`^${metric ?? ''}\\{.*succeeded.*\\} 1$`, 'm'),
      );
    // The brake, with the API out of the way.
    const frozen = await cli('--url', 'http://127.0.0.1:1', 'freeze', '--all', '--reason', 'rehearsal', '--as', 'ana');
    assert.match(frozen, /bank: frozen \(by its own door\)/);
  } catch (error) {
    throw new Error(`${String(error)}\n${await image.logs()}`, { cause: error });
  } finally {
    for (const part of parts.reverse()) await part.stop();
  }
}

/** To the user the parts run as; in containers the owner of the files is that user. */
async function open([dir = '', secrets = '']: readonly string[]): Promise<void> {
  if (process.getuid?.() !== 0) return;
  await chmod(dir, 0o711);
  await chmod(secrets, 0o711);
  for (const name of await readdir(secrets)) await chown(join(secrets, name), 65_534, 65_534);
}
