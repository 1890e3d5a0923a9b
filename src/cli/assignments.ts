import { JsonRefused, parseStrict, type Json, type JsonObject } from '../domain/json.js';
import { usage } from './errors.js';

const POINTER = /^(?:\/(?:[^~/]|~[01])*)+$/;

/** `/cents=820000`: a JSON pointer and a value; the value is strict JSON, or else the text itself. Throws usage. */
export function readAssignment(text: string): readonly [pointer: string, value: Json] {
  const at = text.indexOf('=');
  const pointer = text.slice(0, at);
  if (at < 0 || !POINTER.test(pointer))
    throw usage(`"${text}" is no change of a parameter`, 'Write /name=value, for example /cents=820000.');
  return [pointer, readValue(text.slice(at + 1))];
}

function readValue(text: string): Json {
  try {
    return parseStrict(text);
  } catch (error) {
    // What JSON reads but strict JSON refuses would change its value on the way: 9007199254740993, or a key that stands twice.
    if (isLooseJson(text))
      throw usage(
        `"${text}" is refused: ${error instanceof JsonRefused ? error.message : String(error)}`,
        'Quote it to pass it as a text.',
      );
    return text;
  }
}

function isLooseJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Assignments as a patch: pointer → new value. One place named twice has no meaning. */
export function readPatch(texts: readonly string[]): Record<string, Json> {
  const patch: Record<string, Json> = {};
  for (const [pointer, value] of texts.map(readAssignment)) {
    if (Object.hasOwn(patch, pointer)) throw usage(`${pointer} is given twice`, 'Name each place once.');
    patch[pointer] = value;
  }
  return patch;
}

/** Assignments as the parameters they spell: `/to/iban=…` makes `{ to: { iban: … } }`. Lists are given whole, as JSON. */
export function readParams(texts: readonly string[]): JsonObject {
  const params: Record<string, Json> = {};
  for (const [pointer, value] of Object.entries(readPatch(texts))) put(params, pointer.slice(1).split('/').map(unescape), value, pointer);
  return params;
}

const unescape = (token: string): string => token.replaceAll('~1', '/').replaceAll('~0', '~');

function put(into: Record<string, Json>, path: readonly string[], value: Json, pointer: string): void {
  const [head = '', ...rest] = path;
  if (head === '__proto__') throw usage('a parameter is never called __proto__', 'Name it otherwise.');
  const inner = Object.hasOwn(into, head) ? into[head] : undefined;
  if (inner !== undefined && (rest.length === 0 || !isRecord(inner)))
    throw usage(`${pointer} and another assignment exclude each other`, 'Name each place once.');
  if (rest.length === 0) into[head] = value;
  else put((into[head] = isRecord(inner) ? inner : {}), rest, value, pointer);
}

const isRecord = (value: Json | undefined): value is Record<string, Json> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
