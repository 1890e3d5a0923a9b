const WIDE = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303f\uff01-\uff60]/u;
const NONE = /\p{M}/u;

/** Columns a terminal gives the text: two for wide characters, none for combining marks. */
export function columns(text: string): number {
  let sum = 0;
  for (const char of text) sum += NONE.test(char) ? 0 : WIDE.test(char) ? 2 : 1;
  return sum;
}

/** Ends a line whose word goes on in the next: in no visible text can it stand for anything else. */
const GOES_ON = '›';

/** The text in lines of at most `width` columns, all of it: broken at single spaces, and inside a word only where the word is longer than a line. */
export function wrap(text: string, width: number): string[] {
  return text.split('\n').flatMap((line) => wrapLine(line, Math.max(width, 8)));
}

function wrapLine(text: string, width: number): string[] {
  const lines: string[] = [];
  let line: string | undefined;
  for (const word of text.split(' ')) {
    const joined: string = line === undefined ? word : `${line} ${word}`;
    if (columns(joined) <= width) {
      line = joined;
      continue;
    }
    if (line !== undefined) lines.push(line);
    const pieces = columns(word) <= width ? [word] : split(word, width);
    lines.push(...pieces.slice(0, -1));
    line = pieces.at(-1) ?? '';
  }
  lines.push(line ?? '');
  return lines;
}

function split(word: string, width: number): string[] {
  const pieces: string[] = [];
  let piece = '';
  for (const char of word) {
    if (columns(piece + char) > width - columns(GOES_ON)) {
      pieces.push(piece + GOES_ON);
      piece = '';
    }
    piece += char;
  }
  return [...pieces, piece];
}
