import { generateKeyPairSync, createHash, createSign, randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { canonicalBytes } from '../../src/domain/json.js';
import { toBase64Url, utf8 } from '../../src/domain/bytes.js';
import { PAYLOAD_TYPES, preAuthEncoding, type Signed } from '../../src/domain/dsse.js';
import { toInstant } from '../../src/domain/instant.js';
import { parsePublicKey, passkeyText } from '../../src/domain/keys.js';
import { neverThrowingCodec } from '../../src/temporal/codec.js';
import { dataConverter } from '../../src/temporal/data-converter.js';
import { approve, nonce, type SealedRevision } from '../helpers/messages.js';
import { Rig } from '../helpers/rig.js';
import { DEPLOYMENT } from '../helpers/rules-fixture.js';
import { keyOfPerson, signerOf } from '../helpers/signers.js';

const now = (): { at: number } => ({ at: Date.now() });

/** A software passkey, labelled as such: what an authenticator signs for `localhost`, made by hand. */
function softwarePasskey() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const text = passkeyText(new Uint8Array(randomBytes(16)), new Uint8Array(publicKey.export({ type: 'spki', format: 'der' })).slice(-65));
  const key = parsePublicKey(text);
  if (key === undefined) throw new Error('the software passkey has no usable key');
  const approveAs = (person: string, { envelope, digest, view }: SealedRevision): Signed => {
    const payload = canonicalBytes({
      v: 1,
      deployment: DEPLOYMENT,
      actionId: envelope.actionId,
      digest,
      revision: envelope.revision,
      view,
      person,
      keyId: key.id,
      nonce: nonce(),
      issuedAt: toInstant(Date.now()),
      verdict: 'approve',
    });
    const challenge = createHash('sha256').update(preAuthEncoding(PAYLOAD_TYPES.decision, payload)).digest();
    const clientDataJSON = utf8(
      JSON.stringify({
        type: 'webauthn.get',
        challenge: challenge.toString('base64url'),
        origin: envelope.webauthn.origins[0],
        crossOrigin: false,
      }),
    );
    const rp = createHash('sha256').update(envelope.webauthn.rpId).digest();
    const authenticatorData = Buffer.concat([rp, Buffer.from([0x05, 0, 0, 0, 0])]);
    const sig = createSign('sha256')
      .update(Buffer.concat([authenticatorData, createHash('sha256').update(clientDataJSON).digest()]))
      .sign(privateKey);
    const passkey = { authenticatorData: toBase64Url(authenticatorData), clientDataJSON: toBase64Url(clientDataJSON) };
    return {
      payloadType: PAYLOAD_TYPES.decision,
      payload: toBase64Url(payload),
      signatures: [{ keyid: key.id, sig: toBase64Url(sig), passkey }],
    };
  };
  return { text, approveAs };
}

describe('what would otherwise be met late', () => {
  test('an ES256 assertion is judged in a validator, and counted by the executor', async () => {
    const passkey = softwarePasskey();
    const rig = await Rig.start({ roster: { people: { ana: `{ name: ana, keys: ['${passkey.text}'] }` } } });
    try {
      const { handle, sealed } = await rig.propose();
      const signed = passkey.approveAs('ana', sealed);
      const broken: Signed = {
        ...signed,
        signatures: signed.signatures.map((signature) => ({ ...signature, sig: toBase64Url(randomBytes(70)) })),
      };
      expect(await rig.decide(handle, broken)).toBe('signature_invalid');
      expect(await rig.decide(handle, signed)).toBe('counted');
      expect(await rig.decide(handle, approve('ben', sealed, now()))).toBe('counted');
      expect(await rig.outcome(handle)).toMatchObject({ status: 'succeeded' });
    } finally {
      await rig.stop();
    }
  });

  test('100 eligible people with 3 keys each: sealed, judged and run', async () => {
    const ids = Array.from({ length: 98 }, (_, i) => `p${String(i).padStart(2, '0')}`);
    const people = Object.fromEntries(
      ids.map((id) => [
        id,
        `{ name: ${id}, keys: [${[keyOfPerson(id), signerOf(`person:${id}:2`), signerOf(`person:${id}:3`)].map((signer) => `'${signer.key.text}'`).join(', ')}] }`,
      ]),
    );
    const rig = await Rig.start({
      roster: { people, groups: { finance: [...ids, 'ana'], 'finance-leads': ['eva'] } },
      policy: { stages: '[{ name: finance, from: [group:finance], quorum: 3 }]' },
    });
    try {
      const { handle, sealed } = await rig.propose();
      expect(await rig.decide(handle, approve('p00', sealed, now()))).toBe('counted');
      expect(await rig.decide(handle, approve('p00', sealed, { ...now(), by: signerOf('person:p00:2') }))).toBe('seat_taken');
      expect(await rig.decide(handle, approve('p50', sealed, { ...now(), by: signerOf('person:p50:3') }))).toBe('counted');
      expect(await rig.decide(handle, approve('p97', sealed, now()))).toBe('counted');
      expect(await rig.outcome(handle)).toMatchObject({ status: 'succeeded' });
    } finally {
      await rig.stop();
    }
  });

  test('a throwing codec and payloads that no converter reads leave the run alive', async () => {
    const rig = await Rig.start();
    try {
      const { handle, sealed } = await rig.propose();
      const service = rig.client.workflowService;
      const corrupt = [
        { metadata: { encoding: utf8('json/plain') }, data: utf8('{"broken') },
        { metadata: { encoding: utf8('binary/unheard-of') }, data: utf8('x') },
        { metadata: { encoding: utf8('') }, data: utf8('x') },
      ];
      for (const payload of corrupt) {
        for (const signalName of ['decision', 'lodge']) {
          await service.signalWorkflowExecution({
            namespace: rig.server.namespace,
            workflowExecution: { workflowId: handle.workflowId },
            signalName,
            input: { payloads: [payload] },
            identity: 'somebody',
          });
        }
      }
      expect(await rig.decide(handle, approve('ana', sealed, now()))).toBe('counted');
      expect(await rig.decide(handle, approve('ben', sealed, now()))).toBe('counted');
      expect(await rig.outcome(handle)).toMatchObject({ status: 'succeeded' });
    } finally {
      await rig.stop();
    }
    const codec = neverThrowingCodec({
      encode: async (payloads) => payloads,
      decode: async () => {
        throw new Error('the key service said no');
      },
    });
    expect(dataConverter).toBeDefined();
    await expect(codec.decode([{ metadata: { encoding: utf8('binary/encrypted') }, data: utf8('x') }])).resolves.toHaveLength(1);
  });
});
