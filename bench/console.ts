/**
 * `npm run bench -- console`: how heavy the console is and how fast it feels, in Debian's chromium against an
 * engine with 10,000 VMs on 500 hosts, one of them with 8 PFs of 128 VFs. The engine has the first core, the
 * browser both. Prints tables and one JSON line; ends with 1 if an aim is missed.
 */
import { gzipSync } from 'node:zlib';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { systemClock } from '../src/base/clock.ts';
import { silentLog } from '../src/base/log.ts';
import { addHosts, addNetworks, addWideHost } from './support/api-fleet.ts';
import { openBenchDatabase } from './support/bench-database.ts';
import { type EngineUnderLoad, startEngineUnderLoad } from './support/engine-under-load.ts';
import { latencyOf, rounded } from './support/http-load.ts';
import { CHROMIUM, ensureBrowserPackages } from '../tools/setup/browser-packages.ts';
import { ensureConsole } from '../tools/setup/console.ts';
import { FLAGS, stateWith } from '../test/support/chromium.ts';

const HOSTS = 500;
const TURNS = 5;
const EVENTS = 40;
const SETTLED_MS = 5_000;
const AIMS = {
  mainScriptKiB: 250,
  firstPageMs: 1_500,
  interactionMs: 100,
  mapMs: 200,
  eventMs: 300,
} as const;
const CELLS = 8 * 128;

/** What the first page loads, compressed, KiB. */
async function weigh(engine: EngineUnderLoad): Promise<number> {
  const html = await (await fetch(engine.url, { headers: { accept: 'text/html' } })).text();
  const scripts = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+\.js)"/g)].map(([, path]) => path ?? '');
  let bytes = 0;
  for (const path of scripts) bytes += gzipSync(await (await fetch(engine.url + path)).text()).length;
  return rounded(bytes / 1024);
}

/** A page of a browser that has nothing of the console yet. */
async function coldPage(browser: Browser, { url, token }: EngineUnderLoad): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    baseURL: url,
    storageState: stateWith(url, token),
  });
  return await context.newPage();
}

/** From the beginning of the navigation until the overview has its facts. */
async function firstPage(browser: Browser, engine: EngineUnderLoad): Promise<number> {
  const page = await coldPage(browser, engine);
  await page.goto('/', { waitUntil: 'commit' });
  await page
    .getByText(/net-8\b/)
    .first()
    .waitFor();
  const ms = await page.evaluate<number>('performance.now()');
  await page.context().close();
  return ms;
}

/** The longest of the interactions while somebody searches and turns pages, as browsers measure them. */
async function interactions(page: Page): Promise<number> {
  await page.goto('/vms');
  await page.getByRole('link', { name: 'vm-00000.prod.example.com' }).waitFor();
  await page.evaluate(`
    window.longest = 0;
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) window.longest = Math.max(window.longest, duration);
    }).observe({ type: 'event', durationThreshold: 16, buffered: true });
  `);
  const search = page.getByRole('searchbox').or(page.getByRole('textbox')).first();
  await search.pressSequentially('vm-012', { delay: 60 });
  await page.getByRole('link', { name: 'vm-01200.prod.example.com' }).waitFor();
  await search.fill('');
  await page.getByRole('link', { name: 'vm-00000.prod.example.com' }).waitFor();
  const next = page.getByRole('button', { name: /next page/i }).first();
  for (let turn = 1; turn <= TURNS; turn++) {
    await next.click();
    await page
      .getByRole('link', { name: `vm-${String(turn * 25).padStart(5, '0')}.prod.example.com` })
      .waitFor();
  }
  return await page.evaluate<number>('window.longest');
}

/** From the answer with the VFs until they are painted. */
async function drawMap(page: Page): Promise<number> {
  await page.goto('/hosts');
  await page.evaluate(`
    window.drawn = new Promise((resolve) => {
      const look = () => {
        const [asked] = performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('/pfs'));
        if (asked && document.querySelectorAll('[role="gridcell"], .vf-cell').length >= ${CELLS})
          requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - asked.responseEnd)));
        else requestAnimationFrame(look);
      };
      look();
    });
    // A promise would be waited for.
    0;
  `);
  await page.getByRole('link', { name: 'wide', exact: true }).click();
  return await page.evaluate<number>('window.drawn');
}

/** From an event's record in the database until the page shows it. */
async function eventDelays(page: Page, record: (message: string) => Promise<unknown>): Promise<number[]> {
  await page.goto('/events');
  await page.getByRole('heading', { name: 'Events' }).waitFor();
  // The line has to be there.
  await record('the first one');
  await page.getByText('the first one').waitFor();
  const delays: number[] = [];
  for (let number = 0; number < EVENTS; number++) {
    const message = `event number ${number} of the benchmark`;
    await page.evaluate(`
      window.seen = new Promise((resolve) => {
        const observer = new MutationObserver(() => {
          if (!document.body.textContent.includes(${JSON.stringify(message)})) return;
          observer.disconnect();
          resolve(Date.now());
        });
        observer.observe(document.body, { childList: true, subtree: true, characterData: true });
      });
      0;
    `);
    const recordedMs = systemClock.now();
    await record(message);
    delays.push((await page.evaluate<number>('window.seen')) - recordedMs);
  }
  return delays;
}

await ensureBrowserPackages(silentLog);
await ensureConsole(silentLog);
const bench = await openBenchDatabase();
let engine: EngineUnderLoad | null = null;
let browser: Browser | null = null;
try {
  await addNetworks(bench.store);
  await addHosts(bench.store, 0, HOSTS);
  await addWideHost(bench.store, 'wide');
  await bench.settle();
  engine = await startEngineUnderLoad(join(bench.dataDir, 'engine'), bench.databaseUrl);
  await systemClock.sleep(SETTLED_MS);
  browser = await chromium.launch({ executablePath: CHROMIUM, args: [...FLAGS] });
  const firstPageMs: number[] = [];
  for (let turn = 0; turn < TURNS; turn++) firstPageMs.push(await firstPage(browser, engine));
  const page = await coldPage(browser, engine);
  const interactionMs = await interactions(page);
  const mapMs: number[] = [];
  for (let turn = 0; turn < TURNS; turn++) mapMs.push(await drawMap(page));
  const eventMs = await eventDelays(page, (message) =>
    bench.store.events.add({ name: 'MIGRATION_STARTED', severity: 'normal', message }),
  );
  const figures = {
    mainScriptKiB: await weigh(engine),
    firstPageMs: latencyOf(firstPageMs).p50Ms,
    interactionMs,
    mapMs: latencyOf(mapMs).p50Ms,
    eventMs: latencyOf(eventMs).p99Ms,
  };
  console.table(
    Object.entries(AIMS).map(([figure, below]) => ({
      figure,
      below,
      measured: figures[figure as keyof typeof AIMS],
    })),
  );
  console.table({
    firstPageMs: latencyOf(firstPageMs),
    mapMs: latencyOf(mapMs),
    eventMs: latencyOf(eventMs),
  });
  const reached = Object.entries(AIMS).every(
    ([figure, below]) => figures[figure as keyof typeof AIMS] < below,
  );
  console.log(JSON.stringify({ bench: 'console', figures, aims: AIMS, reached }));
  if (!reached) process.exitCode = 1;
} finally {
  await browser?.close();
  await engine?.stop();
  await bench.close();
}
