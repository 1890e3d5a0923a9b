import { resolve } from 'node:path';

/** True in the build (`dist/src/temporal/paths.js`), false from source under tsx and jest (`src/temporal/paths.ts`). */
export const isBuilt = import.meta.filename.endsWith('.js');

/** The folder of package.json. */
export const packageRoot = resolve(import.meta.dirname, isBuilt ? '../../..' : '../..');

/** Shipped as it is, not compiled: see the file for why. */
export const payloadConverterPath = resolve(packageRoot, 'src/temporal/payload-converter.cjs');
