/** One thing looked at. A problem says what to do about it. */
export type Finding =
  | { readonly ok: true; readonly what: string; readonly text: string }
  | { readonly ok: false; readonly what: string; readonly text: string; readonly remedy: string };

export const fine = (what: string, text: string): Finding => ({ ok: true, what, text });
export const problem = (what: string, text: string, remedy: string): Finding => ({ ok: false, what, text, remedy });

export const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
