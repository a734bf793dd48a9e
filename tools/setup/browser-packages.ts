/**
 * What the tests in a browser need from Debian: chromium. Callers: `tools/test-tiers.ts`; as a script,
 * installs it.
 */
import { consoleLog } from '../../lab/console-log.ts';
import type { Log } from '../../src/base/log.ts';
import { isStarted } from '../report.ts';
import { installPackages, missingPackages } from './apt.ts';

const PACKAGES = ['chromium'];

/** Where Debian puts the browser. */
export const CHROMIUM = '/usr/bin/chromium';

/** Names of packages to install for the tests in a browser, empty if all are there. */
export const missingBrowserPackages = (): string[] => missingPackages(PACKAGES);

/** Installs what is missing. Says first what; needs root only then. */
export async function ensureBrowserPackages(log: Log): Promise<void> {
  await installPackages(PACKAGES, { log });
}

if (isStarted(import.meta.filename)) await ensureBrowserPackages(consoleLog());
