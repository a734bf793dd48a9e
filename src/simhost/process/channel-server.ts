/**
 * The host channel of a simulated host on a unix socket, for an engine in another process. The server greets
 * with `{"host": NAME}`; then one command a line, `{"id", "argv", "limitMs"}`, answered in any order by
 * `{"id", "exitCode", "stdout", "stderr"}`. A host without power greets nobody and breaks what is open, so
 * that who was greeted and hears no answer knows no more than with ssh.
 */
import type { Socket } from 'node:net';
import type { SimHostShell } from '../channel.ts';
import type { SimHost } from '../host.ts';
import { listen, type Listening } from '../listening.ts';
import { onJsonLines, sendJsonLine } from './json-lines.ts';
import { list, record, text, whole } from './shape.ts';

const request = record({ id: whole(), argv: list(text(/^/)), limitMs: whole() });

/** Serves the channel of `host` at `path`. `open` makes a shell per connection. */
export async function serveChannel(
  host: SimHost,
  path: string,
  open: () => SimHostShell,
): Promise<Listening> {
  const greeted = new Set<Socket>();
  const stop = host.onPower(() => {
    for (const socket of greeted) socket.destroy();
  });
  const listening = await listen({ path }, (socket) => {
    if (!host.powered) {
      socket.destroy();
      return;
    }
    const shell = open();
    greeted.add(socket);
    socket.on('close', () => {
      greeted.delete(socket);
      shell.close();
    });
    onJsonLines(socket, (value) => answer(socket, shell, value));
    sendJsonLine(socket, { host: host.name });
  });
  return {
    port: 0,
    async close() {
      stop();
      await listening.close();
    },
  };
}

async function answer(socket: Socket, shell: SimHostShell, value: unknown): Promise<void> {
  try {
    const { id, argv, limitMs } = request(value, '');
    sendJsonLine(socket, { id, ...(await shell.run(argv, limitMs)) });
  } catch {
    socket.destroy();
  }
}
