import { describe, expect, test } from '@jest/globals';
import { utf8 } from '../../src/domain/bytes.js';
import { sha256 } from '../../src/domain/hash.js';
import { personIdSchema } from '../../src/domain/ids.js';
import { stageSchema, type Stage } from '../../src/domain/objects/envelope.js';
import { assign, filledAt, filledByStage, quorumReached, seatMost, type Seat } from '../../src/domain/quorum.js';
import { HOUR, OPENED } from '../helpers/hand-made.js';

const stage = (from: readonly string[], quorum: number, escalate: readonly object[] = []): Stage =>
  stageSchema.parse({ name: 'stage', from, quorum, remind: [], escalate });
const seat = (person: string, at: number, independent = true): Seat => ({
  person: personIdSchema.parse(person),
  digest: sha256(utf8(`${person} ${at}`)),
  issuedAt: OPENED + at,
  independent,
});

describe('§6.3, §6.8 the seats themselves', () => {
  test('a person who sits moves to let another in; nobody sits twice; a place nobody fits stays free', () => {
    const fits = (person: string, place: number): boolean => (person === 'ana' ? place < 2 : person === 'ben' && place === 0);
    expect(seatMost(['ana', 'ben'], [1, 1], fits)).toEqual(['ben', 'ana']);
    expect(seatMost(['ben', 'zoe'], [1, 1, 1], fits)).toEqual(['ben', undefined, undefined]);
    expect(seatMost(['ana'], [2], fits)).toEqual(['ana', undefined]);
  });
  test('those who meet the demand are seated first, the others in their order', () => {
    const demand = (need: number) => ({ need, meets: (person: string) => person === 'cleo' });
    const all = (): boolean => true;
    expect(assign(['ana', 'cleo', 'ben'], [2], all, demand(0))).toEqual(new Set(['ana', 'cleo']));
    expect(assign(['ana', 'ben', 'cleo'], [2], all, demand(0))).toEqual(new Set(['ana', 'ben']));
    expect(assign(['ana', 'ben', 'cleo'], [2], all, demand(1))).toEqual(new Set(['cleo', 'ana']));
    expect(assign(['ana', 'ben', 'cleo'], [2], all, demand(2))).toBeUndefined();
  });
});

describe('§6.7, §6.11 the moment the rule is met', () => {
  test('of two votes of the same millisecond the lower digest counts, whichever came first', () => {
    const [low, high] = [seat('ana', 1), seat('ben', 1)].sort((a, b) => (a.digest < b.digest ? -1 : 1));
    if (low === undefined || high === undefined) throw new Error('two seats');
    for (const seats of [
      [low, high],
      [high, low],
    ])
      expect(quorumReached([stage(['ana', 'ben'], 1)], OPENED, seats, 0)).toEqual({ at: OPENED + 1, counted: [low] });
  });
  test('the earliest that fill it count, whatever the order of arrival; later ones change neither the moment nor who', () => {
    const seats = [seat('cleo', 3), seat('ana', 1), seat('ben', 2)];
    expect(quorumReached([stage(['ana', 'ben', 'cleo'], 2)], OPENED, seats, 0)).toEqual({
      at: OPENED + 2,
      counted: [seat('ana', 1), seat('ben', 2)],
    });
  });
});

describe('what people are shown, stage by stage', () => {
  const stages = [stage(['ana'], 1), stage(['ben', 'cleo'], 2)];
  test('each stage has its own places', () => {
    expect(filledByStage(stages, OPENED, [seat('ben', 1)], 0, OPENED + 2)).toEqual([
      { have: 0, need: 1 },
      { have: 1, need: 2 },
    ]);
    expect(filledByStage(stages, OPENED, [seat('cleo', 1), seat('ana', 2), seat('ben', 3)], 0, OPENED + 4)).toEqual([
      { have: 1, need: 1 },
      { have: 2, need: 2 },
    ]);
  });
  test('a place kept for an independent vote stays free, and is the last to be', () => {
    const others = [seat('ana', 1, false), seat('ben', 2, false), seat('cleo', 3, false)];
    expect(filledByStage(stages, OPENED, others, 1, OPENED + 4)).toEqual([
      { have: 1, need: 1 },
      { have: 1, need: 2 },
    ]);
    expect(filledAt(stages, OPENED, others, 3, OPENED + 4)).toEqual({ have: 0, need: 3 });
    expect(filledAt(stages, OPENED, others, 4, OPENED + 4)).toEqual({ have: 0, need: 3 });
    expect(filledAt(stages, OPENED, [...others.slice(0, 2), seat('cleo', 3)], 1, OPENED + 4)).toEqual({ have: 3, need: 3 });
  });
  test('a vote sits at a stage that asked for it by its own time; the places are those of now', () => {
    const escalated = [stage(['ana'], 1, [{ after: HOUR, to: ['eva'], quorum: 2 }])];
    expect(filledByStage(escalated, OPENED, [seat('eva', HOUR - 1)], 0, OPENED + HOUR)).toEqual([{ have: 0, need: 2 }]);
    expect(filledByStage(escalated, OPENED, [seat('eva', HOUR)], 0, OPENED + HOUR)).toEqual([{ have: 1, need: 2 }]);
    expect(filledByStage(escalated, OPENED, [], 0, OPENED + HOUR - 1)).toEqual([{ have: 0, need: 1 }]);
  });
});
