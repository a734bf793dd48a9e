/**
 * The other end of a simulated host's channel: the shell of a host whose libvirt socket is `DIR/NAME.sock`
 * is reached at `DIR/NAME.channel.sock`. For engines that run in another process than the simulated hosts.
 */
import { createConnection, type Socket } from 'node:net';
import { basename, dirname, join, resolve } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { HandoverError } from '../../base/errors.ts';
import type { SimCommandResult, SimHostShell } from '../channel.ts';
import { onJsonLines, sendJsonLine } from './json-lines.ts';
import { number, record, text } from './shape.ts';

/** For the greeting; everything is on this machine. */
const OPEN_LIMIT_MS = 20_000;
/** Between the host's own limit for a command and ours. */
const GRACE_MS = 5_000;

const greeting = record({ host: text() });
const result = record({ id: number(), exitCode: number(), stdout: text(/^/), stderr: text(/^/) });

/** Path of the channel beside a libvirt socket. */
export function channelPathOf(socketPath: string): string {
  return join(dirname(socketPath), `${basename(socketPath).replace(/\.sock$/, '')}.channel.sock`);
}

/**
 * Shells of the hosts that `handover-simhost` serves in `directory`: give it a host's name and URI. Null for
 * a host whose URI is not a unix socket in there.
 */
export function simulatedShells(
  clock: Clock,
  directory: string,
): (host: { readonly name: string; readonly uri: string }) => SimHostShell | null {
  return ({ name, uri }) => {
    const socket = /^qemu(\+unix)?:\/\/\/system\?/.test(uri) ? new URL(uri).searchParams.get('socket') : null;
    if (socket === null || dirname(resolve(socket)) !== resolve(directory)) return null;
    return new ChannelClient(clock, name, channelPathOf(socket));
  };
}

interface Pending {
  readonly command: string;
  settle(outcome: SimCommandResult | HandoverError): void;
}

/** One connection, made when first needed and again after it broke. */
class ChannelClient implements SimHostShell {
  readonly #clock: Clock;
  readonly #where: string;
  readonly #path: string;
  readonly #pending = new Map<number, Pending>();
  #open: Promise<Socket> | null = null;
  #nextId = 1;
  #closed = false;

  constructor(clock: Clock, where: string, path: string) {
    this.#clock = clock;
    this.#where = where;
    this.#path = path;
  }

  async run(argv: readonly string[], limitMs: number): Promise<SimCommandResult> {
    if (this.#closed) throw this.#unavailable('the connection was closed by the engine');
    this.#open ??= this.#connect();
    const socket = await this.#open;
    const id = this.#nextId++;
    const command = argv.join(' ');
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(limitMs + GRACE_MS, () =>
        this.#settle(id, this.#unknown('CALL_TIMED_OUT', command, `not within ${limitMs} ms`)),
      );
      this.#pending.set(id, {
        command,
        settle(outcome) {
          cancel();
          if (outcome instanceof HandoverError) reject(outcome);
          else resolve(outcome);
        },
      });
      sendJsonLine(socket, { id, argv, limitMs });
      if (socket.destroyed) this.#broken();
    });
  }

  close(): void {
    this.#closed = true;
    void this.#open?.then(
      (socket) => socket.destroy(),
      () => {},
    );
  }

  #connect(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = createConnection({ path: this.#path });
      const fail = (why: string) => {
        this.#open = null;
        socket.destroy();
        reject(this.#unavailable(why));
      };
      const cancel = this.#clock.after(OPEN_LIMIT_MS, () => fail(`no greeting within ${OPEN_LIMIT_MS} ms`));
      socket.on('error', (error) => fail(error.message));
      socket.on('close', () => {
        cancel();
        fail('the simulated host is off');
        this.#broken();
      });
      let greeted = false;
      onJsonLines(socket, (value) => {
        try {
          if (greeted) {
            const { id, ...answer } = result(value, '');
            this.#settle(id, answer);
            return;
          }
          greeting(value, '');
          greeted = true;
          cancel();
          resolve(socket);
        } catch {
          socket.destroy();
        }
      });
    });
  }

  #settle(id: number, outcome: SimCommandResult | HandoverError): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    pending?.settle(outcome);
  }

  /** Whatever was sent may have run. */
  #broken(): void {
    for (const [id, { command }] of [...this.#pending]) {
      this.#settle(id, this.#unknown('REPLY_LOST', command, 'the connection ended'));
    }
  }

  #unavailable(why: string): HandoverError {
    return new HandoverError(
      'HOST_CHANNEL_UNAVAILABLE',
      `${this.#where}: no shell on the simulated host at ${this.#path}: ${why}`,
      { detail: { cause: why } },
    );
  }

  #unknown(code: 'REPLY_LOST' | 'CALL_TIMED_OUT', command: string, why: string): HandoverError {
    return new HandoverError(
      code,
      `${this.#where}: no answer to "${command}": ${why}; look at the host before repeating it`,
      { detail: { command } },
    );
  }
}
