import { z } from 'zod';
import type { Json } from './json.js';

/** Any JSON value, read-only. The bytes it came from were parsed strictly before. */
export const jsonSchema: z.ZodType<Json, Json> = z.json();
