import { appendFileSync } from 'node:fs';
import { PluginKind, declareClassPlugin } from '@stryker-mutator/api/plugin';

/** Every verdict as it is found, one JSON a line: the report comes only when the last mutant of a folder has been met. */
const FILE = '.cache/stryker/verdicts.jsonl';

class Tell {
  onMutantTested({ fileName, location, mutatorName, replacement, status, killedBy, statusReason }) {
    appendFileSync(FILE, `${JSON.stringify({ fileName, location, mutatorName, replacement, status, killedBy, statusReason })}\n`);
  }
}

export const strykerPlugins = [declareClassPlugin(PluginKind.Reporter, 'tell', Tell)];
