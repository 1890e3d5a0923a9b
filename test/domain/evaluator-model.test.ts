import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { sha256 } from '../../src/domain/hash.js';
import { utf8 } from '../../src/domain/bytes.js';
import type { Digest } from '../../src/domain/ids.js';
import { personIdSchema, type PersonId } from '../../src/domain/ids.js';
import type { Stage } from '../../src/domain/objects/envelope.js';
import { quorumReached, satisfiable } from '../../src/domain/quorum.js';
import { progress, tally, type Ladder, type Vote } from '../../src/domain/tally.js';

/**
 * An independent, naive reading of §6.3, §6.5, §6.7, §6.8 and §6.11: no matching algorithm, no sorting, every assignment tried.
 * It shares no code with src/domain.
 */
const PEOPLE = ['ana', 'ben', 'cleo', 'dana', 'eva', 'finn'].map((name) => personIdSchema.parse(name));
const digest = (word: string): Digest => sha256(utf8(word));
const NEWEST = digest('newest');
const OLDER = digest('older');
const APPROVE_BY = 20;

interface Cast {
  readonly person: PersonId;
  readonly at: number;
  readonly independent: boolean;
}
/** May this person sit in this stage, having voted at this time? */
function mayFill(stage: Stage, { person, at }: Pick<Cast, 'person' | 'at'>): boolean {
  return stage.from.includes(person) || stage.escalate.some(({ after, to }) => after <= at && to.includes(person));
}
function needs(stage: Stage, at: number): number {
  let bar = stage.quorum;
  for (const tier of stage.escalate) if (tier.after <= at && (tier.quorum ?? 0) > bar) bar = tier.quorum ?? 0;
  return bar;
}
/** Every way to put each of the cast into one stage or none: the most places that are filled, none over its bar. */
function mostFilled(stages: readonly Stage[], bars: readonly number[], cast: readonly Cast[]): number {
  const [first, ...rest] = cast;
  if (first === undefined) return 0;
  let most = mostFilled(stages, bars, rest);
  for (const [i, stage] of stages.entries()) {
    const bar = bars[i] ?? 0;
    if (bar === 0 || !mayFill(stage, first)) continue;
    most = Math.max(
      most,
      1 +
        mostFilled(
          stages,
          bars.map((each, k) => (k === i ? each - 1 : each)),
          rest,
        ),
    );
  }
  return most;
}
const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
/** Every way to fill every place: the most independent seats of any; -1 where there is none. */
function mostIndependent(stages: readonly Stage[], bars: readonly number[], cast: readonly Cast[]): number {
  if (sum(bars) === 0) return 0;
  const [first, ...rest] = cast;
  if (first === undefined) return -1;
  let most = mostIndependent(stages, bars, rest);
  for (const [i, stage] of stages.entries()) {
    const bar = bars[i] ?? 0;
    if (bar === 0 || !mayFill(stage, first)) continue;
    const others = mostIndependent(
      stages,
      bars.map((each, k) => (k === i ? each - 1 : each)),
      rest,
    );
    if (others >= 0) most = Math.max(most, others + (first.independent ? 1 : 0));
  }
  return most;
}
const fills = (stages: readonly Stage[], bars: readonly number[], cast: readonly Cast[], independent: number): boolean =>
  sum(bars) > 0 && mostIndependent(stages, bars, cast) >= independent;
/** Every way to put each of the cast into one stage or none: the most places that help, when `kept` of all are for independent seats only. */
function mostUseful(stages: readonly Stage[], bars: readonly number[], cast: readonly Cast[], kept: number): number {
  const others = Math.max(0, sum(bars) - kept);
  const place = (open: readonly number[], [first, ...rest]: readonly Cast[], independents: number, plain: number): number => {
    let most = independents + Math.min(plain, others);
    if (first === undefined) return most;
    most = Math.max(most, place(open, rest, independents, plain));
    for (const [i, stage] of stages.entries()) {
      if ((open[i] ?? 0) === 0 || !mayFill(stage, first)) continue;
      const left = open.map((each, k) => (k === i ? each - 1 : each));
      most = Math.max(most, place(left, rest, independents + (first.independent ? 1 : 0), plain + (first.independent ? 0 : 1)));
    }
    return most;
  };
  return place(bars, cast, 0, 0);
}

