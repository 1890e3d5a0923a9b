/** What the demo prints: plain lines of at most 80 columns, or one JSON object a line. */
export interface Report {
  /** A line that claims nothing. */
  say(line?: string): void;
  story(n: number, title: string): void;
  /** A claim about the world: what was expected and what was seen from outside. Printed either way; the end is the conjunction of all. */
  claim(line: string, what: string, expected: unknown, seen: unknown): void;
  readonly failures: number;
  readonly refused: number;
  countRefusal(): void;
  end(summary: Readonly<Record<string, unknown>>): void;
}

export const WIDTH = 80;

export function reporter(json: boolean, write: (line: string) => void = console.log): Report {
  let story = 0;
  let failures = 0;
  let refused = 0;
  const out = (line: string): void => {
    if (!json) write(line.trimEnd().slice(0, WIDTH));
  };
  return {
    say: (line = '') => out(line),
    story(n, title) {
      story = n;
      out('');
      out(`${n}  ${title}`);
    },
    claim(line, what, expected, seen) {
      const ok = JSON.stringify(expected) === JSON.stringify(seen);
      if (!ok) failures++;
      if (json) write(JSON.stringify({ story, what, expected, seen, ok }));
      else if (ok && line !== '') out(`   ${line}`);
      else if (ok) return;
      else write(`   ${line}\n   WRONG: ${what}: expected ${JSON.stringify(expected)}, saw ${JSON.stringify(seen)}`);
    },
    get failures() {
      return failures;
    },
    get refused() {
      return refused;
    },
    countRefusal() {
      refused++;
    },
    end(summary) {
      if (json) write(JSON.stringify({ ok: failures === 0, ...summary }));
    },
  };
}

/** `who` and `what` on the left, what came of it from column 53 on. */
export const row = (who: string, what: string, result: string): string => `${who.padEnd(8)}${what.padEnd(41)}${result}`;
