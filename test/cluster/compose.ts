import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

export const DEPLOY = join(import.meta.dirname, '../../deploy');

const serviceSchema = z.looseObject({
  image: z.string().optional(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).default({}),
  networks: z.array(z.string()),
  secrets: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
});
export type Service = z.infer<typeof serviceSchema>;

const composeSchema = z.looseObject({ services: z.record(z.string(), serviceSchema) });

/** What deploy/compose/compose.yaml says: what is tested is what is deployed. */
export const composeFile = (): unknown => parse(readFileSync(join(DEPLOY, 'compose/compose.yaml'), 'utf8'), { merge: true });

/** One of its services. Throws if there is none of that name. */
export function service(name: string): Service {
  const found = composeSchema.parse(composeFile()).services[name];
  if (found === undefined) throw new Error(`compose.yaml has no service ${name}`);
  return found;
}

/** The tag of a service's image. */
export const tagOf = (name: string): string => service(name).image?.split(':').at(-1) ?? '';
