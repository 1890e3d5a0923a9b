import { isDeepStrictEqual } from 'node:util';
import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { vectors } from '../helpers/vectors.js';
import { schemaShapes } from '../vectors/schemas.js';

const { schemas } = vectors('schemas', z.object({ schemas: z.record(z.string(), z.unknown()) }));

test('what each object may hold, its fields, limits and closed lists, is what other languages and old evidence rely on', () => {
  const shapes = schemaShapes();
  const names = [...new Set([...Object.keys(shapes), ...Object.keys(schemas)])];
  expect(names.filter((name) => !isDeepStrictEqual(shapes[name], schemas[name]))).toEqual([]);
});
