import { z } from 'zod';
import { digestOf } from '../domain/hash.js';
import type { Digest } from '../domain/ids.js';
import { typeNameSchema } from '../domain/ids.js';
import { canonicalize, type Json, type JsonObject } from '../domain/json.js';
import type { Envelope, UndoPlan } from '../domain/objects/envelope.js';
import { errorText } from './text.js';

/** Thrown by `run`: sure that nothing happened; it may be tried again with the next key while there is time. */
export class NotStarted extends Error {
  override readonly name = 'NotStarted';
  constructor(
    readonly code: string,
    message?: string,
  ) {
    super(message ?? code);
  }
}

/** Thrown by `run`: sure that nothing happened and final; what was done before is undone. Thrown by `undo`: sure that it cannot be undone. */
export class Failed extends Error {
  override readonly name = 'Failed';
  constructor(
    readonly code: string,
    message?: string,
  ) {
    super(message ?? code);
  }
}

/** Thrown by `preview`: people could not be shown all of it. The action is denied; `text` says how to split it (code `preview_too_large`). */
export class PreviewTooLarge extends Error {
  override readonly name = 'PreviewTooLarge';
}

/** Thrown by `preview`: as the target stands, this cannot be done. The action is denied; `text` says what is in its way (code `preview_refused`). */
export class PreviewRefused extends Error {
  override readonly name = 'PreviewRefused';
}

export interface PreviewContext {
  /** `data` of the present policy.yaml: what the platform's owners say about targets. Sealed actions are looked at again by the data of then. */
  readonly policyData: JsonObject;
}
interface Sealed {
  readonly actionId: string;
  /** What the preview returned as precondition when people agreed; null where it returned none. Act on exactly that, not on what is there by now. */
  readonly precondition: Json;
}
export interface RunContext extends Sealed {
  /** `actionId/step/run/attempt`: give it to the target, so that one approval is one effect whatever is retried. */
  readonly idempotencyKey: string;
  /** What `credentials` returned, fetched only now. */
  readonly credentials: unknown;
}
export interface UndoContext extends Sealed {
  /** The idempotency key of the run to undo. */
  readonly undoes: string;
  /** `actionId/step/undo`: the same at every try. */
  readonly idempotencyKey: string;
  readonly credentials: unknown;
}
export interface ProbeContext extends Sealed {
  readonly idempotencyKey: string;
  readonly credentials: unknown;
}

/** `fenced`: it did not happen, and that key can never take effect any more. An unfenced "not done" is `unknown`. */
export type ProbeAnswer =
  { readonly outcome: 'done'; readonly result?: unknown } | { readonly outcome: 'fenced' } | { readonly outcome: 'unknown' };

export type Undo<P> = ((params: P, context: UndoContext) => unknown) | { readonly byHand: string } | 'impossible';

export interface StepDefinition<P> {
  readonly name: string;
  /** Returns: done. Throws `NotStarted` or `Failed`: certainly nothing happened. Any other throw: unknown, so it is probed or put before a person. */
  readonly run: (params: P, context: RunContext) => unknown;
  readonly undo: Undo<P>;
  readonly probe?: (context: ProbeContext, params: P) => ProbeAnswer | Promise<ProbeAnswer>;
}

export interface PreviewDraft {
  readonly changes?: readonly { readonly what: string; readonly from?: string; readonly to?: string }[];
  readonly touches?: readonly string[];
  readonly warnings?: readonly string[];
  /** Any JSON: must be the same again right before the action runs. */
  readonly precondition?: Json;
}

interface Common<S extends z.ZodObject> {
  readonly name: string;
  /** Raise it when the meaning changes: pending actions are then sealed and reviewed again. */
  readonly version?: string;
  readonly params: S;
  /** One sentence: what will happen. Left out: the type's name and parameters. */
  readonly summarize?: (params: z.output<S>) => string;
  /**
   * With read rights only: what would change, what it touches. Throws `PreviewTooLarge` or `PreviewRefused`: denied. Any other throw: tried again, for
   * 15 minutes.
   */
  readonly preview: (params: z.output<S>, context: PreviewContext) => PreviewDraft | Promise<PreviewDraft>;
  /**
   * `'none'`: the preview only informs; nothing it says must still hold when the action runs, so it returns no precondition and is not made again,
   * unless a condition of the policy reads it.
   * Left out: what it returns as precondition, even none, must be the same right before the action runs.
   */
  readonly precondition?: 'none';
  /** JSON pointers reviewers may modify. */
  readonly editable?: readonly string[];
  /** Mints or looks up the target's credential; called after the approval, right before each act. */
  readonly credentials?: (context: { readonly actionId: string }) => unknown;
  readonly result?: z.ZodType;
}
type OneStep<S extends z.ZodObject> = Common<S> & Omit<StepDefinition<z.output<S>>, 'name'>;
type ManySteps<S extends z.ZodObject> = Common<S> & { readonly steps: readonly StepDefinition<z.output<S>>[] };

