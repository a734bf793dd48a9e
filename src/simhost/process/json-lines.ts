/**
 * One JSON value a line, in both directions of a stream: how the sockets of a simulated host speak that are
 * not libvirt's. No limit of rate: both ends are of this machine and of one user.
 */
import type { Socket } from 'node:net';

/** No line of ours comes near it; `ip -j -d link` of a host with 1000 devices is about 1 MiB. */
const LINE_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Calls `line` with every value that arrives. A line that is too long or no JSON ends the stream; errors of
 * the stream are told by its `close` event alone. A client that says no more (`nc -N`) still gets its
 * answers: the stream ends when what `line` returned has settled. `line` must not reject.
 */
export function onJsonLines(socket: Socket, line: (value: unknown) => Promise<void> | void): void {
  let waiting = '';
  const answering = new Set<Promise<void>>();
  socket.on('end', () => void Promise.all(answering).then(() => socket.end()));
  socket.setEncoding('utf8');
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: string) => {
    const lines = (waiting + chunk).split('\n');
    waiting = lines.pop() ?? '';
    if (waiting.length > LINE_BYTES_MAX) socket.destroy();
    for (const text of lines) {
      if (socket.destroyed) return;
      const value = parsed(text);
      const answered = value === undefined ? socket.destroy() : line(value);
      if (!(answered instanceof Promise)) continue;
      answering.add(answered);
      void answered.then(() => answering.delete(answered));
    }
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Sends a value; ignored once the stream ended. */
export function sendJsonLine(socket: Socket, value: unknown): void {
  if (!socket.destroyed) socket.write(`${JSON.stringify(value)}\n`);
}
