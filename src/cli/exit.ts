import type { Outcome } from '../domain/outcome.js';

/** What a process of the command line ends with (design §11). */
export const EXIT = { ok: 0, error: 1, usage: 2, none: 3, undone: 4, person: 5, waiting: 6 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The exit code that an action's outcome stands for: what became of the world, or that nobody can tell yet. */
export function exitOf({ effect, final }: Pick<Outcome, 'effect' | 'final'>): ExitCode {
  switch (effect) {
    case 'done':
      return EXIT.ok;
    case 'undone':
      return EXIT.undone;
    case 'unknown':
    case 'partial':
      return EXIT.person;
    case 'none':
      return final ? EXIT.none : EXIT.waiting;
    case 'in_progress':
      return EXIT.waiting;
  }
}
