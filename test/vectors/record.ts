import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { format } from 'prettier';
import { fromHex } from '../../src/domain/bytes.js';
import { digestOfSigned, PAYLOAD_TYPES, signerOf, type ObjectKind } from '../../src/domain/dsse.js';
import { canonicalize } from '../../src/domain/json.js';
import { envelopeSchema } from '../../src/domain/objects/envelope.js';
import { viewDigestOf, viewV1 } from '../../src/domain/view/v1.js';
import { packageRoot } from '../../src/temporal/paths.js';
import { schemaShapes } from './schemas.js';

/**
 * `npm run vectors`: what follows from the objects written in objects.json and view-v1.json (bytes, digests, signatures, views) is written anew. Only until
 * 0.1.0 is released: from then on these files never change, for their bytes are what other languages and old evidence rely on.
 */
const fileOf = (name: string): string => join(packageRoot, 'test', 'vectors', `${name}.json`);
async function rewrite<T>(name: string, change: (content: T) => void): Promise<void> {
  const content = JSON.parse(await readFile(fileOf(name), 'utf8')) as T;
  change(content);
  await writeFile(fileOf(name), await format(JSON.stringify(content), { parser: 'json', printWidth: 140 }));
}

interface Golden {
  readonly name: string;
  readonly kind: ObjectKind;
  readonly object: object;
  canonical: string;
  digest: string;
  sig: string;
}
await rewrite<{ payloadTypes: Record<string, string> }>('dsse', (dsse) => {
  dsse.payloadTypes = PAYLOAD_TYPES;
});
const envelopes = new Map<string, Golden>();
await rewrite<{ seed: string; objects: Golden[] }>('objects', ({ seed, objects }) => {
  const signer = signerOf(fromHex(seed));
  for (const each of objects) {
    const signed = signer.sign(each.kind, each.object);
    each.canonical = canonicalize(each.object);
    each.digest = digestOfSigned(signed);
    each.sig = signed.signatures[0]?.sig ?? '';
    if (each.kind === 'envelope') envelopes.set(each.name, each);
  }
});
await rewrite<{ views: { readonly name: string; envelope: string; view: unknown; digest: string }[] }>('view-v1', ({ views }) => {
  for (const each of views) {
    const of = envelopes.get(`envelope, ${each.name}`);
    const envelope = envelopeSchema.parse(of?.object);
    each.envelope = of?.digest ?? '';
    each.view = viewV1(envelope);
    each.digest = viewDigestOf(envelope);
  }
});
await rewrite<{ schemas: unknown }>('schemas', (content) => {
  content.schemas = schemaShapes();
});
