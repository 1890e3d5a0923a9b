import {
  isGrpcServiceError,
  NamespaceNotFoundError,
  ServiceError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
  type Client,
} from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { throughGate } from './gate.js';

/** How long Temporal, or a worker behind it, may take before the API says that it did not answer. */
export const PATIENCE_MS = 3_000;

/** gRPC's numbers. */
const INVALID_ARGUMENT = 3;
const NOT_FOUND = 5;
const ALREADY_EXISTS = 6;
const PERMISSION_DENIED = 7;
const FAILED_PRECONDITION = 9;
const UNAVAILABLE = 14;

export type Execution = temporal.api.workflow.v1.IWorkflowExecutionInfo;
export type Payload = temporal.api.common.v1.IPayload;
export type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

/** Every call has a deadline, without which the client waits for ever, and its place among those under way. */
export const within = <T>(client: Client, ms: number, work: () => Promise<T>): Promise<T> =>
  throughGate(client, () => client.withDeadline(Date.now() + ms, work));

function grpcCode(error: unknown): number | undefined {
  if (isGrpcServiceError(error)) return error.code;
  return error instanceof ServiceError ? grpcCode(error.cause) : undefined;
}

/** No answer in time, or no server, or none that serves us: as opposed to an answer we do not like. */
export function isNoAnswer(error: unknown): boolean {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || error instanceof NamespaceNotFoundError) return true;
  const code = grpcCode(error);
  if (code === undefined) return error instanceof ServiceError;
  return ![INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED].includes(code);
}

/** The call certainly did not reach Temporal. */
export const isUnreached = (error: unknown): boolean => grpcCode(error) === UNAVAILABLE;
export const isNotFound = (error: unknown): boolean => grpcCode(error) === NOT_FOUND;

/** The last task of the run failed, as under a flood of signals: until the next one succeeds the server refuses Updates, and may take them again at once. */
export const isBetweenTasks = (error: unknown): boolean => grpcCode(error) === FAILED_PRECONDITION;

/** What a payload carries, through the client's own codecs and converter; undefined where there is none. */
export async function decoded(client: Client, payload: Payload | null | undefined): Promise<unknown> {
  if (payload === null || payload === undefined) return undefined;
  const { payloadCodecs, payloadConverter } = client.workflow.options.loadedDataConverter;
  let payloads = [payload];
  for (const codec of [...payloadCodecs].reverse()) payloads = await codec.decode(payloads);
  const [first] = payloads;
  return first === undefined ? undefined : payloadConverter.fromPayload(first);
}
