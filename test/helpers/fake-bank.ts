import { Failed, NotStarted } from '../../src/executor/define-action.js';
import type { ProbeAnswer } from '../../src/executor/define-action.js';

/** What a call does instead of just working. `lost_*`: the caller learns nothing, before or after the effect. */
export type RunScript = 'ok' | 'not_started' | 'failed' | 'lost_before' | 'lost_after' | 'hangs';
export type UndoScript = 'ok' | 'lost_before' | 'lost_after' | 'failed';
export type ProbeScript = 'honest' | 'throws' | 'unknown' | 'garbage';
/** An act as the bank saw it. */
export interface Act {
  readonly key: string;
  readonly step: string;
  readonly cents: number;
}

/**
 * A fake target, for tests only: idempotent by key, with a fence, and with failures by script. It holds its own truth (`done`, `undone`), which tests
 * compare with what the ledger says.
 */
export class FakeBank {
  /** Effects that took place and were not undone, by idempotency key. */
  readonly done = new Map<string, Act>();
  readonly undone = new Map<string, Act>();
  readonly fenced = new Set<string>();
  /** Every effect that ever took place, in order; nothing is taken from it. */
  readonly effects: Act[] = [];
  /** Every call, in order: `run key`, `undo key`, `probe key`, `preview`, `credentials`. */
  readonly calls: string[] = [];
  /** What the preview shows of the target: compared at check 12. */
  version = 1;
  previewFails: Error | undefined;
  credentialsFail: Error | undefined;
  /** What runs return; their key and cents unless set. */
  result: ((act: Act) => unknown) | undefined;
  private readonly runs: RunScript[] = [];
  private readonly undos: UndoScript[] = [];
  private readonly probes: ProbeScript[] = [];
  private readonly hanging: { readonly act: Act; readonly let: (go: boolean) => void }[] = [];

  /** Scripts for the next calls; when used up, everything works. */
  plan(scripts: {
    readonly run?: readonly RunScript[];
    readonly undo?: readonly UndoScript[];
    readonly probe?: readonly ProbeScript[];
  }): void {
    this.runs.push(...(scripts.run ?? []));
    this.undos.push(...(scripts.undo ?? []));
    this.probes.push(...(scripts.probe ?? []));
  }

  /** No more scripts: from now on everything works. */
  works(): void {
    for (const scripts of [this.runs, this.undos, this.probes]) scripts.splice(0);
    this.previewFails = undefined;
    this.credentialsFail = undefined;
  }
  /** What a person at the bank's own desk does: makes a key unusable, or takes its effect back. */
  fenceByHand(key: string): void {
    this.fenced.add(key);
  }
  undoByHand(key: string): void {
    const act = this.done.get(key);
    if (act === undefined) return;
    this.done.delete(key);
    this.undone.set(key, act);
  }

  async run(act: Act): Promise<unknown> {
    this.calls.push(`run ${act.key}`);
    switch (this.runs.shift() ?? 'ok') {
      case 'not_started':
        throw new NotStarted('bank_closed');
      case 'failed':
        throw new Failed('account_blocked');
      case 'lost_before':
        throw new Error('connection lost');
      case 'lost_after':
        this.takeEffect(act);
        throw new Error('connection lost');
      case 'hangs':
        if (!(await new Promise<boolean>((go) => this.hanging.push({ act, let: go })))) throw new Error('connection lost');
        return this.takeEffect(act);
      case 'ok':
        return this.takeEffect(act);
    }
  }

  /** Lets the oldest hanging run go on: to its effect, or to a lost connection. Returns whether there was one. */
  release(effect = true): boolean {
    const oldest = this.hanging.shift();
    oldest?.let(effect);
    return oldest !== undefined;
  }
  get hangingNow(): number {
    return this.hanging.length;
  }
  get isHanging(): boolean {
    return this.hanging.length > 0;
  }

  async undo(runKey: string, undoKey: string): Promise<void> {
    this.calls.push(`undo ${undoKey}`);
    const script = this.undos.shift() ?? 'ok';
    if (script === 'failed') throw new Failed('cannot_refund');
    if (script === 'lost_before') throw new Error('connection lost');
    this.undoByHand(runKey);
    if (script === 'lost_after') throw new Error('connection lost');
  }

  /** Says what became of a key; one that did nothing is made unusable. */
  async probe(key: string): Promise<ProbeAnswer> {
    this.calls.push(`probe ${key}`);
    switch (this.probes.shift() ?? 'honest') {
      case 'throws':
        throw new Error('bank does not answer');
      case 'unknown':
        return { outcome: 'unknown' };
      case 'garbage':
        return undefined as unknown as ProbeAnswer;
      case 'honest': {
        const act = this.done.get(key);
        if (act !== undefined) return { outcome: 'done', result: { key, cents: act.cents } };
        this.fenced.add(key);
        return { outcome: 'fenced' };
      }
    }
  }

  /** The steps now in effect for an action, in the order they took effect. */
  effectsOf(actionId: string): string[] {
    return [...this.done.values()].filter(({ key }) => key.startsWith(`${actionId}/`)).map(({ step }) => step);
  }
  callsOf(what: 'run' | 'undo' | 'probe'): string[] {
    return this.calls.filter((call) => call.startsWith(`${what} `)).map((call) => call.slice(what.length + 1));
  }

  private takeEffect(act: Act): unknown {
    if (this.fenced.has(act.key)) throw new Error('this key was fenced');
    if (!this.done.has(act.key) && !this.undone.has(act.key)) {
      this.done.set(act.key, act);
      this.effects.push(act);
    }
    return this.result === undefined ? { key: act.key, cents: act.cents } : this.result(act);
  }
}