interface Naive {
  readonly approving: readonly (Cast & { readonly digest: Digest })[];
  readonly noes: number;
  readonly metAt: number | undefined;
}
const authorIn = (vote: Vote): PersonId => vote.by ?? vote.person;
/** The most rejections of which no two have one author, and no two are said for one person. */
function mostNoes(votes: readonly Vote[]): number {
  const [first, ...rest] = votes;
  if (first === undefined) return 0;
  const without = rest.filter((vote) => vote.person !== first.person && authorIn(vote) !== authorIn(first));
  return Math.max(mostNoes(rest), 1 + mostNoes(without));
}
function naive({ stages, excluded, delegates, independent }: Ladder, votes: readonly Vote[]): Naive {
  const takenBack = (vote: Vote): boolean =>
    votes.some(
      (each) =>
        each.act.verdict === 'withdraw' &&
        each.act.withdraws === vote.digest &&
        (each.person === vote.person || each.person === authorIn(vote)),
    );
  const noes = votes.filter((vote) => vote.act.verdict === 'reject' && !takenBack(vote));
  const yeses = votes.filter(
    (vote) =>
      vote.act.verdict === 'approve' &&
      vote.envelope === NEWEST &&
      vote.issuedAt < APPROVE_BY &&
      !takenBack(vote) &&
      !excluded.has(vote.person) &&
      !excluded.has(authorIn(vote)) &&
      (vote.by === undefined || delegates?.has(vote.by) === true),
  );
  // Whoever decided for another, and that other, are one: until nothing more can be joined.
  let groups = PEOPLE.map((person) => new Set([person]));
  for (const vote of [...noes, ...yeses]) {
    const joined = groups.filter((group) => group.has(vote.person) || group.has(authorIn(vote)));
    groups = [...groups.filter((group) => !joined.includes(group)), new Set(joined.flatMap((group) => [...group]))];
  }
  const approving = groups
    .filter((group) => !noes.some((vote) => group.has(vote.person)))
    .flatMap((group) => {
      const theirs = yeses.filter((vote) => group.has(vote.person));
      const at = Math.min(...theirs.map((vote) => vote.issuedAt));
      const earliest = theirs.filter((vote) => vote.issuedAt === at).map((vote) => vote.digest);
      const [least] = [...earliest].sort();
      const stands = theirs.find((vote) => vote.digest === least);
      return stands === undefined ? [] : [{ person: stands.person, at, independent: stands.independent, digest: stands.digest }];
    });
  const moments = approving.map(({ at }) => at);
  const met = moments.filter((moment) =>
    fills(
      stages,
      stages.map((stage) => needs(stage, moment)),
      approving.filter(({ at }) => at <= moment),
      independent,
    ),
  );
  return { approving, noes: mostNoes(noes), metAt: met.length === 0 ? undefined : Math.min(...met) };
}

const circle = fc.subarray(PEOPLE);
/** Small ones more often, so that rules are met often enough to prove something. */
const quorum = fc.constantFrom(1, 1, 1, 2, 2, 3);
const tier = fc.record({
  after: fc.integer({ min: 1, max: 12 }),
  to: fc.subarray(PEOPLE, { minLength: 1 }),
  quorum: fc.option(quorum, { nil: undefined }),
});
const stage = fc.record({
  name: fc.constant('stage'),
  from: circle,
  quorum,
  remind: fc.constant<number[]>([]),
  escalate: fc.array(tier, { maxLength: 2 }),
});
const ladder: fc.Arbitrary<Ladder> = fc.record({
  stages: fc.array(stage, { minLength: 1, maxLength: 3 }),
  rejections: fc.integer({ min: 1, max: 3 }),
  excluded: fc.subarray(PEOPLE, { maxLength: 1 }).map((people) => new Set(people)),
  openedAt: fc.constant(0),
  delegates: fc.subarray(PEOPLE).map((people) => new Set(people)),
  approveBy: fc.constant(APPROVE_BY),
  executeWithin: fc.constant(5),
  independent: fc.constantFrom(0, 0, 1, 1, 2, 3),
});
/** Mostly approvals, some for somebody else; times collide, and some are too late; withdrawals name votes of whoever, also their own. */
const votes: fc.Arbitrary<Vote[]> = fc
  .array(
    fc.record({
      person: fc.constantFrom(...PEOPLE),
      issuedAt: fc.integer({ min: 0, max: APPROVE_BY + 2 }),
      envelope: fc.constantFrom(NEWEST, NEWEST, NEWEST, OLDER),
      verdict: fc.constantFrom('approve', 'approve', 'approve', 'approve', 'reject', 'withdraw'),
      target: fc.nat(),
      independent: fc.boolean(),
      by: fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.constantFrom(...PEOPLE) }),
    }),
    { minLength: 1, maxLength: 14, size: 'max' },
  )
  .map((drawn) => {
    const digests = drawn.map((each, i) => digest(`${i} ${each.person}`));
    return drawn.map(({ person, issuedAt, envelope, verdict, target, independent, by }, i): Vote => {
      const withdraws = digests[target % digests.length] ?? NEWEST;
      const act: Vote['act'] =
        verdict === 'approve' ? { verdict } : verdict === 'reject' ? { verdict, reason: 'No.' } : { verdict: 'withdraw', withdraws };
      const other = by === undefined || by === person || verdict === 'withdraw' ? {} : { by };
      return { digest: digests[i] ?? NEWEST, person, ...other, issuedAt, independent, envelope, act };
    });
  });

