import { beforeAll, describe, expect, test } from '@jest/globals';
import { playCrew, type CrewReport } from './crew.js';

const TIMEOUT_MS = 300_000;
const PLAN = { members: 3, actions: 36, atOnce: 6, kills: 4, everyMs: 2_500 };

describe('three executors on one PostgreSQL ledger, killed by SIGKILL while they work', () => {
  let report: CrewReport;
  beforeAll(async () => {
    report = await playCrew(PLAN);
  }, TIMEOUT_MS);

  test('every action ends as it must, and the bank has each effect once', () => {
    expect(report.wrong).toEqual([]);
    expect(report.actions).toBe(PLAN.actions);
    expect(report.kills).toBeGreaterThan(0);
  });

  test('they share the work', () => {
    expect(report.answeredBy).toHaveLength(PLAN.members);
    for (const answered of report.answeredBy) expect(answered).toBeGreaterThan(0);
  });
});
