/** `handover serve`: starts one engine and ends it on SIGINT or SIGTERM. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { explain, isCode } from '../base/errors.ts';
import { systemRandom } from '../base/random.ts';
import { readConfig, USAGE } from './config.ts';
import { type Engine, startEngine } from './engine.ts';
import { createLog } from './log.ts';

/** After this long a stop that hangs is cut short; jobs are durable, so nothing is lost by it. */
const STOP_LIMIT_MS = 8_000;

async function main(): Promise<void> {
  if (process.argv.slice(2).some((word) => word === '--help' || word === '-h')) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  // Containers share process numbers, and a claim must not pass from one start to the next.
  const owner = `${hostname()}:${process.pid}:${systemRandom.uuid().slice(0, 8)}`;
  const config = readConfig(process.argv.slice(2), process.env, owner);
  const log = createLog(config.logLevel);
  const engine = await startEngine(config, log);
  if (engine.generatedPassword !== null) {
    // Printed once, to the terminal of whoever started it; never logged.
    process.stdout.write(`Password of admin@internal: ${engine.generatedPassword}\n`);
  }
  if (engine.caFile !== null) {
    const { fingerprint256 } = new X509Certificate(readFileSync(engine.caFile));
    process.stdout.write(`Certificate authority: ${engine.caFile} (SHA-256 ${fingerprint256})\n`);
  }
  process.stdout.write(`Handover listens on ${engine.url}\n`);
  let ending = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      // A terminal and a supervisor may both send one; the second must not cut the first one's work short.
      if (!ending) void end(engine);
      ending = true;
    });
  }
}

async function end(engine: Engine): Promise<void> {
  setTimeout(() => process.exit(1), STOP_LIMIT_MS).unref();
  await engine.stop();
  process.exit(0);
}

main().catch((thrown: unknown) => {
  process.stderr.write(`handover: ${explain(thrown)}\n`);
  process.exit(isCode(thrown, 'INVALID_INPUT') ? 2 : 1);
});
