import { z } from 'zod';
import { agentIdSchema, digestSchema, nameSchema, personIdSchema, typeNameSchema } from '../ids.js';
import type { Digest } from '../ids.js';
import { instantSchema, toInstant, toMs } from '../instant.js';
import { parsePublicKey } from '../keys.js';
import type { PublicKey } from '../keys.js';
import { dictionary, either, leaf, list, oneLine, strict } from '../policy/fields.js';
import { typePatternSchema } from '../policy/match.js';

/** The shape of roster.yaml (§9). What needs more than one field to judge is in `check.ts`. */

const MAX_KEYS = 10;
const KEY_SAMPLE = 'ed25519:<SPKI in base64url>, the public half of a key made by `keyturn keys`';
const TIME_SAMPLE = '2026-01-31T09:30:00.000Z';

const whole = (sample: string) => leaf(z.int().min(1), 'a whole number from 1', sample);
const most = (sample: string) => leaf(z.int().min(1).max(1_000_000), 'a whole number from 1 to 1000000', sample);
const flag = (sample: string) => leaf(z.boolean(), 'true or false', sample);
const instant = leaf(instantSchema.transform(toMs), 'a UTC time with milliseconds', TIME_SAMPLE, instantMeant);

function instantMeant(value: unknown): string | undefined {
  const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isFinite(ms) && ms >= 0 ? toInstant(ms) : undefined;
}

/** Malformed and low-order keys (attack case 42) never get in. */
const publicKey = z.string().transform((text, context): PublicKey => {
  const key = parsePublicKey(text);
  if (key !== undefined) return key;
  context.addIssue('no usable key');
  return z.NEVER;
});
/** A passkey stands for a person's touch; machines have none. */
const machineKey = publicKey.refine((key) => key.algorithm === 'ed25519');
const bearerDigest = z
  .string()
  .startsWith('sha256:')
  .transform((text) => text.slice('sha256:'.length))
  .pipe(digestSchema);

const times = { from: instant.optional(), until: instant.optional() };
const withTimes = <K extends z.ZodType<PublicKey>>(key: K) =>
  either(
    key.transform((only): { key: PublicKey; from?: number | undefined; until?: number | undefined } => ({ key: only })),
    strict({ key, ...times }, KEY_SAMPLE),
  );

const personKey = withTimes(leaf(publicKey, 'a usable public key (low-order and malformed ones are refused)', KEY_SAMPLE));
const plainMachineKey = leaf(machineKey, 'a usable Ed25519 key (passkeys are for people; low-order keys are refused)', KEY_SAMPLE);
const keyOfMachine = withTimes(plainMachineKey);
const bearer = leaf(bearerDigest, 'sha256: and 64 lower-case hexadecimal digits', 'sha256:<SHA-256 of the bearer key, in hex>');

/** `key: sha256:…` is another way to write `bearer: sha256:…`. */
const keyOrBearer = either(
  leaf(
    z.union([bearerDigest.transform((digest): { bearer: Digest } => ({ bearer: digest })), machineKey.transform((key) => ({ key }))]),
    'a usable Ed25519 key (passkeys are for people; low-order keys are refused), nor sha256: and 64 lower-case hexadecimal digits',
    `${KEY_SAMPLE}; or sha256:<SHA-256 of a bearer key, in hex>`,
  ),
  strict({ key: plainMachineKey, ...times }, KEY_SAMPLE),
);

const words = (sample: string) => leaf(oneLine(100), 'a text of one line', sample);
const id = <S extends z.ZodType>(schema: S, sample: string) =>
  leaf(schema, 'a name of lower-case letters, digits, ".", "_" or "-"', sample);
const member = leaf(
  z.string().refine((text) => nameSchema.safeParse(text.replace(/^group:/, '')).success),
  'a person, or group:<another group>',
  'ana, or group:leads',
);

