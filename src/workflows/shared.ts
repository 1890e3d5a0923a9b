/**
 * Loaded once for all runs of a worker, not once a run: setting up curves and schemas' machinery costs more than an action costs to review.
 * The SDK freezes what is shared, so only modules that never change themselves belong here.
 */
import '@noble/curves/ed25519.js';
import '@noble/curves/nist.js';
import '@noble/hashes/sha2.js';
import 'zod';
