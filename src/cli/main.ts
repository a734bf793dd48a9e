/**
 * The `handover` command: its grammar, and how it ends. Commands are loaded when they run, so that `--help`
 * and each of them start quickly. Speaks HTTP only; `serve` is handed in by `bin/handover.mjs`.
 */
import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { CliError, codeOf, EXIT } from './cli-error.ts';
import { type GlobalOptions, numberOrNone, run, wholeNumber, yesOrNo } from './command-parts.ts';
import { type OutputFormat, printJson } from './output.ts';
import { addGuest } from './guest-program.ts';
import { addUser } from './user-grammar.ts';
import { addVm } from './vm-program.ts';

/** Starts the engine in this process with the rest of the command line. */
export type Serve = (args: readonly string[]) => Promise<void>;

/** Runs a command line as in `process.argv`. Returns the exit code; everything was said by then. */
export async function main(argv: readonly string[], serve: Serve): Promise<number> {
  const program = createProgram(serve);
  try {
    await program.parseAsync([...argv]);
    return EXIT.ok;
  } catch (thrown) {
    return report(thrown, program.opts<GlobalOptions>().output);
  }
}

function report(thrown: unknown, format: OutputFormat): number {
  const answer = (code: string | null, message: string) => {
    if (format === 'json') printJson({ error: { code, message } });
  };
  if (thrown instanceof CommanderError) {
    if (thrown.exitCode === 0) return EXIT.ok;
    // Commander has said what was wrong with the command line already.
    const said = thrown.code === 'commander.help' ? 'the command is not complete' : thrown.message;
    answer('INVALID_INPUT', said.replace(/^error: /, ''));
    return EXIT.usage;
  }
  if (thrown instanceof CliError) {
    const { exitCode, message, code } = thrown;
    // What there is to say is in the document already, or the job is the document.
    if (message === '') return exitCode;
    if (exitCode !== EXIT.jobNotSucceeded) answer(codeOf(thrown), message);
    process.stderr.write(`handover: ${message}${code === null ? '' : ` (${code})`}\n`);
    return exitCode;
  }
  const said = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  answer('ASSERTION_FAILED', thrown instanceof Error ? thrown.message : said);
  process.stderr.write(`handover: unexpected failure: ${said}\n`);
  return EXIT.failed;
}

function createProgram(serve: Serve): Command {
  const program = new Command('handover')
    .description('Live migration of KVM virtual machines that own SR-IOV virtual functions')
    .version(version())
    .addOption(
      new Option(
        '--url <url>',
        "the engine's URL (HANDOVER_URL, the last login's, or http://127.0.0.1:8080)",
      ),
    )
    .addOption(
      new Option(
        '--ca-file <file>',
        "whose certificate the engine's is of (HANDOVER_CA_FILE, the last login's)",
      ),
    )
    .addOption(new Option('--output <format>', 'how to answer').choices(['text', 'json']).default('text'))
    .exitOverride()
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .showHelpAfterError('(add --help for what can be said here)');
  addServe(program, serve);
  addLogin(program);
  addHost(program);
  addNetwork(program);
  addProfile(program);
  addVm(program);
  addGuest(program);
  addJob(program);
  addEvent(program);
  addUser(program);
  return program;
}

function version(): string {
  const file = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(file) as { version: string }).version;
}

function addServe(program: Command, serve: Serve): void {
  program
    .command('serve')
    .description('run the engine here (see "handover serve --help")')
    .allowUnknownOption()
    .allowExcessArguments()
    .helpOption(false)
    .argument('[arguments...]')
    .action(async (_given: string[], _options: object, command: Command) => {
      await serve(command.args);
    });
}

function addLogin(program: Command): void {
  program
    .command('login')
    .description('sign on and keep the token (not the password)')
    .option('--user <name>', 'who signs on', 'admin@internal')
    .option('--password-stdin', 'read the password from stdin (else HANDOVER_PASSWORD, or asked for)')
    .action(async (_options: object, command: Command) => {
      const { login } = await import('./login-command.ts');
      await login(command.optsWithGlobals());
    });
}

function addHost(program: Command): void {
  const host = program.command('host').description('machines that run libvirtd');
  host
    .command('add <name> <uri>')
    .description('connect to a host and adopt what runs there (qemu+ssh://root@ADDRESS/system)')
    .option('--peer-uri <uri>', "how the other hosts' libvirtd reaches it, if not by <uri>")
    .option('--migration-address <address>', 'where guest memory is sent, if not to the address of the URI')
    .action(async (name: string, uri: string, options: object, command: Command) => {
      const { addHost: add } = await import('./host-commands.ts');
      await run(command, async (client, format) => await add(client, format, name, uri, options));
    });
  host
    .command('list')
    .description('all hosts')
    .action(async (_options: object, command: Command) => {
      const { listHosts } = await import('./host-commands.ts');
      await run(command, listHosts);
    });
  host
    .command('show <host>')
    .description('one host with its PFs and VFs')
    .action(async (name: string, _options: object, command: Command) => {
      const { showHost } = await import('./host-commands.ts');
      await run(command, async (client, format) => await showHost(client, format, name));
    });
  host
    .command('update <host>')
    .description('change what is given; "none" takes an address away')
    .option('--name <name>')
    .option('--uri <uri>', 'how the engine reaches it; tried first')
    .option('--peer-uri <uri>', "how the other hosts' libvirtd reaches it")
    .option('--migration-address <address>', 'where guest memory is sent')
    .option('--outgoing-max <n>', 'migrations that may leave it at a time', wholeNumber(1))
    .option('--incoming-max <n>', 'migrations that may enter it at a time', wholeNumber(1))
    .action(async (name: string, options: object, command: Command) => {
      const { updateHost } = await import('./host-commands.ts');
      await run(command, async (client, format) => await updateHost(client, format, name, options));
    });
  host
    .command('refresh <host>')
    .description('look at it now and test the ways to and from the other hosts')
    .action(async (name: string, _options: object, command: Command) => {
      const { refreshHost } = await import('./host-commands.ts');
      await run(command, async (client, format) => await refreshHost(client, format, name));
    });
  host
    .command('remove <host>')
    .description('forget a host; nothing on it changes')
    .action(async (name: string, _options: object, command: Command) => {
      const { removeHost } = await import('./host-commands.ts');
      await run(command, async (client, format) => await removeHost(client, format, name));
    });
}

