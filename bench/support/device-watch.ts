/**
 * When a domain's devices went and came, as the host's own `virsh event` says, on this side's clock. The same
 * instrument for everybody who moves a guest; it takes no part in the move. Callers: benches of the lab.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { inNamespace } from '../../lab/namespace.ts';
import { sshCommand } from '../../lab/ssh.ts';
import type { HostLetter } from '../../lab/topology.ts';
import { systemClock, until } from '../../src/base/clock.ts';

/** What a line of `virsh event` may say of a device. */
export type DeviceChange = 'device-added' | 'device-removed';

/** Listens on one host until `stop`. */
export class DeviceWatch {
  readonly #child: ChildProcess;
  readonly #seen: { atMs: number; line: string }[] = [];
  readonly #ended: Promise<void>;

  constructor(letter: HostLetter) {
    // virsh keeps lines back when its output is no terminal.
    const listen = [...sshCommand(letter), '--', 'exec stdbuf -oL virsh event --all --loop'];
    const [program = '', ...args] = inNamespace(listen);
    this.#child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      this.#seen.push({ atMs: systemClock.now(), line });
    });
    this.#ended = new Promise((resolve) => this.#child.once('close', () => resolve()));
  }

  /** When `change` of the device `alias` was first told at or after `sinceMs`; waits at most 60 s for it. */
  first(change: DeviceChange, alias: string, sinceMs: number): Promise<number> {
    const limits = { limitMs: 60_000, everyMs: 20 };
    return until(systemClock, `virsh event to tell ${change} of ${alias}`, limits, () => {
      const told = this.#seen.find(
        ({ atMs, line }) => atMs >= sinceMs && line.includes(`'${change}'`) && line.endsWith(`: ${alias}`),
      );
      return told?.atMs;
    });
  }

  /**
   * When the domain `name` was first told to have resumed at or after `sinceMs`; waits at most 60 s for it.
   */
  resumed(name: string, sinceMs: number): Promise<number> {
    const limits = { limitMs: 60_000, everyMs: 20 };
    const told = `'${name}': Resumed `;
    return until(systemClock, `virsh event to tell that ${name} resumed`, limits, () => {
      return this.#seen.find(({ atMs, line }) => atMs >= sinceMs && line.includes(told))?.atMs;
    });
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#ended;
  }
}