describe('the evaluator holds to a naive model', () => {
  test('the same verdict, the same moment, and a counted set that does fill the rule', () => {
    let met = 0;
    let withDemand = 0;
    fc.assert(
      fc.property(ladder, votes, (rule, cast) => {
        const result = tally(rule, NEWEST, cast);
        const model = naive(rule, cast);
        expect(result.quorum?.at).toBe(model.metAt);
        expect(result.approvals.map(({ person }) => person).sort()).toEqual(model.approving.map(({ person }) => person).sort());
        expect(result.rejections).toHaveLength(model.noes);
        expect(new Set(result.rejections.map(({ person }) => person)).size).toBe(model.noes);
        expect(new Set(result.rejections.map(authorIn)).size).toBe(model.noes);
        expect(result.rejected).toBe(model.noes >= rule.rejections);
        if (result.quorum === undefined || model.metAt === undefined) return;
        met++;
        const at = model.metAt;
        const counted = result.quorum.counted.map((each) => model.approving.find(({ digest: one }) => one === each));
        const seats = counted.flatMap((each) => each ?? []);
        const bars = rule.stages.map((each) => needs(each, at));
        expect(seats.length).toBe(sum(bars));
        expect(new Set(seats.map(({ person }) => person)).size).toBe(seats.length);
        expect(seats.every((seat) => seat.at <= at) && fills(rule.stages, bars, seats, rule.independent)).toBe(true);
        expect(seats.filter((seat) => seat.independent).length).toBeGreaterThanOrEqual(rule.independent);
        if (rule.independent > 0) withDemand++;
        expect(result.quorum.executeBy).toBe(Math.max(...seats.map((seat) => seat.at)) + rule.executeWithin);
      }),
      { numRuns: 3_000 },
    );
    expect(met).toBeGreaterThan(200);
    expect(withDemand).toBeGreaterThan(50);
  });

  test('neither order nor repetition changes anything (§6.11)', () => {
    const shuffled = votes.chain((cast) =>
      fc.tuple(
        fc.constant(cast),
        fc.shuffledSubarray(cast, { minLength: cast.length }),
        fc.subarray(cast).map((again) => [...again].reverse()),
      ),
    );
    fc.assert(
      fc.property(ladder, shuffled, (rule, [cast, other, again]) => {
        expect(tally(rule, NEWEST, [...other, ...again])).toEqual(tally(rule, NEWEST, cast));
      }),
      { numRuns: 1_000 },
    );
  });

  test('satisfiable: some set of people who count fills the highest bars, and then their votes do meet the rule', () => {
    const later = 15;
    fc.assert(
      fc.property(ladder, fc.subarray(PEOPLE), (rule, holders) => {
        const able = new Set(holders);
        const everybody = PEOPLE.filter((person) => !rule.excluded.has(person)).map((person) => ({
          person,
          at: later,
          independent: able.has(person),
        }));
        const expected = fills(
          rule.stages,
          rule.stages.map((each) => needs(each, later)),
          everybody,
          rule.independent,
        );
        // No tier has come yet, and all people of all tiers may vote all the same: then the lowest bars hold.
        const lowest = rule.stages.map((each) => each.quorum);
        const enoughEarly =
          mostFilled(
            rule.stages,
            lowest,
            everybody.filter(({ independent }) => independent),
          ) >= rule.independent;
        const demand = { need: rule.independent, meets: (person: PersonId) => able.has(person) };
        expect(satisfiable(rule.stages, rule.excluded, demand)).toBe(expected && enoughEarly);
        const seats = everybody.map(({ person, at, independent }) => ({ person, digest: digest(person), issuedAt: at, independent }));
        expect(quorumReached(rule.stages, 0, seats, rule.independent) !== undefined).toBe(expected);
      }),
      { numRuns: 2_000 },
    );
  });

  test('progress: as many places as can be filled', () => {
    fc.assert(
      fc.property(ladder, votes, fc.integer({ min: 0, max: APPROVE_BY }), (rule, cast, now) => {
        const result = tally(rule, NEWEST, cast);
        if (result.quorum !== undefined) return;
        const bars = rule.stages.map((each) => needs(each, now));
        const approving = naive(rule, cast).approving;
        expect(progress(rule, result, now)).toEqual({ have: mostUseful(rule.stages, bars, approving, rule.independent), need: sum(bars) });
      }),
      { numRuns: 1_000 },
    );
  });
});

