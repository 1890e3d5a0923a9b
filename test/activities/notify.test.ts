import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { notifyActivity } from '../../src/activities/notify.js';
import { personIdSchema } from '../../src/domain/ids.js';
import type { Notice } from '../../src/workflows/tell-people.js';

const NOTICE: Notice = {
  event: 'asked',
  actionId: 'act_00000000000000000000000000',
  revision: 1,
  sentence: 'Pay ACME 1.00 EUR',
  people: [personIdSchema.parse('ana'), personIdSchema.parse('ben')],
  status: 'awaiting_approval',
  deadline: null,
};

describe('a notice', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'keyturn-notify-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  test('is one line in the file, whose folder is made when it is missing, and one on the output', async () => {
    const printed: string[] = [];
    const file = join(dir, 'not', 'yet', 'notices.jsonl');
    const notify = notifyActivity(file, (line) => printed.push(line));
    await notify(NOTICE);
    await rm(join(dir, 'not'), { recursive: true });
    await notify(NOTICE);
    await notify({ ...NOTICE, event: 'ended', people: [] });
    const lines = (await readFile(file, 'utf8')).trim().split('\n');
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual([
      { ...NOTICE, at: expect.any(String) },
      { ...NOTICE, event: 'ended', people: [], at: expect.any(String) },
    ]);
    expect(printed).toEqual([
      'notice  asked        act_0000 r1 awaiting_approval  to ana, ben',
      'notice  asked        act_0000 r1 awaiting_approval  to ana, ben',
      'notice  ended        act_0000 r1 awaiting_approval  to nobody',
    ]);
  });

  test('that cannot be written fails, so that it is tried again', async () => {
    const blocked = join(dir, 'a-file');
    await writeFile(blocked, '');
    await chmod(blocked, 0o400);
    await expect(notifyActivity(join(blocked, 'notices.jsonl'), () => undefined)(NOTICE)).rejects.toMatchObject({ code: 'ENOTDIR' });
  });
});
