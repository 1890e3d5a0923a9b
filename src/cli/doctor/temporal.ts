import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import proto from '@temporalio/proto';
import type { Client } from '@temporalio/client';
import type { Roster } from '../../domain/roster.js';
import { isAlive } from '../../files/process-life.js';
import { attributes } from '../../temporal/attributes.js';
import { connect, openClient } from '../../temporal/connection.js';
import { executorQueue, WORKFLOW_QUEUE } from '../../temporal/names.js';
import { DEV_FILE } from '../dev/run-dev.js';
import type { Workspace } from '../workspace.js';
import { fine, problem, wordsOf, type Finding } from './finding.js';
import { workerVersions } from './versions.js';

const { TASK_QUEUE_TYPE_ACTIVITY, TASK_QUEUE_TYPE_WORKFLOW } = proto.temporal.api.enums.v1.TaskQueueType;
/** A poll lasts up to a minute, and a server remembers pollers for five: an older one is likely gone. */
const RECENT_MS = 75_000;

/** Temporal answers, knows our search attributes, and somebody works on each of our queues. */
export async function temporalServer(workspace: Workspace, roster: Roster, env: NodeJS.ProcessEnv, now: number): Promise<Finding[]> {
  const settings = connect();
  const address = (env['TEMPORAL_ADDRESS'] ?? '') === '' ? await devAddress(workspace) : undefined;
  const options = { ...settings.connectionOptions, ...(address === undefined ? {} : { address }), connectTimeout: 3_000 };
  const at = String(options.address);
  let opened: Awaited<ReturnType<typeof openClient>>;
  try {
    opened = await openClient({ connectionOptions: options, namespace: settings.namespace });
  } catch (error) {
    return [
      problem('temporal', `${at} does not answer (${wordsOf(error)})`, 'Start it (`keyturn dev` brings one), or set TEMPORAL_ADDRESS.'),
    ];
  }
  const { client, connection } = opened;
  try {
    const pollers = [
      queue(client, WORKFLOW_QUEUE, TASK_QUEUE_TYPE_WORKFLOW, { what: 'worker', remedy: 'Start it: keyturn worker' }, now),
      ...[...roster.executors.keys()].map((name) =>
        queue(
          client,
          executorQueue(name),
          TASK_QUEUE_TYPE_ACTIVITY,
          { what: `executor ${name}`, remedy: 'Start your executor program.' },
          now,
        ),
      ),
    ];
    return [
      fine('temporal', `${at}, namespace ${settings.namespace}`),
      await searchAttributes(client),
      ...(await Promise.all(pollers)),
      ...(await workerVersions(client)),
    ];
  } catch (error) {
    return [problem('temporal', `${at}: ${wordsOf(error)}`, `Is there a namespace ${settings.namespace}, and may you read it?`)];
  } finally {
    await connection.close();
  }
}

/** Where a running `dev` of this folder has its own. */
async function devAddress({ root }: Workspace): Promise<string | undefined> {
  const path = join(root, DEV_FILE);
  if (!existsSync(path)) return undefined;
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (typeof value !== 'object' || value === null || !('pid' in value) || !('temporalAddress' in value)) return undefined;
    return typeof value.pid === 'number' && isAlive(value.pid) ? String(value.temporalAddress) : undefined;
  } catch {
    return undefined;
  }
}

async function searchAttributes(client: Client): Promise<Finding> {
  const { namespace } = client.options;
  const known = await client.connection.operatorService.listSearchAttributes({ namespace });
  const missing = Object.values(attributes)
    .map(({ name }) => name)
    .filter((name) => known.customAttributes?.[name] === undefined);
  if (missing.length === 0) return fine('search attributes', `all ${Object.keys(attributes).length}`);
  const flags = Object.values(attributes)
    .filter(({ name }) => missing.includes(name))
    .map(({ name, type }) => `--name ${name} --type ${TYPE_NAMES[type] ?? type}`);
  return problem('search attributes', `missing: ${missing.join(', ')}`, `temporal operator search-attribute create ${flags.join(' ')}`);
}
const TYPE_NAMES: Readonly<Record<string, string>> = { KEYWORD: 'Keyword', KEYWORD_LIST: 'KeywordList', DATETIME: 'Datetime' };

async function queue(
  client: Client,
  name: string,
  taskQueueType: proto.temporal.api.enums.v1.TaskQueueType,
  { what, remedy }: { readonly what: string; readonly remedy: string },
  now: number,
): Promise<Finding> {
  const { namespace } = client.options;
  const { pollers } = await client.workflowService.describeTaskQueue({ namespace, taskQueue: { name }, taskQueueType });
  const ages = (pollers ?? []).map(({ lastAccessTime }) => now - Number(lastAccessTime?.seconds ?? 0) * 1_000);
  const recent = ages.filter((age) => age < RECENT_MS);
  if (recent.length === 0) return problem(what, `nobody polls the task queue ${name}`, remedy);
  return fine(what, `polls ${name}, seen ${Math.max(0, Math.round(Math.min(...recent) / 1_000))} s ago`);
}
