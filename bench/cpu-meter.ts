import { readFileSync } from 'node:fs';

const TICK_MS = 10;

/** Processor time of parts, of a process or several each, while something runs, from the process table of Linux; elsewhere it stays empty. Informs, decides nothing. */
export class CpuMeter {
  private readonly spent = new Map<string, number>();

  constructor(private readonly pids: Readonly<Record<string, readonly number[]>>) {}

  async during<T>(work: () => Promise<T>): Promise<T> {
    const before = this.read();
    const result = await work();
    for (const [name, at] of this.read()) this.spent.set(name, (this.spent.get(name) ?? 0) + at - (before.get(name) ?? at));
    return result;
  }

  /** Milliseconds of processor time a part, divided by `count`. */
  per(count: number): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.spent].map(([name, ms]) => [name, Number((ms / count).toFixed(1))]));
  }

  private read(): Map<string, number> {
    if (process.platform !== 'linux') return new Map();
    return new Map(Object.entries(this.pids).map(([name, pids]) => [name, pids.reduce((sum, pid) => sum + spentBy(pid), 0)]));
  }
}

function spentBy(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [user = 0, system = 0] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number);
  return (user + system) * TICK_MS;
}