const person = strict(
  { name: words('name: Ana Lima'), keys: list(personKey, `keys: [${KEY_SAMPLE}]`, 0, MAX_KEYS), until: instant.optional() },
  '{ name: Ana Lima, keys: [ed25519:…] }',
);
const agent = strict(
  {
    owner: id(personIdSchema, 'owner: dana'),
    key: keyOrBearer.optional(),
    keys: list(keyOfMachine, `keys: [${KEY_SAMPLE}]`, 1, MAX_KEYS).optional(),
    bearer: bearer.optional(),
    propose: list(
      leaf(typePatternSchema, 'a type or prefix.*', 'payments.transfer, or payments.*'),
      'propose: [payments.transfer]',
      1,
      1_000,
    ),
    until: instant.optional(),
    limits: strict(
      { perMinute: most('perMinute: 60').optional(), pending: most('pending: 200').optional() },
      'limits: { perMinute: 60, pending: 200 }',
    ).optional(),
  },
  '{ owner: dana, key: ed25519:…, propose: [payments.transfer] }',
);
const api = strict(
  { key: keyOfMachine.optional(), keys: list(keyOfMachine, `keys: [${KEY_SAMPLE}]`, 1, MAX_KEYS).optional() },
  'api: { key: ed25519:… }',
);
/** https, or http on this machine: a stop message is no secret, but an answer must come from where the roster says. */
const doorAddress = z
  .string()
  .max(300)
  .regex(/^(?:https:\/\/[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|http:\/\/(?:127\.0\.0\.1|localhost|\[::1\]))(?::[1-9][0-9]{0,4})?$/)
  .refine((url) => Number(/:([0-9]+)$/.exec(url)?.[1] ?? 443) <= 65_535);

const executor = strict(
  {
    runs: list(leaf(typeNameSchema, 'the exact name of a type', 'payments.transfer'), 'runs: [payments.transfer]', 1, 1_000),
    keys: list(keyOfMachine, `keys: [${KEY_SAMPLE}]`, 1, MAX_KEYS),
    door: leaf(
      doorAddress,
      'an address: https, or http on this machine; scheme, host and port, no path',
      'door: https://bank-executor.example.com:7879',
    ).optional(),
  },
  '{ runs: [payments.transfer], keys: [ed25519:…] }',
);
const webauthn = strict(
  {
    rpId: leaf(
      z
        .string()
        .max(253)
        .regex(/^[a-z0-9-]+(?:\.[a-z0-9-]+)*$/),
      'a host name',
      'rpId: approve.example.com',
    ),
    origins: list(
      leaf(
        z
          .string()
          .max(300)
          .regex(/^https?:\/\/[a-z0-9.-]+(?::[0-9]{1,5})?$/),
        'an origin: scheme, host and port, no path',
        'https://approve.example.com',
      ),
      'origins: [https://approve.example.com]',
      1,
      10,
    ),
  },
  'webauthn: { rpId: approve.example.com, origins: [https://approve.example.com] }',
);

export const rosterFileSchema = strict(
  {
    schema: leaf(z.literal('keyturn/roster@1'), 'a form this build reads', 'schema: keyturn/roster@1'),
    version: whole('version: 1'),
    deployment: id(nameSchema, 'deployment: acme-prod'),
    development: flag('development: false').optional(),
    selfApproval: flag('selfApproval: false').optional(),
    webauthn: webauthn.optional(),
    people: dictionary(personIdSchema, person, 'people: { ana: { name: Ana Lima, keys: [ed25519:…] } }'),
    groups: dictionary(nameSchema, list(member, '[ana, ben]', 0, 1_000), 'groups: { finance: [ana, ben] }').optional(),
    agents: dictionary(
      agentIdSchema,
      agent,
      'agents: { ap-agent: { owner: dana, key: ed25519:…, propose: [payments.transfer] } }',
    ).optional(),
    api: api.optional(),
    executors: dictionary(nameSchema, executor, 'executors: { bank: { runs: [payments.transfer], keys: [ed25519:…] } }').optional(),
  },
  'schema: keyturn/roster@1 and what it needs',
);
export type RosterFile = z.infer<typeof rosterFileSchema>;
export type FileAgent = z.infer<typeof agent>;
export type FileKey = z.infer<typeof personKey>;
