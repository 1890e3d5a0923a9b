import { digestOfSigned, readPayload, signedSchema, verifySigned, type Signed } from '../../../src/domain/dsse.js';
import { parseStrict } from '../../../src/domain/json.js';
import { entrySchema, type Entry } from '../../../src/domain/objects/entry.js';
import type { Database } from '../../../src/executor/ledger/database.js';
import type { FakeBank } from '../../helpers/fake-bank.js';
import { EXECUTOR } from '../../helpers/signers.js';
import { AHEAD, countable, must, newAction, rejecting, type Action, type Said, type Seal } from './account.js';
import { compareBank, compareEnd } from './bank-account.js';
import { asked, fills, keyWorks, POLICIES, ROSTERS, type NaivePolicy, type NaiveRoster } from './settings.js';

/**
 * What must hold, in the plainest terms, of whatever the ledger says and the bank did (§2). It reads the entries in order and keeps its own account;
 * it uses neither the evaluator nor the saga of src/domain. Throws on the first thing that must not be.
 */
export class NaiveModel {
  readonly said = new Map<string, Said>();
  /** Whose modify set a sum; every modify sets another one. */
  readonly editorOf = new Map<number, string>();
  /** Approvals shown to the executor by the calls now under way, by action. */
  readonly shown = new Map<string, Set<string>>();
  /** What was brought to `lodge` by the calls now under way: of which action, with how many seals, and when. */
  readonly delivered: { readonly id: string; readonly digest: string; readonly seals: number; readonly now: number }[] = [];
  /** Who thawed which freeze, by the digest of the thaw. */
  readonly thawOf = new Map<string, { readonly person: string; readonly freeze: string }>();
  policy = POLICIES[0] as NaivePolicy;
  roster = ROSTERS[0] as NaiveRoster;
  typeVersion = '1';
  readonly actions = new Map<string, Action>();
  private readonly freezes = new Map<string, Set<string>>();
  /** When actions nobody was asked for began. */
  private readonly ranAllowed: number[] = [];
  private seen = 0;
  private head: string | null = null;

  constructor(
    private readonly database: Database,
    private readonly bank: FakeBank,
    private readonly sealOf: (digest: string) => Promise<{ readonly cents: number; readonly type: string; readonly allowed: boolean }>,
  ) {}

  /** Reads what was written since, and compares the bank with it. */
  async check(): Promise<void> {
    const rows = await this.database.transaction((sql) =>
      sql.all('SELECT seq, digest, signed FROM entry WHERE seq > ? ORDER BY seq', this.seen),
    );
    for (const row of rows) {
      const signed = signedSchema.parse(parseStrict(String(row['signed'])));
      await this.chain(signed, Number(row['seq']));
    }
    compareBank(this.actions, this.bank);
    this.compareDelivered();
    this.shown.clear();
    this.delivered.splice(0);
  }

  /** An honest rejection that reached the ledger's door while the action was open is on record (§2). */
  private compareDelivered(): void {
    for (const { id, digest, seals, now } of this.delivered) {
      const [action, said] = [this.actions.get(id), this.said.get(digest)];
      const seal = action?.seals.at(-1);
      if (action === undefined || seal === undefined || seal.allowed || said === undefined || !said.honest || said.verdict !== 'reject')
        continue;
      if (action.end !== undefined || action.consumed !== undefined || action.seals.length !== seals || said.at > now + AHEAD) continue;
      const isAsked = seal.policy.stages.some((stage) =>
        asked(stage, seal.roster, seal.sealedAt, said.at - action.openedAt).has(said.person),
      );
      if (said.person === 'dana' || !isAsked || !keyWorks(seal.roster, said.person, said.at) || !keyWorks(seal.roster, said.person, now))
        continue;
      must(action.noes.has(digest), `a rejection by ${said.person} was turned away`);
    }
  }

  private async chain(signed: Signed, seq: number): Promise<void> {
    const entry = entrySchema.parse(readPayload('entry', signed));
    must(verifySigned('entry', signed, EXECUTOR.key), 'an entry the executor did not sign');
    must(entry.seq === seq && seq === this.seen + 1 && entry.prev === this.head, 'the chain of the ledger is broken');
    this.seen = seq;
    this.head = digestOfSigned(signed);
    await this.tell(entry);
  }

