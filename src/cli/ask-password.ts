/** The password for `login`: from stdin, the environment, or asked for on a terminal without showing it. */
import { CliError, EXIT } from './cli-error.ts';

/** Reads it. Never asks without a terminal. */
export async function readPassword(fromStdin: boolean, user: string): Promise<string> {
  if (fromStdin) {
    const chunks: Buffer[] = [];
    for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks)
      .toString('utf8')
      .replace(/\r?\n$/, '');
  }
  const given = process.env['HANDOVER_PASSWORD'];
  if (given !== undefined && given !== '') return given;
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new CliError(EXIT.usage, 'no password: give --password-stdin or set HANDOVER_PASSWORD');
  }
  return await askHidden(`Password of ${user}: `);
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
    for await (const chunk of stdin as AsyncIterable<string>) {
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
