/**
 * Builds the console once before the tests in a browser, whichever of them are run. A global set-up of
 * vitest.
 */
import { consoleLog } from '../../../lab/console-log.ts';
import { ensureBrowserPackages } from '../../../tools/setup/browser-packages.ts';
import { ensureConsole } from '../../../tools/setup/console.ts';

/** Called by vitest. */
export async function setup(): Promise<void> {
  await ensureBrowserPackages(consoleLog());
  await ensureConsole(consoleLog());
}
