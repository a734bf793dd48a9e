/** python3-libvirt as a child process that makes light calls when told. */
import { type ChildProcess, spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Debian's own: the one its packages are for. */
const PYTHON = '/usr/bin/python3';
const SCRIPT = join(dirname(fileURLToPath(import.meta.url)), 'light-calls.py');

/** The reference client; `close` ends it. */
export class PythonCaller {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  constructor(uri: string, uuid: string) {
    const child = spawn(PYTHON, [SCRIPT, uri, uuid], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child = child;
    this.#answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /** Makes `count` calls; how many that were in a second. Throws if Python ended. */
  async rate(count: number): Promise<number> {
    this.#child.stdin?.write(`${count}\n`);
    const answer = await this.#answers.next();
    if (answer.done) throw new Error('python3-libvirt ended: see its message above');
    return count / Number(answer.value);
  }

  close(): void {
    this.#child.stdin?.end();
  }
}
