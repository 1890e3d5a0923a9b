import type { Terminal } from '../../src/cli/terminal.js';

/** A terminal in memory: what was written, and what the person will type. */
export class FakeTerminal implements Terminal {
  readonly color = false;
  readonly width = 80;
  readonly lines: string[] = [];
  readonly errors: string[] = [];
  readonly asked: string[] = [];
  constructor(
    readonly interactive = false,
    private readonly typed: readonly string[] = [],
  ) {}

  out(line: string): void {
    this.lines.push(line);
  }
  raw(bytes: Uint8Array): void {
    this.lines.push(new TextDecoder().decode(bytes));
  }
  err(line: string): void {
    this.errors.push(line);
  }
  async ask(question: string): Promise<string> {
    this.asked.push(question);
    return this.typed[this.asked.length - 1] ?? '';
  }

  get text(): string {
    return this.lines.join('\n');
  }
  /** Everything that was said, in one line, as a person reads over line breaks. */
  get said(): string {
    return [...this.lines, ...this.errors].join(' ').replaceAll(/\s+/g, ' ');
  }
}
