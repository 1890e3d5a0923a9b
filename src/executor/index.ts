/** `keyturn/executor`: what the program that holds the credentials imports. */
export {
  defineAction,
  Failed,
  NotStarted,
  type ActionType,
  type PreviewDraft,
  type ProbeAnswer,
  type ProbeContext,
  type RunContext,
  type StepDefinition,
  type UndoContext,
} from './define-action.js';
export { startExecutor, type ExecutorOptions } from './start-executor.js';