  private async tell(entry: Entry): Promise<void> {
    const action = entry.actionId === null ? undefined : this.actions.get(entry.actionId);
    must(action?.end === undefined, `${entry.kind} after the end`);
    switch (entry.kind) {
      case 'sealed':
        return this.sealed(entry);
      case 'lodged':
        return this.lodged(entry);
      case 'executing':
        return this.executing(entry);
      case 'step_started':
        return this.stepStarted(entry);
      case 'denied':
      case 'closed':
      case 'ended':
        return this.ended(entry);
      case 'stale':
        must(
          action !== undefined && action.consumed === undefined && action.seals.at(-1)?.digest === entry.digest,
          'stale where nothing was sealed',
        );
        return;
      case 'resolved':
        return this.step(
          entry.actionId,
          entry.step,
          entry.verdict === 'did_not' ? 'not_started' : entry.verdict === 'happened' ? 'done' : 'undone',
        );
      case 'undo_started':
        must(this.stepState(entry.actionId, entry.step) === 'done', 'an undo without its step done');
        this.ofAction(entry.actionId).undone.add(entry.key);
        return;
      case 'undo_done':
        return this.step(entry.actionId, entry.step, 'undone');
      case 'reviewed':
        // No rule of this model is a break-glass rule.
        return must(false, 'a post-review that nobody owed');
      case 'undo_failed':
      case 'undo_unknown':
        return;
      case 'restored':
        return must(false, 'nobody restored this ledger');
      case 'step_done':
      case 'step_failed':
      case 'step_not_started':
      case 'step_unknown':
        must(this.stepState(entry.actionId, entry.step) === 'started', `${entry.kind} of a step that was not under way`);
        return this.step(entry.actionId, entry.step, entry.kind.slice('step_'.length));
    }
  }

  private async sealed(entry: Of<'sealed'>): Promise<void> {
    const at = Date.parse(entry.at);
    const old = this.actions.get(entry.actionId);
    must(old === undefined || old.consumed === undefined, 'sealed after it was consumed');
    const action = old ?? newAction(entry.actionId, at);
    this.actions.set(entry.actionId, action);
    const { cents, type, allowed } = await this.sealOf(entry.digest);
    if (entry.cause === 'modify') {
      const editor = this.editorOf.get(cents);
      must(editor !== undefined, 'a modify nobody made');
      action.editors.add(editor);
    }
    must(this.policy.stages.length > 0, 'sealed under a policy that denies');
    const { policy, roster, typeVersion } = this;
    if (allowed) must(type === 'payments.transfer' && this.fitsBudget(at), 'let run what the policy does not, or more than its budget');
    const before = action.seals.at(-1);
    const bound = before === undefined || before.allowed ? Infinity : before.approveBy;
    const within = allowed ? (policy.allows?.executeWithin ?? 0) : policy.approveWithin;
    const approveBy = Math.min(bound, action.openedAt + within);
    action.seals.push({
      digest: entry.digest,
      policy,
      roster,
      sealedAt: at,
      approveBy,
      cents,
      bankVersion: this.bank.version,
      typeVersion,
      allowed,
    });
  }

  private lodged(entry: Of<'lodged'>): void {
    const action = entry.actionId === null ? undefined : this.ofAction(entry.actionId);
    if (entry.object === 'cancel') {
      if (action !== undefined) action.cancelled = true;
      return;
    }
    const digest = String(entry.digest);
    if (entry.object === 'freeze') return void this.freezes.set(digest, new Set());
    if (entry.object === 'thaw') {
      const thaw = this.thawOf.get(digest);
      must(thaw !== undefined, 'a thaw nobody signed');
      return void this.freezes.get(thaw.freeze)?.add(thaw.person);
    }
    const said = this.said.get(digest);
    must(
      said !== undefined && said.honest && said.verdict === entry.object && action !== undefined,
      `a ${entry.object} nobody made is on record`,
    );
    must(action.consumed === undefined, `a ${entry.object} on record after execution began`);
    if (said.verdict === 'reject') action.noes.set(digest, said.person);
    else action.takenBack.add(`${said.person} ${String(said.takesBack)}`);
  }

  get isFrozen(): boolean {
    return [...this.freezes.values()].some((thawedBy) => thawedBy.size < 2);
  }

