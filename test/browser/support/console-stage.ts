/**
 * A whole engine on simulated hosts with the built console, and Debian's chromium on it. A file of tests
 * calls
 * `useConsole` once; it gets an engine and a browser of its own. What a page says on the browser's console as
 * an error fails the test, but for the refusals of the APIs, which are answers.
 */
import { tmpdir } from 'node:os';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { CHROMIUM } from '../../../tools/setup/browser-packages.ts';
import type { SimFleetSpec } from '../../../src/simhost/inventory.ts';
import { FLAGS, stateWith } from '../../support/chromium.ts';
import type { SimhostProcess } from '../../support/simhost-process.ts';
import { type SimulatedEngine, signOn, startSimulatedEngine } from '../../support/simulated-engine.ts';
import { type ServedFleet, serveFleet } from './served-fleet.ts';

/** Of one step on a page: a machine under load is slow. */
const STEP_LIMIT_MS = 20_000;

/** How a page is opened. */
export interface PageOptions {
  /** Below the engine's address. */
  readonly path?: string;
  /** Of the window, in pixels. */
  readonly width?: number;
  readonly theme?: 'light' | 'dark';
}

/** The engine and the browser of one file of tests. */
export interface ConsoleStage {
  readonly engine: SimulatedEngine;
  /** The hosts of `fleet`. */
  readonly hosts: SimhostProcess;
  /** A page of a browser nobody signed in with. */
  freshPage(options?: PageOptions): Promise<Page>;
  /** A page of a browser that is signed in, with a session of its own. */
  signedInPage(options?: PageOptions): Promise<Page>;
}

/**
 * Starts both before the tests of the file and ends them after; closes every page after its test. The hosts
 * are those of the demo, all of `fleet`, or none.
 */
export function useConsole(fleet: SimFleetSpec | 'demo' | 'none' = 'demo'): ConsoleStage {
  let hosts: ServedFleet | undefined;
  let engine: SimulatedEngine | undefined;
  let browser: Browser | undefined;
  let contexts: BrowserContext[] = [];
  let errors: string[] = [];
  beforeAll(async () => {
    if (fleet === 'demo') engine = await startSimulatedEngine();
    else if (fleet === 'none') engine = await startSimulatedEngine(tmpdir());
    else {
      hosts = await serveFleet(fleet);
      engine = await startSimulatedEngine(hosts.directory);
      await hosts.addTo(engine);
    }
    browser = await chromium.launch({ executablePath: CHROMIUM, args: [...FLAGS] });
  });
  afterEach(async () => {
    const seen = errors;
    for (const context of contexts) await context.close();
    [contexts, errors] = [[], []];
    expect(seen, 'errors on the console of the browser').toEqual([]);
  });
  afterAll(async () => {
    await browser?.close();
    await engine?.stop();
    await hosts?.stop();
  });
  const started = (): { engine: SimulatedEngine; browser: Browser } => {
    if (engine === undefined || browser === undefined) throw new Error('the console has not been started');
    return { engine, browser };
  };
  const open = async (token: string | null, { path = '/', width = 1280, theme = 'light' }: PageOptions) => {
    const { url } = started().engine;
    const context = await started().browser.newContext({
      baseURL: url,
      viewport: { width, height: 900 },
      colorScheme: theme,
      ...(token === null ? {} : { storageState: stateWith(url, token) }),
    });
    contexts.push(context);
    context.setDefaultTimeout(STEP_LIMIT_MS);
    const page = await context.newPage();
    watch(page, errors);
    await page.goto(path);
    return page;
  };
  return {
    get engine() {
      return started().engine;
    },
    get hosts() {
      if (hosts === undefined) throw new Error('the hosts are in no process of their own');
      return hosts.process;
    },
    freshPage: async (options = {}) => await open(null, options),
    signedInPage: async (options = {}) => {
      const { url, password } = started().engine;
      return await open(await signOn(url, password), options);
    },
  };
}

function watch(page: Page, errors: string[]): void {
  page.on('pageerror', (error) => void errors.push(String(error)));
  page.on('console', (message) => {
    const { url } = message.location();
    const isRefusal = /^Failed to load resource/.test(message.text()) && /\/(api|ovirt-engine)\//.test(url);
    if (message.type() === 'error' && !isRefusal) errors.push(`${message.text()} (${url})`);
  });
}
