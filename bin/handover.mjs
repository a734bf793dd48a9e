#!/usr/bin/env node
/**
 * The `handover` command: runs the CLI compiled (see `compiled-cli.mjs`), through tsx if that is not to be
 * had; for `serve` the engine, through tsx, in this process.
 */
import { pathToFileURL } from 'node:url';
import { compiledCli } from './compiled-cli.mjs';
import { importSource } from './import-source.mjs';

async function importCli() {
  // Stacks name lines of the TypeScript.
  process.setSourceMapsEnabled(true);
  try {
    return await import(pathToFileURL(await compiledCli()).href);
  } catch {
    // Nothing can be written here, or the sources do not compile: tsx copes, or says what is wrong.
    return await importSource('handover', '../src/cli/main.ts');
  }
}

// A reader that closed its end (`| head`) is no failure.
process.stdout.on('error', (error) => process.exit(error.code === 'EPIPE' ? 0 : 1));
const { main } = await importCli();
process.exitCode = await main(process.argv, async (args) => {
  // The engine reads its own command line.
  process.argv = [process.argv[0], process.argv[1], ...args];
  await importSource('handover', '../src/daemon/main.ts');
});
