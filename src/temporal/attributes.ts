import { defineSearchAttributeKey, TypedSearchAttributes } from '@temporalio/common';

/**
 * The search attributes of an `agentAction` run (design §8): what the operator's list view sorts and filters by. Plain text on the
 * server, never encrypted, so never parameters. Nothing from Node here: the workflow imports this file.
 */
export const attributes = {
  status: defineSearchAttributeKey('KeyturnStatus', 'KEYWORD'),
  type: defineSearchAttributeKey('KeyturnType', 'KEYWORD'),
  agent: defineSearchAttributeKey('KeyturnAgent', 'KEYWORD'),
  risk: defineSearchAttributeKey('KeyturnRisk', 'KEYWORD'),
  rule: defineSearchAttributeKey('KeyturnRule', 'KEYWORD'),
  /** Ids of the people whose decision is still asked for. */
  awaiting: defineSearchAttributeKey('KeyturnAwaiting', 'KEYWORD_LIST'),
  deadline: defineSearchAttributeKey('KeyturnDeadline', 'DATETIME'),
};

/** `--search-attribute Name=Type …`: the same list for `temporal server start-dev`. A name the server does not know fails the start of a run. */
export const searchAttributeArgs: string[] = Object.values(attributes).flatMap(({ name, type }) => [
  '--search-attribute',
  `${name}=${TypedSearchAttributes.toMetadataType(type)}`,
]);