/** The vote as its author's own. */
const own = (vote: Vote): Vote => {
  const { digest: id, person, issuedAt, independent, envelope, act } = vote;
  return { digest: id, person, issuedAt, independent, envelope, act };
};

describe('what must hold of any rule', () => {
  test('votes of people who may not, on something else, too late or withdrawn never help', () => {
    fc.assert(
      fc.property(ladder, votes, (rule, cast) => {
        const before = tally(rule, NEWEST, cast).quorum?.at;
        const useless = cast.flatMap((vote): Vote[] => [
          { ...vote, digest: digest(`late ${vote.digest}`), issuedAt: APPROVE_BY, act: { verdict: 'approve' } },
          { ...vote, digest: digest(`older ${vote.digest}`), envelope: OLDER, act: { verdict: 'approve' } },
          { ...own(vote), digest: digest(`stranger ${vote.digest}`), person: personIdSchema.parse('zoe'), act: { verdict: 'approve' } },
        ]);
        expect(tally(rule, NEWEST, [...useless, ...cast]).quorum?.at).toBe(before);
      }),
      { numRuns: 500 },
    );
  });

  test('one more approval never takes an agreement away; one more rejection never makes one', () => {
    fc.assert(
      fc.property(ladder, votes, fc.constantFrom(...PEOPLE), fc.nat({ max: APPROVE_BY }), (rule, cast, person, issuedAt) => {
        const more = (act: Vote['act']): boolean =>
          tally(rule, NEWEST, [...cast, { digest: digest('one more'), person, issuedAt, independent: false, envelope: NEWEST, act }])
            .quorum !== undefined;
        const before = tally(rule, NEWEST, cast).quorum !== undefined;
        const newcomer = cast.every((vote) => vote.person !== person && vote.by !== person);
        if (before && newcomer) expect(more({ verdict: 'approve' })).toBe(true);
        if (!before) expect(more({ verdict: 'reject', reason: 'No.' })).toBe(false);
      }),
      { numRuns: 1_000 },
    );
  });

  test('attack 73: passkey votes, however many, never stand for one that must be independent', () => {
    fc.assert(
      fc.property(ladder, votes, (rule, cast) => {
        const byWeb = cast.map((vote) => ({ ...vote, independent: false }));
        if (rule.independent > 0) expect(tally(rule, NEWEST, byWeb).quorum).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });

  test('attack: never more seats than distinct humans, however they decide for each other', () => {
    fc.assert(
      fc.property(ladder, votes, (rule, cast) => {
        const yeses = cast.filter((vote) => vote.act.verdict === 'approve');
        const humans = new Set(yeses.map(authorIn)).size;
        const seats = new Set(yeses.map((vote) => vote.person)).size;
        const result = tally(rule, NEWEST, cast);
        expect(result.approvals.length).toBeLessThanOrEqual(Math.min(humans, seats));
        if (Math.min(humans, seats) < sum(rule.stages.map((each) => each.quorum))) expect(result.quorum).toBeUndefined();
        // Nobody stands behind two seats, neither as who is asked nor as who decides.
        const behind = result.approvals.flatMap((vote) => [...new Set([vote.person, authorIn(vote)])]);
        expect(new Set(behind).size).toBe(behind.length);
      }),
      { numRuns: 2_000 },
    );
  });
});
