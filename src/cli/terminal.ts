/** Where a command writes and asks. Tests give one of their own. */
export interface Terminal {
  /** Somebody sits there: standard input and output are a terminal. */
  readonly interactive: boolean;
  readonly color: boolean;
  /** Columns to write in: never more than 80. */
  readonly width: number;
  /** One line of the answer. */
  out(line: string): void;
  /** Bytes of the answer, as they are. */
  raw(bytes: Uint8Array): void;
  /** One line beside the answer: progress, hints, errors. */
  err(line: string): void;
  /** One line typed by the person; empty at the end of the input. */
  ask(question: string): Promise<string>;
}

const WIDEST = 80;
const NARROWEST = 40;

/** This process's own terminal. Colours only where somebody sees them, and never with `NO_COLOR` set to anything (no-color.org). */
export function processTerminal(env: NodeJS.ProcessEnv = process.env): Terminal {
  const { stdin, stdout, stderr } = process;
  // A reader that goes away (`| head`) ends the command, without a stack trace.
  stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  return {
    interactive: stdin.isTTY && stdout.isTTY,
    color: stdout.isTTY && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb',
    width: Math.min(WIDEST, Math.max(NARROWEST, stdout.isTTY ? stdout.columns : WIDEST)),
    out: (line) => void stdout.write(`${line}\n`),
    raw: (bytes) => void stdout.write(bytes),
    err: (line) => void stderr.write(`${line}\n`),
    async ask(question) {
      const { createInterface } = await import('node:readline/promises');
      const reader = createInterface({ input: stdin, output: stderr });
      // Ctrl-C at the question is a no, not a crash; at the end of the input nobody answers.
      const ended = new Promise<string>((answer) => reader.once('close', () => answer('')));
      try {
        return await Promise.race([reader.question(question), ended]);
      } finally {
        reader.close();
      }
    },
  };
}
