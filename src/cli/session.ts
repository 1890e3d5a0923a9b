import type { Terminal } from './terminal.js';
import type { Workspace } from './workspace.js';

/** Options every command takes. */
export interface Globals {
  /** The folder to work in. */
  readonly dir: string;
  /** The API; left out: `KEYTURN_URL`, else the folder's configuration. */
  readonly url?: string | undefined;
  readonly json: boolean;
}

/** One call of the command line: where it runs, what it was given, what it has read so far. */
export class Session {
  private opened: Promise<Workspace> | undefined;

  constructor(
    readonly terminal: Terminal,
    readonly globals: Globals,
    readonly env: NodeJS.ProcessEnv = process.env,
    /** In ms. */
    readonly now: () => number = Date.now,
  ) {}

  /** The folder's configuration and roster, read once. Throws on an invalid file. */
  workspace(): Promise<Workspace> {
    this.opened ??= import('./workspace.js').then(({ openWorkspace }) => openWorkspace(this.globals.dir));
    return this.opened;
  }

  /** The answer: one JSON line with `--json`, else the lines. */
  answer(value: unknown, lines: readonly string[]): void {
    if (this.globals.json) this.terminal.out(JSON.stringify(value));
    else for (const line of lines) this.terminal.out(line);
  }

  /** A hint for people; machines are not bothered. */
  hint(line: string): void {
    if (!this.globals.json) this.terminal.err(line);
  }
}
