import { EXIT, type ExitCode } from '../exit.js';
import { apiServer } from '../doctor/api.js';
import { executorDoors } from '../doctor/doors.js';
import { configFile, keyFiles, nodeVersion, policyFile, rosterFile } from '../doctor/files.js';
import type { Finding } from '../doctor/finding.js';
import { ledgerFile } from '../doctor/ledger.js';
import { temporalServer } from '../doctor/temporal.js';
import type { Session } from '../session.js';
import { Page } from '../text/page.js';
import { paintOf } from '../text/paint.js';
import { DEFAULT_URL } from '../workspace.js';

/** `doctor`: a line for each thing that can be wrong; exit 1 if any is. Changes nothing. */
export async function doctor(session: Session): Promise<ExitCode> {
  const workspace = await session.workspace();
  const { roster, findings } = await rosterFile(workspace);
  const all: Finding[] = [nodeVersion(), ...findings];
  if (roster !== undefined) {
    all.push(
      ...(await policyFile(workspace, roster, session.now())),
      configFile(workspace, roster),
      ...(await keyFiles(workspace, roster)),
    );
    all.push(await ledgerFile(workspace, roster, session.env));
    all.push(...(await temporalServer(workspace, roster, session.env, session.now())), ...(await executorDoors(roster)));
  }
  const url = session.globals.url ?? session.env['KEYTURN_URL'] ?? workspace.config.url ?? DEFAULT_URL;
  all.push(...(await apiServer(url.replace(/\/+$/, ''), session.now)));

  const problems = all.filter(({ ok }) => !ok).length;
  const page = new Page(session.terminal.width, paintOf(session.terminal.color));
  for (const finding of all) {
    const line = `${finding.what}: ${finding.text}`;
    if (finding.ok) page.text(line, 'ok       ');
    else page.text(line, 'problem  ').text(finding.remedy, '         → ');
  }
  const end = problems === 0 ? 'all well' : `${problems} ${problems === 1 ? 'problem' : 'problems'}`;
  session.answer({ ok: problems === 0, findings: all }, [...page.lines, end]);
  return problems === 0 ? EXIT.ok : EXIT.error;
}
