/**
 * Text made by others (errors of a target, reasons people gave), fit for what this executor signs: cut to size, without the half of a character that
 * cutting can leave, which canonical JSON refuses.
 */
export function clip(text: string, max: number): string {
  return text.slice(0, max).replace(/\p{Surrogate}/gu, '\uFFFD');
}

/** Whatever was thrown, in words. Total: user code may throw anything. */
export function errorText(error: unknown, max = 500): string {
  try {
    return clip(error instanceof Error ? error.message : String(error), max) || 'no error text';
  } catch {
    return 'no error text';
  }
}

/** The code user code gave its error, as an entry takes it. */
export const codeText = (code: unknown): string => (typeof code === 'string' && code !== '' ? clip(code, 200) : 'no_code');
