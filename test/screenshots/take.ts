import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { startAction } from '../../src/api/temporal/start.js';
import { readPayload } from '../../src/domain/dsse.js';
import { requestSchema } from '../../src/domain/objects/request.js';
import { attributes } from '../../src/temporal/attributes.js';
import { freePort } from '../../src/temporal/free-port.js';
import { packageRoot } from '../../src/temporal/paths.js';
import { approve, request, type Proposal } from '../helpers/messages.js';
import { listed } from '../helpers/operator.js';
import { Rig, type Held } from '../helpers/rig.js';

/**
 * `npm run screenshots`: real actions on a real server, its own Web UI in a headless Chromium; writes docs/images and follows every deep link of
 * docs/operating.md, whose list must show what visibility answers. Made by hand: CI has no Chromium.
 */
const now = (): { at: number } => ({ at: Date.now() });
const out = join(packageRoot, 'docs', 'images');
const uiPort = await freePort();
const ui = `http://127.0.0.1:${uiPort}`;
const profile = await mkdtemp(join(tmpdir(), 'keyturn-chromium-'));
await mkdir(out, { recursive: true });

const rig = await Rig.start({
  uiPort,
  policy: {
    stages: '[{ name: finance, from: [group:finance], quorum: 2, remind: [1h], escalate: [{ after: 8h, to: [group:finance-leads] }] }]',
  },
});

async function propose(vendor: string, proposal: Proposal = {}): Promise<Held> {
  const { id, signed } = request({ params: { vendor, cents: 480_000 }, ...proposal });
  await startAction(rig.client, { id, request: requestSchema.parse(readPayload('request', signed)), signed, again: false });
  const handle = rig.client.workflow.getHandle(id);
  return { id, handle, sealed: await rig.sealed(handle, 1) };
}
async function agree({ handle, sealed }: Held): Promise<void> {
  await rig.decide(handle, approve('ana', sealed, now()));
  await rig.decide(handle, approve('ben', sealed, now()));
}

async function scene() {
  const paid = await propose('ACME GmbH');
  await agree(paid);
  await rig.outcome(paid.handle);
  const undone = await propose('Umbrella', { type: 'payments.batch' });
  rig.bank.plan({ run: ['ok', 'failed'] });
  await agree(undone);
  await rig.outcome(undone.handle);
  const unknown = await propose('Initech', { type: 'payments.blind' });
  rig.bank.plan({ run: ['lost_after'] });
  await agree(unknown);
  await listed(rig, unknown.handle, 'outcome_unknown');
  const terminated = await propose('Shell Co');
  await terminated.handle.terminate('looked odd');
  await propose('Globex');
  const held = await propose('ACME GmbH');
  await rig.decide(held.handle, approve('ana', held.sealed, now()));
  await listed(rig, held.handle, 'awaiting_approval');
  return { held, undone, unknown };
}

/** The columns an operator wants; the Web UI keeps them in the browser. */
const { status, awaiting, deadline, ...others } = attributes;
const COLUMNS = ['Workflow ID', ...[status, awaiting, deadline, ...Object.values(others)].map(({ name }) => name)].map((label) => ({
  label,
}));

async function shoot(page: Page, name: string, path: string, shown: string): Promise<void> {
  await page.goto(ui + path);
  // Details are in a frame of their own.
  const found = async (): Promise<boolean> =>
    (
      await Promise.all(
        page.frames().map((frame) =>
          frame
            .getByText(shown)
            .count()
            .catch(() => 0),
        ),
      )
    ).some((count) => count > 0);
  for (const end = Date.now() + 15_000; !(await found()); await page.waitForTimeout(200)) {
    if (Date.now() < end) continue;
    await page.screenshot({ path: join(profile, '..', `keyturn-${name}-failed.png`) });
    throw new Error(`${path} does not show: ${shown}`);
  }
  await page.waitForTimeout(2_000);
  await page.screenshot({ path: join(out, `${name}.png`) });
  console.log(`docs/images/${name}.png  ${path}`);
}

/** Throws unless the page lists exactly the actions visibility answers the query with. */
async function follow(page: Page, link: URL): Promise<void> {
  const query = link.searchParams.get('query') ?? '';
  const wanted: string[] = [];
  for await (const { workflowId } of rig.client.workflow.list({ query })) wanted.push(workflowId);
  await page.goto(`${ui}${link.pathname}${link.search}`);
  const seen = async (): Promise<string> => [...new Set((await page.content()).match(/act_[0-9a-z]{26}/g) ?? [])].sort().join();
  for (const end = Date.now() + 20_000; (await seen()) !== wanted.sort().join(); await page.waitForTimeout(200)) {
    if (Date.now() < end) continue;
    await page.screenshot({ path: join(profile, '..', 'keyturn-link-failed.png') });
    throw new Error(`${link.href} lists ${await seen()}, not ${wanted.join()}`);
  }
  // A moment more, so that an empty list is one that stays empty.
  await page.waitForTimeout(1_500);
  if ((await seen()) !== wanted.sort().join()) throw new Error(`${link.href} lists ${await seen()}, not ${wanted.join()}`);
  console.log(`${String(wanted.length).padStart(2)} listed  ${link.searchParams.get('savedQuery') ?? ''}: ${query}`);
}

/** `KEYTURN_CHROMIUM`, else the first of the usual names on PATH. */
function chromiumPath(): string {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const usual = ['chromium', 'chromium-browser', 'google-chrome'].flatMap((name) => folders.map((folder) => join(folder, name)));
  const found = [process.env['KEYTURN_CHROMIUM'] ?? '', ...usual].find((path) => path !== '' && existsSync(path));
  if (found === undefined) throw new Error('No Chromium: install one, or set KEYTURN_CHROMIUM to its path.');
  return found;
}

try {
  const { held, undone, unknown } = await scene();
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: chromiumPath(),
    headless: true,
    viewport: { width: 1700, height: 880 },
    colorScheme: 'light',
    timezoneId: 'UTC',
    args: [
      ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
      ...['--disable-component-update', '--disable-sync'],
    ],
  });
  try {
    await browser.addInitScript(
      `localStorage.setItem('namespace-workflow-table-columns', ${JSON.stringify(JSON.stringify({ default: COLUMNS }))})`,
    );
    const page = browser.pages()[0] ?? (await browser.newPage());
    const workflow = async (of: Held): Promise<string> =>
      `/namespaces/default/workflows/${of.id}/${(await of.handle.describe()).runId}/user-metadata`;
    await shoot(page, 'list', `/namespaces/default/workflows?query=${encodeURIComponent("WorkflowType = 'agentAction'")}`, held.id);
    await shoot(page, 'held', await workflow(held), 'Waiting for 1 more of 2');
    await shoot(page, 'undone', await workflow(undone), 'Undone');
    await shoot(page, 'needs-a-person', await workflow(unknown), 'Needs a person');
    const operating = await readFile(join(packageRoot, 'docs', 'operating.md'), 'utf8');
    for (const [, href = ''] of operating.matchAll(/\((http:\/\/localhost:8233\/[^)]+)\)/g)) await follow(page, new URL(href));
  } finally {
    await browser.close();
  }
} finally {
  await rig.stop();
  await rm(profile, { recursive: true, force: true });
}
