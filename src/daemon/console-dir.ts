/** Where the built web console lies. Written by `tools/setup/console.ts`, served by the engine. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder, there or not. */
export const CONSOLE_DIR = join(dirname(dirname(import.meta.dirname)), 'console', 'dist');

/** The file in it that is written last. */
export const CONSOLE_STAMP = '.built';

/** The folder if the console has been built to the end; else null. */
export const builtConsole = (): string | null =>
  existsSync(join(CONSOLE_DIR, CONSOLE_STAMP)) ? CONSOLE_DIR : null;
