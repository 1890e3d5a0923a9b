import { utf8 } from '../domain/bytes.js';
import { visible } from '../domain/view/visible.js';

/** What could begin or end any construct of markdown, or a character written as an entity; `{` for the Web UI's own placeholders. */
const SPECIAL = /[\\`*_{}[\]()<>#+!|~&@/=]/g;
/** Renderers that know more than the Web UI's make links of bare addresses. */
const BARE_WWW = /www\./gi;

const MAX_NAMES = 12;

export const bytesOf = (text: string): number => utf8(text).length;

/** At most `max` bytes of UTF-8, never half a character; an ellipsis says that something is missing. */
export function clip(text: string, max: number): string {
  if (bytesOf(text) <= max) return text;
  let kept = '';
  let left = max - bytesOf('…');
  for (const char of text) {
    left -= bytesOf(char);
    if (left < 0) break;
    kept += char;
  }
  return `${kept}…`;
}

/**
 * Words of agents, targets and files as one line of plain text inside markdown (attack case 70): no link, image, heading or list comes of them, and what is
 * hidden, bidirectional or look-alike is written out. `max` bytes before escaping.
 */
export const inert = (text: string, max: number): string =>
  clip(visible(text).trim(), max)
    .replace(SPECIAL, (char) => `\\${char}`)
    .replace(BARE_WWW, (www) => `${www.slice(0, -1)}\\.`);

/** As many whole lines as fit into `max` bytes: a line cut short could leave an escape or a mark of markdown half done. */
export function fit(lines: readonly string[], max: number): string {
  let kept = '';
  for (const line of lines) {
    if (bytesOf(kept) + bytesOf(line) + bytesOf('\n…') > max) return `${kept}…`;
    kept += `${line}\n`;
  }
  return kept.trimEnd();
}

/** Roster ids start with a letter or digit and have no character markdown knows but underscores, which do nothing inside words. */
export function names(people: readonly string[]): string {
  const shown = people.slice(0, MAX_NAMES);
  return `${shown.join(', ')}${people.length > shown.length ? ` and ${people.length - shown.length} more` : ''}`;
}
