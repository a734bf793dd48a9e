/** Passwords: from stdin, the environment, or asked for on a terminal without showing them. */
import { CliError, EXIT } from './cli-error.ts';

/** For signing on. Never asks without a terminal. */
export async function readPassword(fromStdin: boolean, user: string): Promise<string> {
  if (fromStdin) return await readStdin();
  const given = process.env['HANDOVER_PASSWORD'];
  if (given !== undefined && given !== '') return given;
  requireTerminal('no password: give --password-stdin or set HANDOVER_PASSWORD');
  return await askHidden(`Password of ${user}: `);
}

/** The one that is about to be changed: stdin is for the new one. */
export async function readCurrentPassword(user: string): Promise<string> {
  const given = process.env['HANDOVER_PASSWORD'];
  if (given !== undefined && given !== '') return given;
  requireTerminal('the current password is needed: set HANDOVER_PASSWORD');
  return await askHidden(`Current password of ${user}: `);
}

/** One to be set; on a terminal it is asked for twice. */
export async function readNewPassword(fromStdin: boolean, user: string): Promise<string> {
  if (fromStdin) return await readStdin();
  requireTerminal('no password: give --password-stdin');
  const password = await askHidden(`New password of ${user}: `);
  if ((await askHidden('Once more: ')) === password) return password;
  throw new CliError(EXIT.usage, 'the two passwords are not the same; nothing was changed');
}

async function readStdin(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '');
}

function requireTerminal(otherwise: string): void {
  if (!process.stdin.isTTY || !process.stderr.isTTY) throw new CliError(EXIT.usage, otherwise);
}

/** Asks on the terminal; what is typed is not shown. Ctrl-C ends the command. */
async function askHidden(question: string): Promise<string> {
  const { stdin, stderr } = process;
  // Before the question: what is typed the moment it appears must not be shown either.
  stdin.setRawMode(true);
  stdin.setEncoding('utf8');
  stderr.write(question);
  try {
    let typed = '';
    // Kept open: there may be another question.
    const typing = stdin.iterator({ destroyOnReturn: false }) as AsyncIterable<string>;
    for await (const chunk of typing) {
      for (const key of chunk) {
        if (key === '\r' || key === '\n' || key === '\u0004') return typed;
        if (key === '\u0003') throw new CliError(EXIT.interrupted, 'interrupted');
        typed = key === '\u007f' || key === '\b' ? typed.slice(0, -1) : typed + key;
      }
    }
    return typed;
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write('\n');
  }
}