/** An action type as the executor holds it: parameters are checked before anything else sees them. */
export interface ActionType {
  readonly name: string;
  readonly version: string;
  readonly schema: JsonObject;
  readonly schemaDigest: Digest;
  readonly editable: readonly string[];
  readonly plans: readonly { readonly step: string; readonly plan: UndoPlan }[];
  readonly steps: readonly StepDefinition<JsonObject>[];
  readonly result: z.ZodType | undefined;
  /** False: its preview only informs. */
  readonly hasPrecondition: boolean;
  parse(params: unknown): { readonly ok: true; readonly params: JsonObject } | { readonly ok: false; readonly text: string };
  summarize(params: JsonObject): string;
  preview(params: JsonObject, context: PreviewContext): Promise<PreviewDraft>;
  credentials(context: { readonly actionId: string }): Promise<unknown>;
}

/**
 * Defines an action type (§13). `run`, `undo`, `probe` on top are one step; `steps` are several, undone backwards.
 * Throws `TypeError` on a definition that could not be honoured: a name that is none, no steps, an impossible undo before the last step.
 */
export function defineAction<S extends z.ZodObject>(definition: OneStep<S> | ManySteps<S>): ActionType {
  type P = z.output<S>;
  const name = typeNameSchema.parse(definition.name);
  const steps: readonly StepDefinition<P>[] =
    'steps' in definition
      ? definition.steps
      : [
          {
            name: 'run',
            run: definition.run,
            undo: definition.undo,
            ...(definition.probe === undefined ? {} : { probe: definition.probe }),
          },
        ];
  if (steps.length === 0 || steps.length > 50) throw new TypeError(`${name}: an action has 1 to 50 steps`);
  if (new Set(steps.map((step) => step.name)).size !== steps.length) throw new TypeError(`${name}: two steps of one name`);
  for (const [i, step] of steps.entries()) {
    if (!/^[a-z0-9][a-z0-9._-]{0,39}$/.test(step.name))
      throw new TypeError(`${name}: step name "${step.name}": lower-case letters, digits, ".", "_" or "-"`);
    if (step.undo === 'impossible' && i < steps.length - 1)
      throw new TypeError(`${name}: step "${step.name}" cannot be undone, so it must be the last`);
  }
  const schema = z.toJSONSchema(definition.params, { io: 'input' }) as JsonObject;
  const editable = definition.editable ?? [];
  return {
    name,
    version: definition.version ?? '1',
    schema,
    schemaDigest: digestOf(schema),
    editable,
    plans: steps.map((step) => ({ step: step.name, plan: planOf(step.undo) })),
    // The one cast of this file: the executor hands each step only what `parse` of the same definition returned.
    steps: steps as unknown as readonly StepDefinition<JsonObject>[],
    result: definition.result,
    hasPrecondition: definition.precondition !== 'none',
    parse(params) {
      try {
        const parsed = definition.params.safeParse(params);
        return parsed.success ? { ok: true, params: parsed.data as JsonObject } : { ok: false, text: z.prettifyError(parsed.error) };
      } catch (error) {
        return { ok: false, text: errorText(error) };
      }
    },
    summarize: (params) => definition.summarize?.(params as P) ?? `${name} ${JSON.stringify(params)}`,
    preview: async (params, context) => definition.preview(params as P, context),
    credentials: async (context) => definition.credentials?.(context),
  };
}

/** Whether a type is no longer the one an envelope was sealed with: its version, its parameters, or its steps and how they are undone. */
export const typeMoved = (type: ActionType, { type: sealed, preview }: Envelope): boolean =>
  type.version !== sealed.version || type.schemaDigest !== sealed.schema || canonicalize(type.plans) !== canonicalize(preview.undo);

function planOf(undo: Undo<never>): UndoPlan {
  if (undo === 'impossible') return { undo: 'impossible' };
  return typeof undo === 'function' ? { undo: 'automatic' } : { undo: 'by_hand', how: undo.byHand };
}
