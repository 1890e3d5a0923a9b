import { actionSchema } from '../domain/http.js';
import type { ActionId } from '../domain/ids.js';
import type { Roster } from '../domain/roster.js';
import { onSeatOf } from './action/delegations.js';
import { verifyAction, type VerifiedAction } from './action/verified.js';
import { CliError } from './errors.js';
import { openApi, type Api } from './http.js';
import { resolveId } from './ids.js';
import type { Author } from './identity.js';
import type { Session } from './session.js';
import type { Workspace } from './workspace.js';

const POLL_MS = 250;
/** Answers that may be other in a moment. */
export const PASSING: ReadonlySet<string> = new Set(['api_unreachable', 'temporal_unavailable', 'rate_limited']);

/** Where one author sits: the folder, the API, and the eye that believes only what an executor signed. */
export class Desk {
  private constructor(
    readonly session: Session,
    readonly workspace: Workspace,
    readonly roster: Roster,
    readonly author: Author,
    readonly api: Api,
  ) {}

  static async open(session: Session, author: Author): Promise<Desk> {
    const workspace = await session.workspace();
    return new Desk(session, workspace, await workspace.roster(), author, await openApi(session, author));
  }

  /** The action whose id begins so, checked. */
  async find(idText: string): Promise<VerifiedAction> {
    return this.read(await resolveId(this.api, idText));
  }

  /** `wait`: seconds the API may hold the answer back until the action has ended. */
  async read(id: ActionId, wait?: number): Promise<VerifiedAction> {
    const path = `/v1/actions/${id}${wait === undefined ? '' : `?wait=${wait}`}`;
    return verifyAction(await this.api.get(path, actionSchema, wait), id, this.roster);
  }

  /** What a decision on somebody else's seat carries; nothing for one's own. */
  seatOf(action: VerifiedAction | undefined, from: string | undefined): ReturnType<typeof onSeatOf> {
    const { workspace, roster, author, session } = this;
    return onSeatOf(from, action?.resource.type, { me: author.id, workspace, roster, now: session.now() });
  }

  /** Looks until it is as wanted, at most `ms`; what was seen last then, or undefined if nothing could be read at all. */
  async readUntil(id: ActionId, wanted: (action: VerifiedAction) => boolean, ms: number): Promise<VerifiedAction | undefined> {
    const end = this.session.now() + ms;
    let last: VerifiedAction | undefined;
    for (;;) {
      try {
        last = await this.read(id);
      } catch (error) {
        if (!(error instanceof CliError) || !PASSING.has(error.code)) throw error;
      }
      if ((last !== undefined && wanted(last)) || this.session.now() >= end) return last;
      await new Promise((done) => setTimeout(done, POLL_MS));
    }
  }
}
