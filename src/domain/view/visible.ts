/**
 * Makes text inert and honest (attack case 70): what a terminal or a page would hide, reorder or act on is written out.
 * `‹U+202E›` stands for the character itself; the guillemets of the text are written out too, so that no text can fake a mark.
 */
const HIDDEN =
  /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\u00a0\u034f\u115f\u1160\u1680\u17b4\u17b5\u2000-\u200a\u202f\u205f\u3000\u3164\uffa0\ufe00-\ufe0f\u{e0100}-\u{e01ef}‹›]/gu;
const WORD = /[\p{L}\p{N}\p{M}]+/gu;
const LATIN = /\p{Script=Latin}/u;
/** Scripts whose letters pass for Latin ones: inside a word that also has Latin letters each is written out. */
const LOOK_ALIKE = /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}\p{Script=Coptic}\p{Script=Lisu}]/u;
/** Letters with a Latin twin; a word made of nothing else is written out whole, so that "аррӏе" is not taken for "apple". */
const ALL_TWINS = /^[аеорсухіјѕӏһԁԛԝвкмнтАВЕКМНОРСТУХІЈЅαενικορτυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ]+$/u;
/** Latin, but not the letter it passes for: full width, mathematical, long s, dotless i. */
const ODD_LATIN = /[\uff01-\uff5e\u{1d400}-\u{1d7ff}ſıȷɑɡℓⅼⅰ]/gu;
const ODD = new RegExp(ODD_LATIN.source, 'u');
/** Digits of other scripts, some of which pass for another ASCII digit: inside a word with ASCII letters or digits each is written out. */
const FOREIGN_DIGIT = /(?![0-9])\p{Nd}/u;
/** Letters and marks that show nothing. */
const HIDDEN_MARK = /[\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\ufe00-\ufe0f\u{e0100}-\u{e01ef}]/u;

const mark = (char: string): string => `‹U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}›`;

/** The text with everything hidden, bidirectional, zero-width or look-alike written out. A line break stays only where `lines` allows it. */
export function visible(text: string, options: { readonly lines?: boolean } = {}): string {
  const hidden = (part: string): string =>
    part.replace(HIDDEN, (char) => (char === '\n' && options.lines === true ? char : mark(char))).replace(ODD_LATIN, mark);
  let shown = '';
  let from = 0;
  for (const { 0: word, index } of text.matchAll(WORD)) {
    shown += hidden(text.slice(from, index)) + honestWord(word);
    from = index + word.length;
  }
  return shown + hidden(text.slice(from));
}

/** A word's letters; hidden characters are none, so they end words. */
function honestWord(word: string): string {
  if (ALL_TWINS.test(word)) return word.replace(/./gu, mark);
  const latin = LATIN.test(word);
  const ascii = /[A-Za-z0-9]/.test(word);
  const odd = (char: string): boolean =>
    (latin && LOOK_ALIKE.test(char)) || (ascii && FOREIGN_DIGIT.test(char)) || ODD.test(char) || HIDDEN_MARK.test(char);
  return [...word].map((char) => (odd(char) ? mark(char) : char)).join('');
}
