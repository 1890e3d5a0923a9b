import { readFileSync } from 'node:fs';

/** Each secret the parts read, and the variable that may name a file with it instead. */
const FILES = {
  KEYTURN_EXECUTOR_KEY: 'KEYTURN_EXECUTOR_KEY_FILE',
  KEYTURN_API_KEY: 'KEYTURN_API_KEY_FILE',
  KEYTURN_LEDGER: 'KEYTURN_LEDGER_FILE',
} as const;

export interface Secret {
  readonly text: string;
  /** The variable it came by, for messages. */
  readonly from: string;
}

/**
 * The value of the variable, or the content of the file that its `…_FILE` names, as container platforms hand secrets over: a variable is inherited by
 * every child process and shown by `inspect`. Undefined if neither is set. Throws if both are, and if the file is unreadable or empty: a secret that was
 * meant must never turn into the default. No message holds the secret.
 */
export function secretOf(name: keyof typeof FILES, env: NodeJS.ProcessEnv = process.env): Secret | undefined {
  const byFile = FILES[name];
  const [text, path] = [env[name], env[byFile]];
  if (path === undefined) return text === undefined ? undefined : { text, from: name };
  if (text !== undefined) throw new Error(`${name} and ${byFile} are both set. Set one of them.`);
  const read = readSecret(path, byFile);
  if (read === '') throw new Error(`${byFile} names ${path}, which is empty.`);
  return { text: read, from: byFile };
}

function readSecret(path: string, byFile: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new Error(`${byFile} names ${path}, which cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}
