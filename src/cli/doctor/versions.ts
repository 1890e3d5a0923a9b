import type { Client } from '@temporalio/client';
import { isNotFound } from '../../api/temporal/calls.js';
import { WORKER_DEPLOYMENT } from '../../temporal/versioning.js';
import { fine, problem, type Finding } from './finding.js';

/** Which build of a versioned worker gets new actions. Nothing to say where no worker ever was versioned. */
export async function workerVersions(client: Client): Promise<Finding[]> {
  const { namespace } = client.options;
  const known = await client.workflowService
    .describeWorkerDeployment({ namespace, deploymentName: WORKER_DEPLOYMENT })
    .catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
  const info = known?.workerDeploymentInfo;
  if (info === undefined || info === null) return [];
  const current = info.routingConfig?.currentDeploymentVersion?.buildId;
  if (current !== undefined && current !== null && current !== '') return [fine('worker builds', `${current} gets new actions`)];
  const builds = (info.versionSummaries ?? []).flatMap(({ deploymentVersion }) => deploymentVersion?.buildId ?? []);
  return [
    problem(
      'worker builds',
      `none of ${builds.join(', ')} is current: only a worker that is not versioned gets new actions`,
      `temporal worker deployment set-current-version --deployment-name ${WORKER_DEPLOYMENT} --build-id ${builds[0] ?? '…'}`,
    ),
  ];
}
