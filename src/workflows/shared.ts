import { p256 } from '@noble/curves/nist.js';
import { object, string } from 'zod';
import * as admit from '../domain/admit.js';
import * as breakGlass from '../domain/break-glass.js';
import * as bytes from '../domain/bytes.js';
import * as codes from '../domain/codes.js';
import * as confirm from '../domain/confirm.js';
import * as delegation from '../domain/delegation.js';
import * as dsse from '../domain/dsse.js';
import * as ed25519 from '../domain/ed25519.js';
import * as floor from '../domain/floor.js';
import * as hash from '../domain/hash.js';
import * as ids from '../domain/ids.js';
import * as instant from '../domain/instant.js';
import * as jsonSchema from '../domain/json-schema.js';
import * as json from '../domain/json.js';
import * as keyRing from '../domain/key-ring.js';
import * as keys from '../domain/keys.js';
import * as objectsAnswer from '../domain/objects/answer.js';
import * as objectsDecision from '../domain/objects/decision.js';
import * as objectsDelegation from '../domain/objects/delegation.js';
import * as objectsEntry from '../domain/objects/entry.js';
import * as objectsEnvelope from '../domain/objects/envelope.js';
import * as objectsReply from '../domain/objects/reply.js';
import * as objectsRequest from '../domain/objects/request.js';
import * as objectsReview from '../domain/objects/review.js';
import * as objectsStop from '../domain/objects/stop.js';
import * as outcome from '../domain/outcome.js';
import * as passkey from '../domain/passkey.js';
import * as pointer from '../domain/pointer.js';
import * as policyBudget from '../domain/policy/budget.js';
import * as policyMatch from '../domain/policy/match.js';
import * as policyError from '../domain/policy/policy-error.js';
import * as postReview from '../domain/post-review.js';
import * as quorum from '../domain/quorum.js';
import * as receipt from '../domain/receipt.js';
import * as reviewBallot from '../domain/review/ballot.js';
import * as reviewClocks from '../domain/review/clocks.js';
import * as reviewDialogue from '../domain/review/dialogue.js';
import * as reviewKept from '../domain/review/kept.js';
import * as reviewPatience from '../domain/review/patience.js';
import * as reviewReview from '../domain/review/review.js';
import * as signedMessage from '../domain/signed-message.js';
import * as tally from '../domain/tally.js';
import * as verifyMemory from '../domain/verify-memory.js';
import * as viewV1 from '../domain/view/v1.js';
import * as viewVisible from '../domain/view/visible.js';

/**
 * Loaded once for all runs of a worker, not once a run: setting up curves and schemas costs more than an action costs to review, in time and in memory.
 * The checks below fill the curves' tables, and a worker whose curves are wrong does not start. (Imports alone would be dropped by the bundler, which
 * knows these packages to be free of side effects.) test/workflows/shared.test.ts holds the list to what the bundle contains.
 */

// The SDK takes a stack for every promise of a run, which costs more than its signatures. The nearest frames tell where a run stands.
Error.stackTraceLimit = 4;

// RFC 8032, §7.1, test 2.
const ED25519 = {
  key: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
  message: '72',
  signature:
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
};
// RFC 6979, §A.2.5, SHA-256, message "sample".
const P256 = {
  key: '0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299',
  message: '73616d706c65',
  signature:
    'efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8',
};

if (!ed25519.verify(bytes.fromHex(ED25519.signature), bytes.fromHex(ED25519.message), bytes.fromHex(ED25519.key)))
  throw new Error('Ed25519 does not verify the test vector of RFC 8032.');
if (!p256.verify(bytes.fromHex(P256.signature), bytes.fromHex(P256.message), bytes.fromHex(P256.key), { lowS: false }))
  throw new Error('P-256 does not verify the test vector of RFC 6979.');

// The first object schema completes zod's own set-up, which writes to what will be frozen.
object({ set: string() }).safeParse({ set: 'up' });

/**
 * All of src/domain that workflows use. Shared, because it is pure: what these modules keep between calls (parsed keys, what schemas work out when first
 * used) changes no answer. Frozen here, one level deep: the SDK then leaves alone what they export, and schemas can work out the rest later.
 */
for (const module of [
  admit,
  breakGlass,
  bytes,
  codes,
  confirm,
  delegation,
  dsse,
  ed25519,
  floor,
  hash,
  ids,
  instant,
  jsonSchema,
  json,
  keyRing,
  keys,
  objectsAnswer,
  objectsDecision,
  objectsDelegation,
  objectsEntry,
  objectsEnvelope,
  objectsReply,
  objectsRequest,
  objectsReview,
  objectsStop,
  outcome,
  passkey,
  pointer,
  policyBudget,
  policyMatch,
  policyError,
  postReview,
  quorum,
  receipt,
  reviewBallot,
  reviewClocks,
  reviewDialogue,
  reviewKept,
  reviewPatience,
  reviewReview,
  signedMessage,
  tally,
  verifyMemory,
  viewV1,
  viewVisible,
])
  Object.freeze(module);
