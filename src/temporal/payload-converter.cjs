/**
 * The default payload converter, but `fromPayload` never throws: what cannot be read becomes a marker that every strict schema refuses.
 * With the SDK's own, one signal of broken JSON fails its workflow task again and again, and the run is stuck for ever.
 *
 * CommonJS because it has three readers: the SDK `require`s the path it is given (client and worker; jest cannot require ES modules
 * before Node 24.9), and webpack puts it into the workflow bundle. So it is shipped from src, not compiled, and uses nothing from Node.
 *
 * The reason is one of a closed set, never an error's text: that text changes between V8 versions, and a workflow that let it reach
 * a command would not replay.
 */
'use strict';

const { defaultPayloadConverter } = require('@temporalio/common');

/** @param {import('@temporalio/common').Payload} payload */
function reasonOf(payload) {
  const bytes = payload?.metadata?.encoding;
  if (bytes === undefined || bytes === null) return 'encoding_missing';
  const encoding = String.fromCharCode(...Array.prototype.slice.call(bytes, 0, 100));
  return defaultPayloadConverter.converterByEncoding.has(encoding) ? 'data_unreadable' : 'encoding_unknown';
}

exports.payloadConverter = {
  toPayload: (value, context, hint) => defaultPayloadConverter.toPayload(value, context, hint),
  fromPayload(payload, context, hint) {
    try {
      return defaultPayloadConverter.fromPayload(payload, context, hint);
    } catch {
      return { keyturnUndecodable: reasonOf(payload) };
    }
  },
};
