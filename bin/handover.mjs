#!/usr/bin/env node
/**
 * The `handover` command: runs the TypeScript of `src/cli`, and for `serve` that of the engine, in this
 * process.
 */
import { register } from 'tsx/esm/api';

register();
// A reader that closed its end (`| head`) is no failure.
process.stdout.on('error', (error) => process.exit(error.code === 'EPIPE' ? 0 : 1));
const { main } = await import('../src/cli/main.ts');
process.exitCode = await main(process.argv, async (args) => {
  // The engine reads its own command line.
  process.argv = [process.argv[0], process.argv[1], ...args];
  await import('../src/daemon/main.ts');
});
