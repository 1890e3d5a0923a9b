import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { z } from 'zod';

/** A file of test/vectors by its name, checked by the schema its test expects. */
export function vectors<T>(name: string, schema: z.ZodType<T>): T {
  return schema.parse(JSON.parse(readFileSync(resolve(import.meta.dirname, '../vectors', `${name}.json`), 'utf8')));
}
