import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';

/**
 * The packages' signatures, remembered: the tests sign and verify the same bytes with the same keys for every mutant. Pure functions of other people's
 * packages, by all their arguments; no mutant is in them. Whoever mutates what they call back switches the memory off.
 */
const require = createRequire(import.meta.url);
const crypto = require('node:crypto');
const MOST = 200_000;

export const memory = { on: false };
const known = new Map();
const bytesOf = (value) =>
  value instanceof Uint8Array
    ? `${value.length}:${Buffer.from(value.buffer, value.byteOffset, value.length).toString('latin1')}`
    : undefined;
const nameOf = (parts) => crypto.createHash('sha256').update(parts.join('\0'), 'latin1').digest('base64');

function remembering(name, call) {
  return (...args) => {
    // Only bytes and plain options make a name: whatever else comes is worked out.
    if (!memory.on || args.some((arg) => typeof arg === 'function' || typeof arg === 'bigint')) return call(...args);
    const key = nameOf([name, ...args.map((arg) => bytesOf(arg) ?? (arg === undefined ? '-' : JSON.stringify(arg)))]);
    if (known.has(key)) return copyOf(known.get(key));
    const result = call(...args);
    if (known.size >= MOST) known.clear();
    known.set(key, copyOf(result));
    return result;
  };
}

/** Kept for the processes to come; by the package's version, for another may have been mended. */
const { version } = JSON.parse(readFileSync(resolve(dirname(require.resolve('@noble/curves/ed25519.js')), 'package.json'), 'utf8'));
const KEPT = resolve(import.meta.dirname, '../../.cache/stryker', `signatures-${version}.json`);
if (existsSync(KEPT))
  for (const [key, value] of JSON.parse(readFileSync(KEPT, 'utf8')))
    known.set(key, typeof value === 'string' ? new Uint8Array(Buffer.from(value, 'base64')) : value);
export function keepForOthers() {
  const all = [...known].map(([key, value]) => [key, value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value]);
  mkdirSync(dirname(KEPT), { recursive: true });
  writeFileSync(`${KEPT}.new`, JSON.stringify(all));
  renameSync(`${KEPT}.new`, KEPT);
}
const copyOf = (value) => (value instanceof Uint8Array ? Uint8Array.from(value) : value);

function curve(name, original) {
  return {
    ...original,
    sign: remembering(`${name}.sign`, original.sign),
    verify: remembering(`${name}.verify`, original.verify),
    getPublicKey: remembering(`${name}.getPublicKey`, original.getPublicKey),
  };
}

/** A point decoded once, with the one costly question about it answered once. */
function rememberedPoint(Point) {
  const decode = (bytes, zip215) => Point.fromBytes(bytes, zip215);
  const points = new Map();
  return class extends Point {
    static fromBytes(bytes, zip215) {
      if (!memory.on) return decode(bytes, zip215);
      const key = `${zip215}${bytesOf(bytes)}`;
      if (!points.has(key)) {
        const point = decode(bytes, zip215);
        let torsionFree;
        points.set(key, Object.create(point, { isTorsionFree: { value: () => (torsionFree ??= point.isTorsionFree()) } }));
      }
      return points.get(key);
    }
  };
}

/** Random bytes, the same ones for every run of a test: what is signed over them is remembered too. */
export const chance = { drawn: 0 };
function drawn(count) {
  const { createHash } = crypto;
  const blocks = Array.from({ length: Math.ceil(count / 32) }, () => createHash('sha256').update(`chance ${chance.drawn++}`).digest());
  return Buffer.concat(blocks).subarray(0, count);
}
const uuid = () =>
  drawn(16)
    .toString('hex')
    .replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-4$3-8$4-$5');

export function rememberedPackages() {
  const ed = require('@noble/curves/ed25519.js');
  const nist = require('@noble/curves/nist.js');
  const edwards = require('@noble/curves/abstract/edwards.js');
  return {
    'node:crypto': { ...crypto, randomBytes: drawn, randomUUID: uuid },
    '@noble/curves/ed25519.js': { ...ed, ed25519: { ...curve('ed25519', ed.ed25519), Point: rememberedPoint(ed.ed25519.Point) } },
    '@noble/curves/nist.js': { ...nist, p256: curve('p256', nist.p256) },
    '@noble/curves/abstract/edwards.js': { ...edwards, eddsa: (...args) => curve('eddsa', edwards.eddsa(...args)) },
  };
}
