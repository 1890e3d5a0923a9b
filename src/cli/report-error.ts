import type { CliError } from './errors.js';
import { Page } from './text/page.js';
import { paintOf } from './text/paint.js';
import type { Terminal } from './terminal.js';
import { wrap } from './text/wrap.js';

/** One plain sentence with its code, then what to do. To the error stream, so that an answer in a pipe stays an answer. */
export function reportError(terminal: Terminal, { code, text, remedy, details }: CliError, json: boolean): void {
  if (json) {
    terminal.err(JSON.stringify({ error: { code, text, remedy, ...(details.length === 0 ? {} : { details }) } }));
    return;
  }
  const page = new Page(terminal.width, paintOf(false));
  for (const line of details) page.text(line);
  for (const line of page.lines) terminal.err(line);
  for (const line of wrap(`keyturn: ${text} (${code})`, terminal.width)) terminal.err(line);
  for (const line of new Page(terminal.width, paintOf(false)).text(remedy).lines) terminal.err(line);
}
