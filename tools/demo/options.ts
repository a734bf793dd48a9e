/** Command line of the demo. */
import { parseArgs } from 'node:util';

/** For `--help` and mistakes on the command line. */
export const DEMO_USAGE = `usage: npm run demo -- [OPTIONS]
  (none)         two nested KVM hosts, a real guest with a real VF (needs root; minutes the first time)
  --simulated    simulated hosts instead: on screen in seconds, no rights needed
  --once         two migrations, there and back, then end; exit 0 only if both succeeded
  --idle         do not migrate by itself
  --port N       where the API listens on 127.0.0.1; default 8080, 0 takes a free one
  --data DIR     where the engine keeps its data; default: a fresh directory each time
  --json FILE    write what was measured, also when something failed
  --help         say this
Environment: HANDOVER_ADMIN_PASSWORD, the password of admin@internal; without it one is generated for a
fresh data directory, kept in it (demo-password) and shown at each start`;

/** What was asked for. */
export interface DemoOptions {
  readonly simulated: boolean;
  readonly once: boolean;
  readonly idle: boolean;
  readonly port: number;
  readonly dataDir: string | null;
  readonly jsonFile: string | null;
}

/** Parses it. Throws an Error with the usage for anything else. */
export function demoOptions(args: readonly string[]): DemoOptions {
  const values = parse(args);
  const port = Number(values.port ?? 8080);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error(`--port ${values.port} is no port\n${DEMO_USAGE}`);
  if (values.once && values.idle) throw new Error(`--once and --idle exclude each other\n${DEMO_USAGE}`);
  return {
    simulated: values.simulated ?? false,
    once: values.once ?? false,
    idle: values.idle ?? false,
    port,
    dataDir: values.data ?? null,
    jsonFile: values.json ?? null,
  };
}

function parse(args: readonly string[]) {
  try {
    const boolean = { type: 'boolean' } as const;
    const string = { type: 'string' } as const;
    const options = {
      simulated: boolean,
      once: boolean,
      idle: boolean,
      port: string,
      data: string,
      json: string,
    };
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${DEMO_USAGE}`, { cause: error });
  }
}
