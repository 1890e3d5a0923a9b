import { expect, test } from '@jest/globals';
import { digestOf } from '../../src/domain/hash.js';
import type { JsonObject } from '../../src/domain/json.js';
import { readAnswer } from '../../src/domain/receipt.js';
import { damaged, request } from '../helpers/messages.js';
import { DEPLOYMENT } from '../helpers/rules-fixture.js';
import { AGENT, API, EXECUTOR, keyOfPerson, signerOf } from '../helpers/signers.js';
import { TRUST } from '../helpers/world.js';

test("attack 51 an activity's completion that the executor did not sign, for this very question, is no answer", () => {
  const { id } = request();
  const input = { actionId: id, have: 0, digest: 'a'.repeat(64), decisions: [] };
  const answer: JsonObject = {
    v: 1,
    deployment: DEPLOYMENT,
    ledger: '0123456789abcdef0123456789abcdef',
    epoch: 1,
    activity: 'advance',
    actionId: id,
    asked: digestOf(input),
    status: 'succeeded',
    entries: [],
    result: { kind: 'end' },
  };
  const genuine = EXECUTOR.sign('answer', answer);
  expect(readAnswer('advance', id, input, genuine, TRUST)?.result).toEqual({ kind: 'end' });

  for (const by of [AGENT, API, keyOfPerson('ana'), signerOf('a thief')])
    expect(readAnswer('advance', id, input, by.sign('answer', answer), TRUST)).toBeUndefined();
  expect(readAnswer('advance', id, input, damaged(genuine), TRUST)).toBeUndefined();
  expect(readAnswer('advance', id, input, { ...genuine, signatures: [] }, TRUST)).toBeUndefined();
  // The executor's own words, but to another question, of another action, or from another deployment.
  const other = request().id;
  expect(readAnswer('advance', id, { ...input, have: 1 }, genuine, TRUST)).toBeUndefined();
  expect(readAnswer('advance', other, input, genuine, TRUST)).toBeUndefined();
  expect(readAnswer('close', id, input, genuine, TRUST)).toBeUndefined();
  expect(readAnswer('advance', id, input, EXECUTOR.sign('answer', { ...answer, deployment: 'acme-prod' }), TRUST)).toBeUndefined();
  expect(readAnswer('advance', id, input, EXECUTOR.sign('entry', answer), TRUST)).toBeUndefined();
});
