import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Problem } from '../domain/problem.js';
import { FileRefused, problemText } from '../domain/problem.js';
import { failedTests, lintPolicy } from '../domain/policy/lint.js';
import { parsePolicy } from '../domain/policy/parse.js';
import type { Policy } from '../domain/policy/schema.js';
import { parseRoster, type Roster } from '../domain/roster.js';

/** Reads roster.yaml. Throws `FileRefused` with file, line and what to write. */
export async function readRoster(path: string): Promise<Roster> {
  const parsed = parseRoster(await readText(path, 'roster_invalid'), path);
  if (!parsed.ok) throw new FileRefused(parsed.problems);
  return parsed.roster;
}

/**
 * Reads policy.yaml against a roster: a rule nobody can meet, or a test of its own that fails, is an error here, not a surprise later. `now` in ms;
 * `untested` leaves its tests to the caller.
 */
export async function readPolicy(path: string, roster: Roster, now: number, { untested = false } = {}): Promise<Policy> {
  const parsed = parsePolicy(await readText(path, 'policy_invalid'), path);
  if (!parsed.ok) throw new FileRefused(parsed.problems);
  const problems = [...lintPolicy(parsed.policy, roster, path, now), ...(untested ? [] : failedTests(parsed.policy, roster, path, now))];
  if (problems.length > 0) throw new FileRefused(problems);
  return parsed.policy;
}

async function readText(path: string, code: Problem['code']): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new FileRefused([
      {
        code,
        file: path,
        line: 1,
        text: `cannot be read: ${error instanceof Error ? error.message : String(error)}`,
        write: 'the file, or point to it',
      },
    ]);
  }
}

/** A file read again when it changes: by its times and size, asked at most once in `patienceMs`. */
export class Watched<T> {
  private stamp = '';
  private asking: Promise<typeof this.value> | undefined;
  private askedAt = Number.NEGATIVE_INFINITY;
  private value: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly text: string } = {
    ok: false,
    text: 'not read yet',
  };

  constructor(
    private readonly paths: readonly string[],
    private readonly read: () => Promise<T>,
    private readonly patienceMs = 200,
  ) {}

  /** The content as it stands, or why it cannot be used: never an older content that was good. */
  current(): Promise<typeof this.value> {
    const now = performance.now();
    if (this.asking !== undefined && now - this.askedAt < this.patienceMs) return this.asking;
    this.askedAt = now;
    // Whoever asks while it is being read waits for the same answer.
    this.asking = this.look();
    return this.asking;
  }

  private async look(): Promise<typeof this.value> {
    const stamp = this.stampNow();
    if (stamp === this.stamp) return this.value;
    try {
      this.value = { ok: true, value: await this.read() };
    } catch (error) {
      this.value = { ok: false, text: error instanceof FileRefused ? error.problems.map(problemText).join('\n') : String(error) };
    }
    this.stamp = stamp;
    return this.value;
  }

  /** Asked before each action: waiting for a thread to ask would take longer than asking. */
  private stampNow(): string {
    return this.paths.map(stampOf).join('|');
  }
}

function stampOf(path: string): string {
  try {
    const { mtimeMs, ctimeMs, size, ino } = statSync(path);
    return `${mtimeMs} ${ctimeMs} ${size} ${ino}`;
  } catch {
    // Why it cannot be read is said by whoever reads it next.
    return 'missing';
  }
}
