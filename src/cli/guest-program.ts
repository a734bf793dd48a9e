/** The grammar of `handover guest`. Commands are loaded when they run. */
import { Argument, type Command, Option } from 'commander';
import { GUEST_KIT_FORMATS } from '../api/types/guest-kit-view.ts';
import { run } from './command-parts.ts';

/** Adds `guest` and all below it. */
export function addGuest(program: Command): void {
  const guest = program.command('guest').description("the guest's side: what its traffic does without a VF");
  const load = async () => await import('./guest-commands.ts');
  guest
    .command('kit <vm>')
    .description("print what makes the bonds of the VM's VFs and their standbys inside its guest")
    .addOption(
      new Option('--format <format>', 'script and cloud-init install the guest kit; the others do without it')
        .choices(GUEST_KIT_FORMATS)
        .default(GUEST_KIT_FORMATS[0]),
    )
    .action(async (name: string, options: { format: string }, command: Command) => {
      const { printGuestKit } = await import('./guest-kit-command.ts');
      await run(command, async (client, format) => await printGuestKit(client, format, name, options.format));
    });
  guest
    .command('check <vm>')
    .description('look at its bond and standby now, through its agent; changes nothing')
    .action(async (name: string, _options: object, command: Command) => {
      const { checkGuest } = await load();
      await run(command, async (client, format) => await checkGuest(client, format, name));
    });
  guest
    .command('drill <vm>')
    .description('rehearse where it is what a migration does to its network: its VFs leave and come back')
    .action(async (name: string, _options: object, command: Command) => {
      const { drillVm } = await load();
      await run(command, async (client, format) => await drillVm(client, format, name));
    });
  guest
    .command('policy <vm>')
    .description('say what a migration does where no standby carries the traffic')
    .addArgument(new Argument('<policy>').choices(['ignore', 'warn', 'require']))
    .action(async (name: string, policy: string, _options: object, command: Command) => {
      const { setPolicy } = await load();
      await run(command, async (client, format) => await setPolicy(client, format, name, policy));
    });
  guest
    .command('probe <vm> [address]')
    .description('say which of its addresses is probed while it is moved, to measure its network gap')
    .option('--none', 'probe nothing')
    .action(async (name: string, address: string | undefined, options: { none?: true }, command: Command) => {
      const { setProbe } = await load();
      if ((address === undefined) === (options.none === undefined))
        command.error('error: give an address, or --none');
      await run(command, async (client, format) => await setProbe(client, format, name, address ?? null));
    });
}
