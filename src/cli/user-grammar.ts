/** The grammar of `handover user`; the commands themselves are loaded when one of them runs. */
import type { Command } from 'commander';
import { run } from './command-parts.ts';

const several = (value: string, before: readonly string[] = []): string[] => [...before, value];

/** Adds them. */
export function addUser(program: Command): void {
  const user = program.command('user').description('who may sign on, and what for');
  const load = async () => await import('./user-commands.ts');
  const fromStdin = 'read the new password from stdin (else it is asked for)';
  user
    .command('list')
    .description('all users with their roles')
    .action(async (_options: object, command: Command) => {
      await run(command, (await load()).listUsers);
    });
  user
    .command('add <name>')
    .description('add a user; bob is short for bob@internal')
    .requiredOption('--role <role>', 'SuperUser, UserVmManager or ReadOnlyAdmin; may be repeated', several)
    .option('--password-stdin', fromStdin)
    .action(async (name: string, options: { role: string[]; passwordStdin?: boolean }, command: Command) => {
      const { addUser: add } = await load();
      await run(command, async (client, format) => await add(client, format, name, options));
    });
  user
    .command('remove <name>')
    .description('remove a user and end what is signed on as it')
    .action(async (name: string, _options: object, command: Command) => {
      const { removeUser } = await load();
      await run(command, async (client, format) => await removeUser(client, format, name));
    });
  user
    .command('password [name]')
    .description('set a password, your own if no name is given, and end what is signed on with the old one')
    .option('--password-stdin', fromStdin)
    .action(async (name: string | undefined, options: { passwordStdin?: boolean }, command: Command) => {
      const { setPassword } = await load();
      await run(
        command,
        async (client, format) => await setPassword(client, format, name, options.passwordStdin ?? false),
      );
    });
  user
    .command('role <name>')
    .description('show, give or take roles; they hold from the next request on')
    .option('--add <role>', 'give this role; may be repeated', several)
    .option('--remove <role>', 'take this role; may be repeated', several)
    .action(async (name: string, options: { add?: string[]; remove?: string[] }, command: Command) => {
      const { changeRoles } = await load();
      await run(command, async (client, format) => await changeRoles(client, format, name, options));
    });
}
