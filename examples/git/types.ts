import { defineAction, type ActionType, type StepDefinition } from '../../src/executor/define-action.js';
import { probeMerge, runMerge, undoMerge } from './merge.js';
import { mergeParams, type MergeParams } from './names.js';
import { previewMerge } from './preview.js';
import type { Repositories } from './repositories.js';

/** The merge as a step, to be first of several: what comes after it may still fail, and then it is reverted. */
export const mergeStep = (repositories: Repositories): StepDefinition<MergeParams> => ({
  name: 'merge',
  run: (params, context) => runMerge(repositories, params, context),
  undo: (params, context) => undoMerge(repositories, params, context),
  probe: (context, params) => probeMerge(repositories, context, params),
});

/** What every type that begins with a merge has in common. */
export const mergeCommon = (repositories: Repositories) => ({
  params: mergeParams,
  summarize: ({ repository, source, target }: MergeParams) => `Merge ${source} into ${target} of ${repository}`,
  preview: (params: MergeParams, context: Parameters<typeof previewMerge>[2]) => previewMerge(repositories, params, context),
});

/** `git.merge`: one branch into another, of the repositories this executor knows. */
export const gitMerge = (repositories: Repositories): ActionType =>
  defineAction({ name: 'git.merge', ...mergeCommon(repositories), steps: [mergeStep(repositories)] });
