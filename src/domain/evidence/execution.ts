import { endOfUndo, inDoubt, resolveStep, toUndo, type StepRecord } from '../saga.js';
import type { Entry } from '../objects/entry.js';
import type { Envelope, UndoPlan } from '../objects/envelope.js';
import { demand } from './broken.js';

type Of<K extends Entry['kind']> = Extract<Entry, { kind: K }>;
type Recorded = StepRecord['steps'][number];
type Step = { -readonly [F in keyof Recorded]: Recorded[F] };
const OUTCOME = { step_done: 'done', step_not_started: 'not_started', step_failed: 'failed', step_unknown: 'unknown' } as const;
const UNDONE = { undo_done: 'done', undo_failed: 'failed', undo_unknown: 'unknown' } as const;

/**
 * An action from its consumption on, read back from its entries: steps in order, no undo without its step, no wrong ending (§5, §7).
 * What the ledger could not have written where it stands throws `Broken`.
 */
export class Execution {
  state: 'executing' | 'undoing' | 'unknown' | 'partial' = 'executing';
  private readonly steps: Step[] = [];
  private stopped: string | undefined;

  /** `at` is where it begins: "entry 2". */
  constructor(
    readonly envelope: Envelope,
    private at: string,
  ) {}

  tell(entry: Entry, at: string): void {
    this.at = at;
    switch (entry.kind) {
      case 'step_started':
        return this.started(entry);
      case 'step_done':
      case 'step_not_started':
      case 'step_failed':
      case 'step_unknown':
        return this.ranAs(entry);
      case 'undo_started':
        return this.undoStarted(entry);
      case 'undo_done':
      case 'undo_failed':
      case 'undo_unknown':
        return this.undoneAs(entry);
      case 'lodged':
        this.must(
          entry.object === 'cancel' && (entry.digest !== null || (entry.by === 'unsigned' && this.state === 'executing')),
          'too late to be lodged',
        );
        this.stopped = entry.by;
        return;
      case 'restored':
        return this.restored(entry);
      case 'resolved':
        return this.resolved(entry);
      case 'ended':
        return this.ended(entry);
      default:
        return this.must(false, 'the action had been consumed before it: it runs once');
    }
  }

  private must(holds: boolean, text: string): asserts holds {
    demand(holds, this.at, text);
  }

  private started(entry: Of<'step_started'>): void {
    const last = this.steps.at(-1);
    this.must(this.state === 'executing', 'no step starts now');
    const again = last?.run === 'not_started';
    const [step, attempt] = again ? [last.n, last.attempt + 1] : [(last?.n ?? 0) + 1, 1];
    this.must(
      (last === undefined || again || last.run === 'done') && entry.step === step && entry.attempt === attempt,
      'another step was due',
    );
    this.must(entry.key === `${entry.actionId}/${this.planned(step).step}/run/${attempt}`, "its idempotency key is not this step's");
    if (this.stopped !== undefined) this.must(false, `a cancel by ${this.stopped} was on record`);
    if (again) Object.assign(last, { run: 'started', attempt });
    else this.begin(step, attempt);
  }

  private begin(n: number, attempt: number): void {
    this.steps.push({ n, run: 'started', attempt, undo: 'pending' });
  }

  private ranAs(entry: Of<keyof typeof OUTCOME>): void {
    const last = this.steps.at(-1);
    const underWay = this.state === 'executing' && last?.run === 'started' && last.n === entry.step && last.attempt === entry.attempt;
    this.must(underWay, 'no such attempt of this step was under way');
    last.run = OUTCOME[entry.kind];
    if (entry.kind === 'step_failed') this.state = 'undoing';
    if (entry.kind === 'step_unknown') this.state = 'unknown';
  }

  /** A restore begins an epoch: what was sealed before it is in doubt, and nothing of it starts any more. */
  private restored(entry: Of<'restored'>): void {
    const { step, attempt } = inDoubt(this.record);
    this.must(this.state === 'executing' && entry.epoch > this.envelope.epoch, 'no restore put this in doubt');
    this.must(entry.step === step && entry.attempt === attempt, 'another step was in doubt');
    if (this.steps.at(-1)?.n !== step) this.begin(step, attempt);
    this.state = 'unknown';
  }

  private undoStarted(entry: Of<'undo_started'>): void {
    const step = this.undoing(entry.step);
    this.must(step.undo === 'pending' && this.isAutomatic(step.n), 'no automatic undo of this step was due');
    this.must(entry.key === `${entry.actionId}/${this.planned(step.n).step}/undo`, "its idempotency key is not this undo's");
    step.undo = 'started';
  }

  private undoneAs(entry: Of<keyof typeof UNDONE>): void {
    const step = this.undoing(entry.step);
    const byHand = entry.kind === 'undo_failed' && !this.isAutomatic(step.n);
    this.must(step.undo === 'started' || byHand, 'its undo had not started');
    step.undo = UNDONE[entry.kind];
    if (step.undo !== 'done') this.state = 'partial';
  }

  private undoing(n: number): Step {
    this.turnBack();
    const step = toUndo(this.steps);
    this.must(step?.n === n, 'this step was not the one to undo');
    return step;
  }

  /** Turning back writes no entry of its own: it follows a cancel, or a step that did not start in time. */
  private turnBack(): void {
    if (this.state === 'undoing') return;
    const last = this.steps.at(-1)?.run;
    const cause = last === 'not_started' || (last === 'done' && this.stopped !== undefined && !this.isWhole);
    this.must(this.state === 'executing' && cause, 'nothing was to be undone');
    this.state = 'undoing';
  }

  private resolved(entry: Of<'resolved'>): void {
    const next = resolveStep(this.record, entry.step, entry.verdict);
    demand(next !== undefined, this.at, `no step waited for a person to say "${entry.verdict}"`);
    const { people, quorum } = this.envelope.resolve;
    const by = new Set(entry.by);
    this.must(by.size >= quorum && [...by].every((person) => people.includes(person)), 'not by enough of the people the rule names');
    for (const step of this.steps.filter(({ n }) => n === entry.step)) Object.assign(step, { run: next.run, undo: next.undo });
    this.state = next.next;
  }

  private ended({ status, reason }: Of<'ended'>): void {
    if (status === 'succeeded') this.must(this.state === 'executing' && this.isWhole, 'not every step is done');
    else {
      this.turnBack();
      this.must(toUndo(this.steps) === undefined, 'a step that is done is not undone');
      const end = endOfUndo(
        this.steps.some((each) => each.run === 'done'),
        reason,
      );
      this.must(status === end, `what happened ends as ${end}`);
    }
  }

  private get plans(): readonly UndoPlan[] {
    return this.envelope.preview.undo.map(({ plan }) => plan);
  }
  private isAutomatic(n: number): boolean {
    return this.planned(n).plan.undo === 'automatic';
  }
  private get isWhole(): boolean {
    return this.steps.length === this.plans.length && this.steps.every((each) => each.run === 'done');
  }
  private get record(): StepRecord {
    return { state: this.state, steps: this.steps, plans: this.plans };
  }
  private planned(n: number): Envelope['preview']['undo'][number] {
    const planned = this.envelope.preview.undo[n - 1];
    this.must(planned !== undefined, 'the action has no such step');
    return planned;
  }
}
