/** The grammar of `handover vm`. Commands are loaded when they run. */
import type { Command } from 'commander';
import { run, seconds, wholeNumber } from './command-parts.ts';

/** Adds `vm` and all below it. */
export function addVm(program: Command): void {
  const vm = program.command('vm').description('virtual machines and their migration');
  const load = async () => await import('./vm-commands.ts');
  vm.command('list')
    .description('all VMs')
    .action(async (_options: object, command: Command) => {
      await run(command, (await load()).listVms);
    });
  vm.command('show <vm>')
    .description('one VM with its vNICs')
    .action(async (name: string, _options: object, command: Command) => {
      const { showVm } = await load();
      await run(command, async (client, format) => await showVm(client, format, name));
    });
  vm.command('plan <vm>')
    .description('may it move, where to, with which VFs, and why not elsewhere; changes nothing')
    .option('--to <host>', 'look at this host only')
    .option('--copy-storage', 'local disks are copied')
    .action(async (name: string, options: object, command: Command) => {
      const { planVm } = await import('./plan-command.ts');
      await run(command, async (client, format) => await planVm(client, format, name, options));
    });
  vm.command('migrate <vm>')
    .description('move it live, with its VFs')
    .option('--to <host>', 'to this host; else the best that fits')
    .option('--watch', 'follow it to its end')
    .option('--copy-storage', 'copy local disks')
    .option(
      '--unplug-timeout <s>',
      'how long the guest has to give one VF back, 1 to 600 (default 30)',
      seconds,
    )
    .option('--downtime-max <ms>', 'how long the guest may pause, 1 to 60000 (default 500)', wholeNumber(1))
    .action(async (name: string, options: object, command: Command) => {
      const { migrateVm } = await load();
      await run(command, async (client, format) => await migrateVm(client, format, name, options));
    });
  vm.command('cancel <vm>')
    .description('stop its migration; only if it will end on the source')
    .action(async (name: string, _options: object, command: Command) => {
      const { cancelVm } = await load();
      await run(command, async (client, format) => await cancelVm(client, format, name));
    });
  const lifecycle = [
    ['start', 'starts a VM that is down, with a VF for every vNIC that should have one'],
    ['shutdown', 'asks its guest to shut down'],
    ['stop', 'ends it at once, as cutting its power does'],
  ] as const;
  for (const [verb, description] of lifecycle) {
    vm.command(`${verb} <vm>`)
      .description(description)
      .action(async (name: string, _options: object, command: Command) => {
        const { actOnVm } = await load();
        await run(command, async (client, format) => await actOnVm(client, format, name, verb));
      });
  }
  addDefinitions(vm);
  addNic(vm);
}

function addDefinitions(vm: Command): void {
  const load = async () => await import('./vm-definition-commands.ts');
  vm.command('add <host> <file>')
    .description("define a VM on a host, from libvirt's domain XML (- reads it from standard input)")
    .option('--name <name>', "another name than the definition's")
    .action(async (host: string, file: string, options: { name?: string }, command: Command) => {
      const { addVm: add } = await load();
      await run(command, async (client, format) => await add(client, format, { host, file, ...options }));
    });
  vm.command('remove <vm>')
    .description('remove a VM that is down; its disks stay')
    .action(async (name: string, _options: object, command: Command) => {
      const { removeVm } = await load();
      await run(command, async (client, format) => await removeVm(client, format, name));
    });
}

function addNic(vm: Command): void {
  const load = async () => await import('./vm-commands.ts');
  const nic = vm.command('nic').description("a VM's vNICs");
  nic
    .command('add <vm> <nic> <profile>')
    .description('give the VM one more vNIC: on a VF if the profile is passthrough, else virtio')
    .option('--mac <address>', 'its MAC address; else one that is free')
    .action(
      async (name: string, nicName: string, profile: string, options: { mac?: string }, command: Command) => {
        const { addNic: add } = await load();
        await run(
          command,
          async (client, format) => await add(client, format, name, { nic: nicName, profile, ...options }),
        );
      },
    );
  nic
    .command('remove <vm> <nic>')
    .description('remove one for good that is unplugged')
    .action(async (name: string, nicName: string, _options: object, command: Command) => {
      const { removeNic } = await load();
      await run(command, async (client, format) => await removeNic(client, format, name, nicName));
    });
  for (const verb of ['plug', 'unplug'] as const) {
    nic
      .command(`${verb} <vm> <nic>`)
      .description(verb === 'plug' ? 'give it to the guest again' : 'take it out of the guest')
      .action(async (name: string, nicName: string, _options: object, command: Command) => {
        const { plugNic } = await load();
        await run(command, async (client, format) => await plugNic(client, format, name, nicName, verb));
      });
  }
  nic
    .command('set-profile <vm> <nic> <profile>')
    .description('give a vNIC another profile')
    .action(async (name: string, nicName: string, profile: string, _options: object, command: Command) => {
      const { setNicProfile } = await load();
      await run(
        command,
        async (client, format) => await setNicProfile(client, format, name, nicName, profile),
      );
    });
}
