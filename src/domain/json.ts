import { fromUtf8, utf8 } from './bytes.js';

/**
 * Canonical JSON: RFC 8785 on I-JSON. Made once by the author, then the bytes travel and are never re-serialised.
 * Both directions are strict: what `parseStrict` accepts, `canonicalize` reproduces to the byte, and nothing else.
 */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** Input that is not I-JSON: message says what and where. */
export class JsonRefused extends Error {
  override readonly name = 'JsonRefused';
}

const MAX_DEPTH = 64;
const LONE_SURROGATE = /\p{Surrogate}/u;
const SPACE = /[ \t\n\r]/;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;

/** RFC 8785 text of a JSON value. Throws `JsonRefused` on anything that is not plain I-JSON data (`toJSON`, Map, undefined, NaN …). */
export const canonicalize = (value: unknown): string => textOf(value, 0, membersOf);

/** How an object's or array's members are read: with suspicion, or, fresh from `JSON.parse`, without. */
type Members = (value: object) => (key: string) => unknown;

function textOf(value: unknown, depth: number, members: Members): string {
  if (depth > MAX_DEPTH) throw new JsonRefused(`nested deeper than ${MAX_DEPTH}`);
  switch (typeof value) {
    case 'boolean':
      return value ? 'true' : 'false';
    case 'number':
      return numberText(value);
    case 'string':
      return stringText(value);
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value) ? arrayText(value, depth, members) : objectText(value, depth, members);
    default:
      throw new JsonRefused(`${typeof value} is not JSON`);
  }
}

export const canonicalBytes = (value: unknown): Uint8Array => utf8(canonicalize(value));

function numberText(value: number): string {
  if (!Number.isFinite(value)) throw new JsonRefused('NaN and Infinity are not JSON');
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) throw new JsonRefused('integer beyond 2^53 - 1: pass it as a string');
  return String(value);
}

function stringText(value: string): string {
  if (LONE_SURROGATE.test(value)) throw new JsonRefused('lone surrogate in a string');
  return JSON.stringify(value);
}

function arrayText(value: readonly unknown[], depth: number, members: Members): string {
  const member = members(value);
  return `[${Array.from({ length: value.length }, (_, i) => textOf(member(String(i)), depth + 1, members)).join(',')}]`;
}

function objectText(value: object, depth: number, members: Members): string {
  const member = members(value);
  // Default sort order of strings is by UTF-16 code unit, as RFC 8785 §3.2.3 asks.
  const texts = Object.keys(value)
    .sort()
    .map((key) => {
      if (key === '__proto__') throw new JsonRefused('the key "__proto__" is refused');
      return `${stringText(key)}:${textOf(member(key), depth + 1, members)}`;
    });
  return `{${texts.join(',')}}`;
}

/** Refuses whatever is not plain data. A member that is computed could be another the next time it is read. */
const membersOf: Members = (value) => {
  if (Array.isArray(value)) {
    // Its items and its length, nothing else: counted first, so that a sparse giant costs nothing.
    if (Reflect.ownKeys(value).length !== value.length + 1) throw new JsonRefused('hole in an array, or more than its items');
  } else {
    // Realms (a test runner's, a worker's sandbox) have their own Object.prototype: its prototype is null in all of them.
    const prototype = Object.getPrototypeOf(value) as object | null;
    if (prototype !== null && (Object.getPrototypeOf(prototype) !== null || !Object.hasOwn(prototype, 'hasOwnProperty'))) {
      throw new JsonRefused('only plain objects are JSON');
    }
    if (Object.getOwnPropertySymbols(value).length > 0) throw new JsonRefused('symbol keys are not JSON');
    if ('toJSON' in value && typeof value.toJSON === 'function') throw new JsonRefused('toJSON is not honoured');
  }
  return (key) => {
    const descriptor = Object.getOwnPropertyDescriptor(value, key);
    if (descriptor === undefined || !('value' in descriptor)) throw new JsonRefused(`member "${key}" is computed, not data`);
    return descriptor.value as unknown;
  };
};
const parsedMembersOf: Members = (value) => (key) => (value as Readonly<Record<string, unknown>>)[key];

