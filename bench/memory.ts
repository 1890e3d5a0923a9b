import { readFileSync } from 'node:fs';
import { at, round } from './numbers.js';

const KIB = 1_024;
const EVERY_MS = 500;

/** Resident memory of a process in MiB, from the process table of Linux; elsewhere undefined. */
export function residentMib(pid: number): number | undefined {
  if (process.platform !== 'linux') return undefined;
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return kib === undefined ? undefined : Number(kib) / KIB;
}

/** Looks at a process's memory while the number of actions it has been given rises. */
export class MemoryMeter {
  private readonly seen: { readonly given: number; readonly mib: number }[] = [];
  private readonly timer;

  constructor(
    private readonly pid: number,
    private readonly given: () => number,
  ) {
    this.timer = setInterval(() => this.look(), EVERY_MS);
  }

  /** Ends the looking. The figures of the second quarter of what was given, and of the last: memory that is bounded is flat from one to the other. */
  end(): { readonly samples: number; readonly secondQuarterMib: number; readonly lastQuarterMib: number; readonly growth: number } {
    clearInterval(this.timer);
    this.look();
    const all = this.given();
    const between = (from: number, to: number): number =>
      at(
        this.seen.filter(({ given }) => given >= from * all && given <= to * all).map(({ mib }) => mib),
        0.5,
      );
    const [before, after] = [between(0.25, 0.5), between(0.75, 1)];
    return {
      samples: this.seen.length,
      secondQuarterMib: round(before, 0),
      lastQuarterMib: round(after, 0),
      growth: round(after / before),
    };
  }

  private look(): void {
    const mib = residentMib(this.pid);
    if (mib !== undefined) this.seen.push({ given: this.given(), mib });
  }
}
