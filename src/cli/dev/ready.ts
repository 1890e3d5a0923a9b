/** What a part says of itself in one JSON line when it is ready. */
export interface Ready {
  readonly keyturn: string;
  readonly pid?: number;
  readonly url?: string;
  readonly name?: string;
}

/** A line that is no ready line is just something printed. */
export function parseReady(line: string): Ready | undefined {
  if (!line.startsWith('{')) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('keyturn' in value) || typeof value.keyturn !== 'string') return undefined;
  const text = (name: 'url' | 'name'): Partial<Ready> => {
    const member: unknown = name in value ? (value as Record<string, unknown>)[name] : undefined;
    return typeof member === 'string' ? { [name]: member } : {};
  };
  const pid = 'pid' in value && typeof value.pid === 'number' ? { pid: value.pid } : {};
  return { keyturn: value.keyturn, ...pid, ...text('url'), ...text('name') };
}
