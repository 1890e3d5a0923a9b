import type { Attack } from './attack.js';
import { byAgents } from './attacks/by-agents.js';
import { byHosts } from './attacks/by-hosts.js';
import { byNamespace } from './attacks/by-namespace.js';
import { byPeople } from './attacks/by-people.js';
import { byRogueWorkers } from './attacks/by-rogue-workers.js';
import { ofAnswers } from './attacks/of-answers.js';
import { ofBreakGlass } from './attacks/of-break-glass.js';
import { ofRules } from './attacks/of-rules.js';

/** In the order they run. */
export const ATTACKS: readonly Attack[] = [
  ...byAgents,
  ...byNamespace,
  ...byRogueWorkers,
  ...byPeople,
  ...ofBreakGlass,
  ...ofAnswers,
  ...byHosts,
  ...ofRules,
];
