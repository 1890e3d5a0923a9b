import type { ErrorCode } from './codes.js';

/** One thing wrong in a file: where, what is wrong, and what to write instead. */
export interface Problem {
  readonly code: ErrorCode;
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly text: string;
  readonly write: string;
}

/** `policy.yaml:12: quorum 3 is more than the 2 people … Write: quorum: 2` */
export function problemText(problem: Problem): string {
  const end = /[.?!]$/.test(problem.text) ? '' : '.';
  return `${problem.file}:${problem.line}: ${problem.text}${end} Write: ${problem.write}`;
}

/** A file that must not be used: nothing starts, or nothing runs, until it is mended (§9). */
export class FileRefused extends Error {
  override readonly name = 'FileRefused';
  constructor(readonly problems: readonly Problem[]) {
    super(problems.map(problemText).join('\n'));
  }
}

export type Path = readonly (string | number)[];
export interface Position {
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
}
/** Where a path stands in the file; for what is missing, where it should stand. */
export type Locate = (path: Path) => Position;

/** Collects what is wrong in one file, to be told all at once and from top to bottom. */
export class Findings {
  private readonly found: Problem[] = [];
  constructor(
    private readonly file: string,
    private readonly code: ErrorCode,
    private readonly at: Locate,
  ) {}

  add(path: Path, text: string, write: string, code: ErrorCode = this.code): void {
    this.found.push({ code, file: this.file, line: this.at(path).line, text, write });
  }

  get problems(): Problem[] {
    return [...this.found].sort((a, b) => a.line - b.line);
  }
}
