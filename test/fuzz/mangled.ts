import fc from 'fast-check';

/** A good text after a few small accidents: characters lost, doubled, swapped, put in. Sometimes none at all, so that the good one is tried as well. */
export function mangled(good: string, pieces: readonly string[] = []): fc.Arbitrary<string> {
  const piece = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 3 }),
    fc.constantFrom('"', '{', '}', '[', ']', ':', ',', '\n', ' ', '-', '0', '__proto__', ...pieces),
  );
  const accident = fc.tuple(fc.constantFrom('lose', 'double', 'put', 'swap'), fc.nat({ max: 1_000_000 }), fc.nat({ max: 12 }), piece);
  return fc.array(accident, { maxLength: 3 }).map((accidents) =>
    accidents.reduce((text, [what, where, length, put]) => {
      const at = text.length === 0 ? 0 : where % text.length;
      const [before, here, after] = [text.slice(0, at), text.slice(at, at + length), text.slice(at + length)];
      switch (what) {
        case 'lose':
          return before + after;
        case 'double':
          return before + here + here + after;
        case 'swap':
          return before + [...here].reverse().join('') + after;
        default:
          return before + put + here + after;
      }
    }, good),
  );
}

/** A good JSON value with one place of it replaced by anything, lost, or a member more. */
export function mangledValue(good: unknown): fc.Arbitrary<unknown> {
  return fc.tuple(fc.nat({ max: 1_000_000 }), fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constant(undefined))).map(([where, instead]) => {
    const places = placesOf(good, []);
    const place = places[where % places.length] ?? [];
    return replaced(good, place, instead);
  });
}

function placesOf(value: unknown, path: readonly string[]): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, [...path, 'one more'], ...Object.entries(value).flatMap(([key, each]) => placesOf(each, [...path, key]))];
}

function replaced(value: unknown, [head, ...rest]: readonly string[], instead: unknown): unknown {
  if (head === undefined) return instead;
  if (Array.isArray(value)) return value.map((each: unknown, i) => (String(i) === head ? replaced(each, rest, instead) : each));
  const members = Object.entries(typeof value === 'object' && value !== null ? value : {});
  const inner = replaced(members.find(([key]) => key === head)?.[1], rest, instead);
  return Object.fromEntries([...members.filter(([key]) => key !== head), ...(inner === undefined ? [] : [[head, inner] as const])]);
}
