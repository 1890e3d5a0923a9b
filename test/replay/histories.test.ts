import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import proto from '@temporalio/proto';
import { Worker } from '@temporalio/worker';
import { loadWorkflowBundle } from '../../src/temporal/bundle.js';
import { dataConverter } from '../../src/temporal/data-converter.js';
import { packageRoot } from '../../src/temporal/paths.js';
import { RELEASES } from './releases.js';

const folder = join(packageRoot, 'test', 'histories');
const recorded = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'));

test('each release has its histories, all that were recorded at it: none was taken out, none is there that nobody listed', () => {
  const listed = Object.entries(RELEASES).flatMap(([release, names]) => names.map((name) => join(release, `${name}.json`)));
  expect([...recorded].sort()).toEqual(listed.sort());
  expect(readdirSync(folder).sort()).toEqual(Object.keys(RELEASES).sort());
});

describe('what each release began, the present workflow code goes on with', () => {
  test.each(recorded)('%s', async (name) => {
    const { workflowId, history } = JSON.parse(await readFile(join(folder, name), 'utf8')) as { workflowId: string; history: string };
    await Worker.runReplayHistory(
      { workflowBundle: await loadWorkflowBundle(), dataConverter },
      proto.temporal.api.history.v1.History.decode(Buffer.from(history, 'base64')),
      workflowId,
    );
  });
});
