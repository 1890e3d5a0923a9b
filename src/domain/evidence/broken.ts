/** The first thing in an evidence file that does not hold: `step` says where a reader finds it ("entry 5", "decision 2", "file"). */
export class Broken extends Error {
  override readonly name = 'Broken';
  constructor(
    readonly step: string,
    readonly text: string,
  ) {
    super(`${step}: ${text}`);
  }
}

/** What a thrown thing says. */
export const wordsOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));

/** Throws `Broken` unless `holds`. */
export function demand(holds: boolean, step: string, text: string): asserts holds {
  if (!holds) throw new Broken(step, text);
}
