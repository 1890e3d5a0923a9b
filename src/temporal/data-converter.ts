import type { DataConverter } from '@temporalio/common';
import { payloadConverterPath } from './paths.js';

/** Give this one to every client and worker; the workflow bundle has the same converter built in. */
export const dataConverter: DataConverter = { payloadConverterPath };
