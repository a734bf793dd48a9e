/**
 * `tsx tcp-pipe.ts ADDRESS PORT`: standard input to a TCP connection, what comes back to standard output.
 * The end of input closes one direction only. Exit status 1 and a message if the connection breaks.
 * A program of its own because only a process inside the lab's namespace reaches a guest. Caller:
 * `tcp-transfer.ts`.
 */
import { createConnection } from 'node:net';

const [address = '', port = ''] = process.argv.slice(2);
const socket = createConnection({ host: address, port: Number(port), allowHalfOpen: true });
socket.setNoDelay(true);
socket.on('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
process.stdin.pipe(socket);
socket.pipe(process.stdout);
