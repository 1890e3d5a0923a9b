/** What a worker registers. */
export { agentAction } from './agent-action.js';
export { executorManifest } from './executor-manifest.js';
export { lodgeStop } from './lodge-stop.js';