/** Strict parse of JSON text: duplicate keys, `__proto__`, lone surrogates and integers beyond 2^53 are refused. Throws `JsonRefused`. */
export const parseStrict = (text: string): Json => fromCanonical(text) ?? read(text);

function read(text: string): Json {
  const reader = new Reader(text);
  const value = reader.value(0);
  reader.end();
  return value;
}

/** Parses bytes that must already be canonical: the one byte form of their value. Throws `JsonRefused`. */
export function parseCanonical(bytes: Uint8Array): Json {
  let text: string;
  try {
    text = fromUtf8(bytes);
  } catch {
    throw new JsonRefused('not UTF-8');
  }
  const value = fromCanonical(text);
  if (value !== undefined) return value;
  // Says what is wrong, and where.
  read(text);
  throw new JsonRefused('not canonical JSON (RFC 8785)');
}

/**
 * What the lenient parser makes of a text, if it is the value whose canonical text this is, to the character: then the text had no key twice, no number
 * the parser changed and nothing else to be lenient about. Several times as fast as the strict parser, and refuses what that refuses.
 */
function fromCanonical(text: string): Json | undefined {
  try {
    const value = JSON.parse(text) as Json;
    return textOf(value, 0, parsedMembersOf) === text ? value : undefined;
  } catch {
    return undefined;
  }
}

class Reader {
  private at = 0;
  constructor(private readonly text: string) {}

  value(depth: number): Json {
    if (depth > MAX_DEPTH) throw this.refuse(`nested deeper than ${MAX_DEPTH}`);
    this.space();
    const char = this.text[this.at];
    if (char === '{') return this.object(depth);
    if (char === '[') return this.array(depth);
    if (char === '"') return this.string();
    for (const [word, meaning] of [
      ['true', true],
      ['false', false],
      ['null', null],
    ] as const) {
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length;
        return meaning;
      }
    }
    return this.number();
  }

  end(): void {
    this.space();
    if (this.at !== this.text.length) throw this.refuse('text after the value');
  }

  private object(depth: number): Json {
    const members: Record<string, Json> = {};
    this.at++;
    this.space();
    if (this.take('}')) return members;
    do {
      this.space();
      if (this.text[this.at] !== '"') throw this.refuse('a key in double quotes expected');
      const key = this.string();
      if (key === '__proto__') throw this.refuse('the key "__proto__" is refused');
      if (Object.hasOwn(members, key)) throw this.refuse(`the key ${JSON.stringify(key)} stands twice`);
      this.space();
      if (!this.take(':')) throw this.refuse('":" expected');
      members[key] = this.value(depth + 1);
      this.space();
    } while (this.take(','));
    if (!this.take('}')) throw this.refuse('"," or "}" expected');
    return members;
  }

  private array(depth: number): Json {
    const items: Json[] = [];
    this.at++;
    this.space();
    if (this.take(']')) return items;
    do {
      items.push(this.value(depth + 1));
      this.space();
    } while (this.take(','));
    if (!this.take(']')) throw this.refuse('"," or "]" expected');
    return items;
  }

  private string(): string {
    const from = this.at++;
    while (this.at < this.text.length && this.text[this.at] !== '"') this.at += this.text[this.at] === '\\' ? 2 : 1;
    if (this.at >= this.text.length) throw this.refuse('string without an end');
    this.at++;
    let value: string;
    try {
      value = JSON.parse(this.text.slice(from, this.at)) as string;
    } catch {
      throw this.refuse('malformed string');
    }
    if (LONE_SURROGATE.test(value)) throw this.refuse('lone surrogate in a string');
    return value;
  }

  private number(): number {
    NUMBER.lastIndex = this.at;
    const match = NUMBER.exec(this.text);
    if (match === null) throw this.refuse('a value expected');
    const value = Number(match[0]);
    if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))) {
      throw this.refuse('number beyond 2^53 - 1: pass it as a string');
    }
    this.at += match[0].length;
    return value;
  }

  private space(): void {
    while (SPACE.test(this.text[this.at] ?? '')) this.at++;
  }

  private take(char: string): boolean {
    if (this.text[this.at] !== char) return false;
    this.at++;
    return true;
  }

  private refuse(what: string): JsonRefused {
    return new JsonRefused(`${what} at character ${this.at + 1}`);
  }
}