  /** The heart of it: enough distinct, eligible people agreed to exactly this, in time, and nothing stands against it. */
  private executing(entry: Of<'executing'>): void {
    const action = this.ofAction(entry.actionId);
    const now = Date.parse(entry.at);
    const seal = action.seals.at(-1);
    must(action.consumed === undefined, 'consumed twice');
    must(seal !== undefined && seal.digest === entry.digest, 'consumed on another revision than the newest');
    must(!action.cancelled && !this.isFrozen, 'consumed although cancelled or frozen');
    must(
      seal.typeVersion === this.typeVersion && seal.bankVersion === this.bank.version,
      'consumed although the type or the target changed',
    );
    must(rejecting(action) < Math.min(seal.policy.rejections, this.policy.rejections), 'consumed over a standing rejection');

    if (seal.allowed) return this.executingAllowed(action, seal, entry, now);
    const votes = this.count(action, seal, entry.decisions, now);
    must(votes.length === entry.decisions.length, 'counted a decision that is none');
    must(new Set(votes.map(({ person }) => person)).size === votes.length, 'counted one person twice');
    const { openedAt } = action;
    const bySeal = (stage: Parameters<typeof asked>[0], person: string, at: number): boolean =>
      asked(stage, seal.roster, seal.sealedAt, at - openedAt).has(person);
    must(fills(seal.policy.stages, votes, bySeal), 'consumed without the sealed quorum');

    const present = this.count(action, seal, [...(this.shown.get(entry.actionId) ?? [])], now).filter(
      ({ at }) => at < openedAt + this.policy.approveWithin,
    );
    const byPresent = (stage: Parameters<typeof asked>[0], person: string, at: number): boolean =>
      asked(stage, this.roster, now, at - openedAt).has(person);
    must(fills(this.policy.stages, present, byPresent), 'consumed without the present quorum');
    const newest = Math.max(...votes.map(({ at }) => at));
    must(now < newest + seal.policy.executeWithin, 'consumed after the time to start');
    action.consumed = seal;
  }

  /** Nobody was asked: only while the present policy says so too, soon after the seal, and within its budget. */
  private executingAllowed(action: Action, seal: Seal, entry: Of<'executing'>, now: number): void {
    must(entry.decisions.length === 0, 'counted votes of people nobody asked');
    must(this.fitsBudget(now), 'ran without people although the present policy asks them, or over its budget');
    must(now < seal.sealedAt + (seal.policy.allows?.executeWithin ?? 0), 'consumed after the time to start');
    this.ranAllowed.push(now);
    action.consumed = seal;
  }

  private fitsBudget(now: number): boolean {
    const { allows } = this.policy;
    return allows !== undefined && this.ranAllowed.filter((at) => at > now - allows.within).length < allows.limit;
  }

  private count(action: Action, seal: Seal, digests: readonly string[], now: number): Said[] {
    const said = digests.map((digest) => [digest, this.said.get(digest)] as const);
    return countable(action, seal, said, this.roster, now);
  }

  private stepStarted(entry: Of<'step_started'>): void {
    const action = this.ofAction(entry.actionId);
    must(action.consumed !== undefined, 'a step before the consumption');
    const before = this.stepState(entry.actionId, entry.step);
    must(before === (entry.attempt === 1 ? undefined : 'not_started'), 'a step started that may have happened already');
    must(entry.step === 1 || this.stepState(entry.actionId, entry.step - 1) === 'done', 'a step started before the one before it was done');
    must(!action.cancelled && !this.isFrozen, 'a step started although cancelled or frozen');
    must(!action.keys.has(entry.key), 'an idempotency key used twice');
    action.keys.add(entry.key);
    action.steps.set(entry.step, { key: entry.key, state: 'started' });
  }

  private ended(entry: Of<'denied' | 'closed' | 'ended'>): void {
    const now = Date.parse(entry.at);
    const action = this.actions.get(entry.actionId) ?? newAction(entry.actionId, now);
    this.actions.set(entry.actionId, action);
    action.end = entry.status;
    const seal = action.seals.at(-1);
    if (entry.kind !== 'ended') must(action.consumed === undefined, `${entry.status} after it was consumed`);
    if (entry.status === 'expired') must(seal !== undefined && now >= seal.approveBy, 'expired before its time');
    if (entry.status === 'rejected')
      must(seal !== undefined && rejecting(action) >= Math.min(seal.policy.rejections, this.policy.rejections), 'rejected by too few');
    compareEnd(action, this.bank);
  }

  private ofAction(id: string): Action {
    const action = this.actions.get(id);
    must(action !== undefined, `${id} was never sealed`);
    return action;
  }
  private stepState(id: string, n: number): string | undefined {
    return this.ofAction(id).steps.get(n)?.state;
  }
  private step(id: string, n: number, state: string): void {
    const step = this.ofAction(id).steps.get(n);
    must(step !== undefined, `step ${n} never began`);
    step.state = state;
  }
}

type Of<K extends Entry['kind']> = Extract<Entry, { kind: K }>;
