import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { WorkerDeploymentOptions } from '@temporalio/worker';
import { z } from 'zod';
import type { WorkflowBundle } from './bundle.js';
import { packageRoot } from './paths.js';

/** What Temporal calls all workflow workers of a namespace together, whatever their version. They share one queue, so it is one name. */
export const WORKER_DEPLOYMENT = 'keyturn';

const DIGITS = 12;
const manifestSchema = z.object({ version: z.string() });

/** `0.1.0-3f9c01d2e4a5`: the release, and which workflow code exactly, so that two builds of one release are told apart. */
export async function buildIdOf({ codePath }: WorkflowBundle): Promise<string> {
  const { version } = manifestSchema.parse(JSON.parse(await readFile(resolve(packageRoot, 'package.json'), 'utf8')));
  const digest = createHash('sha256').update(await readFile(codePath));
  return `${version}-${digest.digest('hex').slice(0, DIGITS)}`;
}

/** Pinned: an action is brought to its end by the code it was begun with, for that is the code which was running when people were asked. */
export const versionOf = (buildId: string): WorkerDeploymentOptions => ({
  version: { deploymentName: WORKER_DEPLOYMENT, buildId },
  useWorkerVersioning: true,
  defaultVersioningBehavior: 'PINNED',
});

/** `KEYTURN_WORKER_VERSIONING`: `1` or nothing. Anything else throws, for whoever wrote it meant something. */
export function readVersioning(value: string | undefined): boolean {
  if (value === undefined || value === '') return false;
  if (value !== '1') throw new Error(`KEYTURN_WORKER_VERSIONING is "${value.slice(0, 100)}": set it to 1, or leave it out.`);
  return true;
}
