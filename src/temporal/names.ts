/** Names both sides of a queue agree on. Safe to import in workflow code. */
export const WORKFLOW_QUEUE = 'keyturn';
export const executorQueue = (name: string): string => `keyturn-executor-${name}`;
export const manifestId = (name: string): string => `executor_${name}`;
/** The run that carries one freeze or thaw, named by its digest, to one executor. */
export const stopId = (name: string, digest: string): string => `stop_${name}_${digest}`;
export const WORKFLOW_TYPES = { agentAction: 'agentAction', executorManifest: 'executorManifest', lodgeStop: 'lodgeStop' } as const;
/** A task handed to a worker that just died is given to another after this; the default of 10 s would keep a reviewer waiting. */
export const WORKFLOW_TASK_TIMEOUT = '5s' as const;
