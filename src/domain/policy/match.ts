import { z } from 'zod';
import { typeNameSchema } from '../ids.js';

/** An exact type, or `prefix.*` for every type below the prefix, however deep, but not the prefix itself. */
export const typePatternSchema = z
  .string()
  .max(102)
  .refine((text) => typeNameSchema.safeParse(prefixOf(text) ?? text).success);

const prefixOf = (pattern: string): string | undefined => (pattern.endsWith('.*') ? pattern.slice(0, -2) : undefined);

/** Does a pattern of policy or roster take this type? */
export function matchesType(pattern: string, type: string): boolean {
  const prefix = prefixOf(pattern);
  return prefix === undefined ? pattern === type : type.startsWith(`${prefix}.`);
}

/** Does `wide` take every type that `narrow` takes? It does where it takes `narrow` itself, read as one type: of a family all begin alike. */
export const coversPattern: (wide: string, narrow: string) => boolean = matchesType;

/** The pattern of the types both take; undefined when there are none. Two patterns overlap only when one covers the other. */
export function commonPattern(a: string, b: string): string | undefined {
  if (coversPattern(a, b)) return b;
  return coversPattern(b, a) ? a : undefined;
}

/** What a rule applies to: one type or family of types, and optionally one agent. */
export interface Match {
  readonly type: string;
  readonly agent?: string | undefined;
}

export const matches = (match: Match, action: { readonly type: string; readonly agent: string }): boolean =>
  matchesType(match.type, action.type) && (match.agent === undefined || match.agent === action.agent);

/** Does `wide` apply wherever `narrow` does? */
export const coversMatch = (wide: Match, narrow: Match): boolean =>
  coversPattern(wide.type, narrow.type) && (wide.agent === undefined || wide.agent === narrow.agent);
