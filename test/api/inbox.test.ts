import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TypedSearchAttributes } from '@temporalio/common';
import { actionListSchema } from '../../src/domain/http.js';
import { attributes } from '../../src/temporal/attributes.js';
import { WORKFLOW_TYPES } from '../../src/temporal/names.js';
import { Desk, refusalOf } from './desk.js';

const LETTERS = '0123456789abcdefghjkmnpqrstvwxyz';
const SOON = Date.UTC(2099, 0, 1);
const AT_ONCE = 20;
const TIMEOUT_MS = 180_000;

interface Waiting {
  readonly id: string;
  readonly deadline: number | undefined;
}

/** Spread over a day, in both orders; many of one moment; times that end in zeros; overdue ones; and some without any. */
const deadlineOf = (i: number): number | undefined => {
  if (i % 13 === 0) return undefined;
  if (i % 7 === 0) return SOON + 3_600_000;
  if (i % 11 === 0) return SOON + (i % 110) * 100;
  if (i % 17 === 0) return Date.UTC(2020, 0, 1) + i;
  return SOON + ((i * 7_919) % 86_400) * 1_000 + (i % 2);
};
const idOf = (i: number): string =>
  `act_${Array.from({ length: 26 }, (_, n) => LETTERS[(i * 31 + n * n * 7 + Math.floor(i / 32) * (n + 1)) % 32] ?? '0').join('')}`;
const WAITING: readonly Waiting[] = Array.from({ length: 900 }, (_, i) => ({ id: idOf(i), deadline: deadlineOf(i) }));

interface Shown {
  readonly id: string;
  readonly deadline: string | null;
}
const shown = ({ id, deadline }: Waiting): Shown => ({ id, deadline: deadline === undefined ? null : new Date(deadline).toISOString() });
const nearer = (a: Waiting, b: Waiting): number =>
  a.deadline === b.deadline ? (a.id < b.id ? -1 : 1) : (a.deadline ?? Infinity) - (b.deadline ?? Infinity);

describe('an inbox of more than a page', () => {
  let desk: Desk;
  const start = ({ id, deadline }: Waiting): Promise<unknown> =>
    desk.rig.client.workflow.start(WORKFLOW_TYPES.agentAction, {
      workflowId: id,
      taskQueue: 'nobody',
      typedSearchAttributes: new TypedSearchAttributes([
        { key: attributes.status, value: 'awaiting_approval' },
        { key: attributes.awaiting, value: ['ana', 'ben'] },
        ...(deadline === undefined ? [] : [{ key: attributes.deadline, value: new Date(deadline) }]),
      ]),
    });
  const counted = async (wanted: number): Promise<void> => {
    const { workflowService, options } = desk.rig.client;
    const query = `WorkflowType = '${WORKFLOW_TYPES.agentAction}' AND ExecutionStatus = 'Running'`;
    for (const end = Date.now() + TIMEOUT_MS; ; await new Promise((done) => setTimeout(done, 100))) {
      const { count } = await workflowService.countWorkflowExecutions({ namespace: options.namespace, query });
      if (Number(count) === wanted) return;
      if (Date.now() > end) throw new Error(`visibility never showed all ${wanted}`);
    }
  };
  beforeAll(async () => {
    desk = await Desk.open();
    const todo = [...WAITING];
    const startNext = async (): Promise<void> => {
      for (let next = todo.pop(); next !== undefined; next = todo.pop()) await start(next);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, startNext));
    await counted(WAITING.length);
  }, TIMEOUT_MS);
  afterAll(() => desk.stop(), TIMEOUT_MS);

  const pagesOfAna = async (): Promise<{ readonly seen: readonly Shown[]; readonly sizes: readonly number[] }> => {
    const seen: Shown[] = [];
    const sizes: number[] = [];
    for (let next: string | null = ''; next !== null;) {
      const answer = await desk.get('ana', next === '' ? '/v1/inbox' : `/v1/inbox?next=${next}`);
      const page: ReturnType<typeof actionListSchema.parse> = actionListSchema.parse(answer.body);
      seen.push(...page.actions.map(({ id, deadline }) => ({ id, deadline })));
      sizes.push(page.actions.length);
      next = page.next;
    }
    return { seen, sizes };
  };

  test(
    'its pages, one after the other, are all of it, nearest deadline first, none twice',
    async () => {
      expect(new Set(WAITING.map(({ id }) => id)).size).toBe(WAITING.length);
      const { seen, sizes } = await pagesOfAna();
      expect(seen).toEqual([...WAITING].sort(nearer).map(shown));
      expect(sizes).toEqual(Array.from({ length: WAITING.length / 50 }, () => 50));
    },
    TIMEOUT_MS,
  );

  test(
    'where its pages ended is remembered, and hides nothing of what came or went since',
    async () => {
      const sorted = [...WAITING].sort(nearer);
      // The nearest windows grow too thin, one in the middle too full.
      const gone = sorted.filter((_, i) => i < 140 && i % 3 !== 0);
      const middle = sorted[400]?.deadline ?? SOON;
      const come = Array.from({ length: 160 }, (_, i): Waiting => ({
        id: `act_${String(i).padStart(26, '0')}`,
        deadline: middle + (i % 50),
      }));
      for (const { id } of gone) await desk.rig.client.workflow.getHandle(id).terminate('gone');
      for (const each of come) await start(each);
      await counted(WAITING.length - gone.length + come.length);
      const { seen, sizes } = await pagesOfAna();
      const left = [...WAITING.filter((each) => !gone.includes(each)), ...come].sort(nearer);
      expect(new Set(left.map(({ id }) => id)).size).toBe(left.length);
      expect(seen).toEqual(left.map(shown));
      expect(sizes.slice(0, -1).every((size) => size === 50)).toBe(true);
    },
    TIMEOUT_MS,
  );

  test('what waits for another is not in it, and a place that no page gave is refused', async () => {
    expect(actionListSchema.parse((await desk.get('cleo', '/v1/inbox')).body)).toEqual({ actions: [], next: null });
    for (const next of ['1', '1.act_1', `x.${idOf(1)}`, `9999999999999999.${idOf(1)}`, `-99999999999999.${idOf(1)}`, `1.${idOf(1)}x`])
      expect(refusalOf(await desk.get('ana', `/v1/inbox?next=${next}`))).toBe('400 request_invalid');
  });
});