function addNetwork(program: Command): void {
  const network = program.command('network').description('networks VMs are connected to');
  const load = async () => await import('./network-commands.ts');
  network
    .command('list')
    .description('all networks')
    .action(async (_options: object, command: Command) => {
      await run(command, (await load()).listNetworks);
    });
  const described = (command: Command): Command =>
    command
      .option('--vlan <tag>', 'VLAN tag, or none', numberOrNone)
      .option('--mtu <bytes>', 'MTU, or none for the default', numberOrNone)
      .option('--label <label>', 'label by which PFs allow it, or none')
      .option('--description <text>');
  described(network.command('create <name>').description('add a network')).action(
    async (name: string, options: object, command: Command) => {
      const { createNetwork } = await load();
      await run(command, async (client, format) => await createNetwork(client, format, name, options));
    },
  );
  described(
    network.command('update <network>').description('change a network').option('--name <name>'),
  ).action(async (name: string, options: object, command: Command) => {
    const { updateNetwork } = await load();
    await run(command, async (client, format) => await updateNetwork(client, format, name, options));
  });
  network
    .command('delete <network>')
    .description('delete a network nothing uses')
    .action(async (name: string, _options: object, command: Command) => {
      const { deleteNetwork } = await load();
      await run(command, async (client, format) => await deleteNetwork(client, format, name));
    });
}

function addProfile(program: Command): void {
  const profile = program.command('vnic-profile').description('how vNICs are connected');
  const load = async () => await import('./profile-commands.ts');
  profile
    .command('list')
    .description('all vNIC profiles')
    .action(async (_options: object, command: Command) => {
      await run(command, (await load()).listProfiles);
    });
  const described = (command: Command): Command =>
    command
      .option('--pass-through [yes|no]', 'vNICs get a VF each', (text) => yesOrNo(text))
      .option('--migratable [yes|no]', 'VMs that use it may be moved (default yes)', (text) => yesOrNo(text))
      .option('--failover <profile>', 'ordinary profile of the standby, or none')
      .option('--description <text>');
  described(
    profile
      .command('create <name>')
      .description('add a vNIC profile')
      .requiredOption('--network <network>', 'its network'),
  ).action(async (name: string, options: object, command: Command) => {
    const { createProfile } = await load();
    await run(command, async (client, format) => await createProfile(client, format, name, options));
  });
  described(
    profile.command('update <profile>').description('change a vNIC profile').option('--name <name>'),
  ).action(async (name: string, options: object, command: Command) => {
    const { updateProfile } = await load();
    await run(command, async (client, format) => await updateProfile(client, format, name, options));
  });
  profile
    .command('delete <profile>')
    .description('delete a vNIC profile nothing uses')
    .action(async (name: string, _options: object, command: Command) => {
      const { deleteProfile } = await load();
      await run(command, async (client, format) => await deleteProfile(client, format, name));
    });
}

function addJob(program: Command): void {
  const job = program.command('job').description('migrations that run or ran');
  const load = async () => await import('./job-commands.ts');
  job
    .command('list')
    .description('the newest jobs')
    .option('--max <n>', 'at most so many', wholeNumber(1), 20)
    .action(async (options: { max: number }, command: Command) => {
      const { listJobs } = await load();
      await run(command, async (client, format) => await listJobs(client, format, options.max));
    });
  type Verb = 'showJob' | 'watchJobById' | 'cancelJob' | 'retryJob';
  const verbs: readonly (readonly [string, Verb, string])[] = [
    ['show', 'showJob', 'one job with its timeline'],
    ['watch', 'watchJobById', 'follow a job to its end'],
    ['cancel', 'cancelJob', 'stop a job; only if it will end on the source'],
    ['retry', 'retryJob', 'let a job that waits for an operator look and go on'],
  ];
  for (const [name, verb, description] of verbs) {
    job
      .command(`${name} <job>`)
      .description(description)
      .action(async (id: string, _options: object, command: Command) => {
        const commands = await load();
        await run(command, async (client, format) => await commands[verb](client, format, id));
      });
  }
  job
    .command('abandon <job>')
    .description('give up a job that waits for an operator; what it left stays as it is')
    .option('--yes', 'do not ask')
    .action(async (id: string, options: { yes?: boolean }, command: Command) => {
      const { abandonJob } = await load();
      await run(
        command,
        async (client, format) => await abandonJob(client, format, id, options.yes ?? false),
      );
    });
}

function addEvent(program: Command): void {
  program
    .command('event')
    .description('what happened')
    .command('list')
    .description('the newest events, the newest last')
    .option('--max <n>', 'at most so many', wholeNumber(1), 50)
    .action(async (options: { max: number }, command: Command) => {
      const { listEvents } = await import('./event-commands.ts');
      await run(command, async (client, format) => await listEvents(client, format, options.max));
    });
  program
    .command('alert')
    .description('what needs attention')
    .command('list')
    .description('the alerts that stand now')
    .action(async (_options: object, command: Command) => {
      const { listAlerts } = await import('./event-commands.ts');
      await run(command, listAlerts);
    });
}
