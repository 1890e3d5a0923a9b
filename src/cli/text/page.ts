import type { Paint } from './paint.js';
import { columns, wrap } from './wrap.js';

const INDENT = '  ';
const WIDEST_LABEL = 24;

/** Lines of text as people read them: nothing wider than `width`, nothing left out. Texts must be inert. */
export class Page {
  readonly lines: string[] = [];
  constructor(
    readonly width: number,
    private readonly paint: Paint,
  ) {}

  gap(): this {
    if (this.lines.length > 0 && this.lines.at(-1) !== '') this.lines.push('');
    return this;
  }

  title(text: string): this {
    this.gap();
    this.lines.push(...wrap(text, this.width).map(this.paint.bold));
    return this;
  }

  /** One paragraph; lines after the first hang under `lead`. */
  text(text: string, lead = ''): this {
    return this.push(text, INDENT + lead, (line) => line);
  }
  alarm(text: string): this {
    return this.push(text, `${INDENT}! `, this.paint.alarm);
  }
  faint(text: string): this {
    return this.push(text, INDENT, this.paint.dim);
  }

  /** Label and value side by side; a label too long for that stands above its value. */
  rows(rows: readonly (readonly [label: string, value: string])[]): this {
    const fitting = rows.map(([label]) => columns(label)).filter((wide) => wide <= WIDEST_LABEL);
    const wide = Math.max(0, ...fitting);
    for (const [label, value] of rows) {
      if (columns(label) <= WIDEST_LABEL) this.push(value, `${INDENT}${label}${' '.repeat(wide - columns(label))}  `, (line) => line);
      else this.text(label).text(value, INDENT);
    }
    return this;
  }

  /** Somebody else's words: every line carries the bar, so that none can pass for a line of ours. */
  box(owner: string, texts: readonly string[]): this {
    this.lines.push(`${INDENT}┌─ ${owner}`);
    for (const text of texts) for (const line of wrap(text, this.width - 4)) this.lines.push(`${INDENT}│ ${line}`);
    this.lines.push(`${INDENT}└─`);
    return this;
  }

  private push(text: string, lead: string, look: (line: string) => string): this {
    const [first = '', ...rest] = wrap(text, this.width - columns(lead));
    const hang = ' '.repeat(columns(lead));
    this.lines.push(look(`${lead}${first}`.trimEnd()), ...rest.map((line) => look(hang + line)));
    return this;
  }
}
