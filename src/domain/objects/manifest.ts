import { z } from 'zod';
import { digestSchema, nameSchema, typeNameSchema } from '../ids.js';
import { jsonSchema } from '../json-schema.js';
import { undoPlanSchema } from './envelope.js';

/** What an executor runs, signed by it at each start. */
export const manifestSchema = z.strictObject({
  v: z.literal(1),
  deployment: nameSchema,
  executor: nameSchema,
  types: z
    .array(
      z.strictObject({
        name: typeNameSchema,
        version: z.string().min(1).max(40),
        /** JSON Schema of the parameters. */
        schema: z.record(z.string(), jsonSchema),
        schemaDigest: digestSchema,
        editable: z.array(z.string().max(200)).max(200),
        undo: z
          .array(z.strictObject({ step: nameSchema, plan: undoPlanSchema }))
          .min(1)
          .max(50),
      }),
    )
    .max(200),
});
export type Manifest = z.infer<typeof manifestSchema>;
