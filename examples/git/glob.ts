/**
 * Does a path match a pattern of the policy? `*` and `?` stay within a folder, `**` stands for any number of folders. A pattern may begin with the name of
 * a repository and a colon: `infra:prod/**`. Paths are the agent's: the time taken grows with pattern times path, no faster.
 */
export function matchesGlob(pattern: string, repository: string, path: string): boolean {
  const [, scope, glob = ''] = /^(?:([a-z0-9][a-z0-9._-]*):)?(.*)$/s.exec(pattern) ?? [];
  if (scope !== undefined && scope !== repository) return false;
  return table(glob.split('/'), path.split('/'), '**', (want, part) => table([...want], [...part], '*', (w, p) => w === '?' || w === p));
}

/** Whole-sequence matching where `any` stands for any number of elements, none too: row by row, without going back. */
function table<T>(wants: readonly string[], parts: readonly T[], any: string, same: (want: string, part: T) => boolean): boolean {
  let row = [true, ...parts.map(() => false)];
  for (const want of wants) {
    const next = [want === any && row[0] === true];
    for (const [i, part] of parts.entries())
      next.push(want === any ? row[i + 1] === true || next[i] === true : row[i] === true && same(want, part));
    row = next;
  }
  return row.at(-1) === true;
}
