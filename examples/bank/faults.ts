import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultSettings } from './wire.js';

/** Trouble on order, for tests. Lives in memory: a restarted bank is healthy. */
export class Faults {
  private settings: FaultSettings = { delayMs: 0, dropAfterCommit: 0, failBefore: 0 };

  set(settings: FaultSettings): void {
    this.settings = { ...settings };
  }

  delay(): Promise<void> | undefined {
    return this.settings.delayMs === 0 ? undefined : sleep(this.settings.delayMs);
  }

  /** True for each of the next `failBefore` writes. */
  takeFailure(): boolean {
    return this.take('failBefore');
  }

  /** True for each of the next `dropAfterCommit` writes that committed. */
  takeDrop(): boolean {
    return this.take('dropAfterCommit');
  }

  private take(fault: 'failBefore' | 'dropAfterCommit'): boolean {
    if (this.settings[fault] === 0) return false;
    this.settings[fault] -= 1;
    return true;
  }
}
