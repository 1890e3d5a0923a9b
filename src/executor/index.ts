/** `keyturn/executor`: what the program that holds the credentials imports. */
export {
  defineAction,
  Failed,
  NotStarted,
  PreviewRefused,
  PreviewTooLarge,
  type ActionType,
  type PreviewContext,
  type PreviewDraft,
  type ProbeAnswer,
  type ProbeContext,
  type RunContext,
  type StepDefinition,
  type UndoContext,
} from './define-action.js';
export { startExecutor, type ExecutorOptions } from './start-executor.js';
