import type { Json, JsonObject } from './json.js';

/** RFC 6901 pointers over plain JSON. Pure; never touches prototypes. */
const unescape = (token: string): string => token.replaceAll('~1', '/').replaceAll('~0', '~');
const escape = (token: string): string => token.replaceAll('~', '~0').replaceAll('/', '~1');

const isObject = (value: Json | undefined): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Every leaf of an object by its pointer, keys in canonical order whatever order they were written in; empty objects and arrays are leaves. */
export function pointerEntries(value: Json, at = ''): [string, Json][] {
  if (Array.isArray(value) && value.length > 0) return value.flatMap((item: Json, i) => pointerEntries(item, `${at}/${i}`));
  if (isObject(value) && Object.keys(value).length > 0) {
    const keys = Object.keys(value).sort();
    return keys.flatMap((key) => pointerEntries(value[key] ?? null, `${at}/${escape(key)}`));
  }
  return at === '' ? [] : [[at, value]];
}

/** The value at a place; undefined where the pointer leads nowhere. */
export function valueAt(value: Json, pointer: string): Json | undefined {
  const [root, ...steps] = pointer.split('/');
  if (root !== '' || steps.length === 0) return undefined;
  return steps.map(unescape).reduce<Json | undefined>((inner, key) => {
    if (Array.isArray(inner)) return /^(?:0|[1-9][0-9]{0,5})$/.test(key) ? (inner as readonly Json[])[Number(key)] : undefined;
    return isObject(inner) && Object.hasOwn(inner, key) ? inner[key] : undefined;
  }, value);
}

/** A copy with the value at an existing place replaced. Returns undefined where the pointer leads nowhere: a patch never invents places. */
export function replaceAt(value: Json, pointer: string, replacement: Json): Json | undefined {
  const [root, head, ...rest] = pointer.split('/');
  if (root !== '' || head === undefined) return undefined;
  const key = unescape(head);
  if (Array.isArray(value)) {
    const items = value as readonly Json[];
    const index = /^(?:0|[1-9][0-9]{0,5})$/.test(key) ? Number(key) : -1;
    const item = items[index];
    const inner = item === undefined ? undefined : rest.length === 0 ? replacement : replaceAt(item, `/${rest.join('/')}`, replacement);
    return inner === undefined ? undefined : items.map((old, i) => (i === index ? inner : old));
  }
  if (!isObject(value) || !Object.hasOwn(value, key)) return undefined;
  const inner = rest.length === 0 ? replacement : replaceAt(value[key] ?? null, `/${rest.join('/')}`, replacement);
  return inner === undefined ? undefined : { ...value, [key]: inner };
}

/** True if `editable` names this place or one above it. */
export const isEditable = (pointer: string, editable: readonly string[]): boolean =>
  editable.some((place) => pointer === place || pointer.startsWith(`${place}/`));
