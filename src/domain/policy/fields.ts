import { z } from 'zod';
import type { ErrorCode } from '../codes.js';
import { parseDuration } from '../instant.js';
import type { Json } from '../json.js';
import { Findings } from '../problem.js';
import type { Locate, Path, Problem } from '../problem.js';
import { didYouMean, nearMiss } from './near.js';

/**
 * Building bricks for the schemas of policy.yaml and roster.yaml, so that each refusal says what is wrong and what to write instead.
 * `sample` is always what to write.
 */
type Hint = { readonly write: string } & (
  | { /** `quorum 0 is not <expected>`. */ readonly expected: string }
  | { /** The whole sentence. */ readonly text: string; readonly code?: ErrorCode }
);
/** A closer guess at what was meant by this very value. */
type Better = (value: unknown) => string | undefined;

/** One value. Whatever fails inside `schema`, the refusal reads "… is not <expected>"; nothing is coerced. */
export const leaf = <S extends z.ZodType>(schema: S, expected: string, sample: string, better?: Better) =>
  z.unknown().transform((value, context): z.output<S> => {
    const read = schema.safeParse(value);
    if (read.success) return read.data;
    const write = better?.(value) ?? sample;
    context.addIssue({ code: 'custom', params: { expected, write } satisfies Hint });
    return z.NEVER;
  });

/** `30m`, `8h`, `7d`: in ms. */
export const duration = (sample: string) =>
  leaf(
    z
      .string()
      .transform((text) => parseDuration(text))
      .pipe(z.number()),
    'a duration of at most 90 days',
    sample,
    (value) => (typeof value === 'number' && value > 0 ? `${value}m, or ${value}h: a number and its unit (s, m, h, d)` : undefined),
  );

/** Names people read: not blank, no line breaks or control characters. */
export const oneLine = (max: number) =>
  z
    .string()
    .max(max)
    .refine((text) => text.trim() !== '' && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text));

/** A field that has no place here: `text` says why. */
export const refused = (text: string, write: string) =>
  z
    .unknown()
    .transform((_value, context): undefined => {
      context.addIssue({ code: 'custom', params: { text, write } satisfies Hint });
      return z.NEVER;
    })
    .optional();

/** An object without unknown keys; `sample` where something else may stand in its place. The message of that issue lists the known ones, for `problemsOf` to find the near miss. */
export const strict = <S extends z.ZodRawShape>(shape: S, sample?: string) =>
  z.strictObject(shape, { error: (issue) => (issue.code === 'unrecognized_keys' ? Object.keys(shape).join(' ') : sample) });

export const list = <T extends z.ZodType>(element: T, sample: string, min: number, max: number) =>
  z.array(element, { error: sample }).min(min).max(max);

export const dictionary = <K extends z.ZodType<string, string>, V extends z.ZodType>(key: K, value: V, sample: string) =>
  z.record(key, value, { error: sample });

/** A value in short, or an object in full. */
export const either = <A extends z.ZodType, B extends z.ZodType>(short: A, full: B) => z.union([short, full]);

export interface Source {
  readonly file: string;
  readonly code: ErrorCode;
  readonly value: Json;
  readonly at: Locate;
}

/** A schema's issues, each with its line and what to write. */
export function problemsOf(issues: readonly z.core.$ZodIssue[], source: Source): Problem[] {
  const findings = new Findings(source.file, source.code, source.at);
  for (const issue of issues) tell(issue, pathOf(issue.path), source.value, findings);
  return findings.problems;
}

function tell(issue: z.core.$ZodIssue, path: Path, root: Json, findings: Findings): void {
  const value = valueAt(root, path);
  const subject = `${nameOf(path)} ${shown(value)}`;
  switch (issue.code) {
    case 'custom': {
      const hint = issue.params as Hint;
      if ('text' in hint) return findings.add(path, hint.text, hint.write, hint.code);
      return findings.add(path, value === undefined ? `${nameOf(path)} is missing` : `${subject} is not ${hint.expected}`, hint.write);
    }
    case 'unrecognized_keys': {
      const known = issue.message.split(' ');
      for (const key of issue.keys) {
        const near = nearMiss(key, known);
        findings.add(
          [...path, key],
          `${shown(key)} is no field here${didYouMean(key, known)}`,
          near === undefined ? `one of ${known.join(', ')}` : near,
        );
      }
      return;
    }
    case 'invalid_union': {
      // Of `either`: the full form is meant where an object stands. Of a discriminated union there are no branches to look into.
      const branch = issue.errors[isObject(value) ? issue.errors.length - 1 : 0];
      for (const inner of branch ?? []) tell(inner, [...path, ...pathOf(inner.path)], root, findings);
      if (branch === undefined)
        findings.add(path, value === undefined ? `${nameOf(path)} is missing` : `${subject} is unknown`, issue.message);
      return;
    }
    case 'invalid_key':
      return findings.add(
        path,
        `${shown(nameOf(path))} is no name: ${issue.issues.map(({ message }) => message).join()}`,
        'a name such as ap-agent',
      );
    case 'invalid_type': {
      if (value === undefined) return findings.add(path, `${nameOf(path)} is missing`, issue.message);
      return findings.add(path, `${subject} is not ${issue.expected === 'array' ? 'a list' : 'a set of fields'}`, issue.message);
    }
    case 'too_small':
      return findings.add(path, `${nameOf(path)} must have at least ${issue.minimum}`, issue.message);
    case 'too_big':
      return findings.add(path, `${nameOf(path)} may have at most ${issue.maximum}`, `at most ${issue.maximum}, such as ${issue.message}`);
    default:
      return findings.add(path, `${subject}: ${issue.message}`, 'what the documentation shows');
  }
}

/** Of JSON: no step is a symbol. */
const pathOf = (path: readonly PropertyKey[]): Path => path as Path;
const isObject = (value: unknown): value is Readonly<Record<string, Json>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const valueAt = (root: Json, path: Path): Json | undefined =>
  path.reduce<Json | undefined>((value, step) => Object.getOwnPropertyDescriptor(Object(value), step)?.value as Json | undefined, root);

const nameOf = (path: Path): string => [...path].reverse().find((step) => typeof step === 'string') ?? 'the file';

/** A value in a message: short, quoted where it is text. */
export function shown(value: unknown): string {
  if (value === null) return '(empty)';
  const text = JSON.stringify(value) ?? '';
  return text.length <= 60 ? text : `${text.slice(0, 59)}…`;
}
