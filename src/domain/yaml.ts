import { isAlias, isMap, isScalar, isSeq, Lexer, LineCounter, parseDocument, Parser } from 'yaml';
import type { Document, ParsedNode } from 'yaml';
import { utf8 } from './bytes.js';
import type { ErrorCode } from './codes.js';
import type { Json } from './json.js';
import type { Locate, Path, Position, Problem } from './problem.js';

/**
 * YAML as a stricter way to write JSON: one document of YAML 1.2 core, without anchors, aliases, merge keys, tags or directives,
 * with unique string keys and I-JSON values. So a file has one meaning, and its canonical JSON one digest.
 */
export type YamlRead =
  { readonly ok: true; readonly value: Json; readonly at: Locate } | { readonly ok: false; readonly problems: Problem[] };

export const MAX_YAML_BYTES = 1_048_576;
const MAX_STACK = 64;
const LONE_SURROGATE = /\p{Surrogate}/u;

const SYNTAX_HELP: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'spaces instead of the tab',
  MULTIPLE_DOCS: 'one document only, without a second "---"',
  BAD_INDENT: 'the same indentation as its neighbours',
  BAD_ALIAS: 'the value itself',
  MISSING_CHAR: 'the missing character, or quotes around the text',
  NON_STRING_KEY: 'a plain name before the colon',
};

/** Reads a file's text. `code` goes into the problems: `policy_invalid` or `roster_invalid`. */
export function readYaml(text: string, file: string, code: ErrorCode): YamlRead {
  const lines = new LineCounter();
  const reader = new Reader(file, code, (offset) => place(lines, offset));
  const { problems } = reader;
  if (utf8(text).length > MAX_YAML_BYTES) reader.refuse(0, `the file is larger than ${MAX_YAML_BYTES} bytes`, 'a smaller file');
  // Before the real parse: that one recurses, and deep enough nesting takes the whole process down.
  else if (isTooDeep(text)) reader.refuse(0, 'nested too deeply', 'fewer levels');
  if (problems.length > 0) return { ok: false, problems };

  const document = parseDocument(text, {
    lineCounter: lines,
    version: '1.2',
    schema: 'core',
    merge: false,
    stringKeys: true,
    uniqueKeys: false,
    resolveKnownTags: false,
    prettyErrors: false,
    logLevel: 'error',
  });
  for (const error of document.errors)
    reader.refuse(error.pos[0], error.message, SYNTAX_HELP[error.code] ?? 'valid YAML 1.2, such as "name: value"');
  if (hasDirective(document)) reader.refuse(0, 'directives ("%…") are refused', 'the document without them');
  if (problems.length === 0 && document.contents === null) reader.refuse(0, 'the file is empty', 'its content; see the documentation');
  const value = problems.length > 0 || document.contents === null ? null : reader.json(document.contents);
  if (problems.length > 0) return { ok: false, problems: problems.sort((a, b) => a.line - b.line) };
  return { ok: true, value, at: (path) => place(lines, offsetOf(document.contents, path)) };
}

function place(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

function isTooDeep(text: string): boolean {
  const parser = new Parser();
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) void token;
    if (parser.stack.length > MAX_STACK) return true;
  }
  return false;
}

function hasDirective(document: Document.Parsed): boolean {
  const { yaml, tags } = document.directives;
  return yaml.explicit === true || Object.keys(tags).length > 1 || document.warnings.some((warning) => warning.code === 'BAD_DIRECTIVE');
}

/** A key's own place, for a missing one that of the deepest node on its way. */
function offsetOf(root: ParsedNode | null, path: Path): number {
  let node: unknown = root;
  let offset = root?.range[0] ?? 0;
  for (const step of path) {
    if (isMap<ParsedNode, ParsedNode | null>(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && key.value === String(step));
      if (pair === undefined) break;
      offset = pair.key.range[0];
      node = pair.value;
    } else if (isSeq<ParsedNode>(node) && typeof step === 'number') {
      const item: ParsedNode | undefined = node.items[step];
      if (item === undefined) break;
      offset = item.range[0];
      node = item;
    } else break;
  }
  return offset;
}

class Reader {
  readonly problems: Problem[] = [];
  constructor(
    private readonly file: string,
    private readonly code: ErrorCode,
    private readonly position: (offset: number) => Position,
  ) {}

  refuse(offset: number, text: string, write: string): null {
    this.problems.push({ code: this.code, file: this.file, line: this.position(offset).line, text, write });
    return null;
  }

  json(node: ParsedNode | null): Json {
    if (node === null) return null;
    const at = node.range[0];
    if (isAlias(node)) return this.refuse(at, `the alias *${node.source} is refused`, 'the value itself');
    if (node.anchor !== undefined) return this.refuse(at, `the anchor &${node.anchor} is refused`, 'the value without it');
    if (node.tag !== undefined)
      return this.refuse(at, `the tag ${node.tag} is refused`, 'the value without a tag; in quotes, if text is meant');
    if (isScalar(node)) return this.scalar(node.value, at);
    if (isSeq<ParsedNode>(node)) return node.items.map((item) => this.json(item));
    const members: Record<string, Json> = {};
    for (const { key, value } of node.items) {
      const name = this.key(key, members);
      if (name !== null) members[name] = this.json(value);
    }
    return members;
  }

  private key(node: ParsedNode, members: Record<string, Json>): string | null {
    const name = this.json(node);
    const at = node.range[0];
    if (typeof name !== 'string')
      return this.problems.length > 0 ? null : this.refuse(at, 'a key must be text', 'a plain name before the colon');
    if (name === '<<') return this.refuse(at, 'merge keys ("<<") are refused', 'the fields themselves');
    if (name === '__proto__') return this.refuse(at, 'the key "__proto__" is refused', 'another name');
    if (Object.hasOwn(members, name)) return this.refuse(at, `the key ${JSON.stringify(name)} stands twice`, 'it once');
    return name;
  }

  private scalar(value: unknown, at: number): Json {
    if (value === null || typeof value === 'boolean') return value;
    if (typeof value === 'string')
      return LONE_SURROGATE.test(value) ? this.refuse(at, 'lone surrogate in a text', 'whole characters') : value;
    if (typeof value !== 'number') return this.refuse(at, 'not a value of JSON', 'text, a number, true or false');
    if (!Number.isFinite(value)) return this.refuse(at, `${value} is no number of JSON`, 'a plain number');
    if (Number.isInteger(value) && !Number.isSafeInteger(value))
      return this.refuse(at, `${value} is beyond 2^53 - 1`, 'a smaller number, or text in quotes');
    return value;
  }
}
