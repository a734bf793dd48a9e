/**
 * One long TCP transfer into a guest, which answers with the SHA-256 of what it got: proof that a connection
 * survived and that nothing was lost, doubled or changed on the way.
 *
 * Paced, so that it lasts as long as what it watches. Whoever starts a transfer finishes it.
 * Callers: scenarios, the demo, benches.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { systemClock } from '../src/base/clock.ts';
import { inNamespace } from './namespace.ts';
import { LAB_DIRECTORY, REPOSITORY } from './paths.ts';

/** Where the guest's init script listens. */
const SINK_PORT = 7000;
const CHUNK_BYTES = 8 * 1024;
/** 64 KiB/s: the guest receives and hashes it with an emulated CPU that has other things to do. */
const PAUSE_MS = 125;
/** TCP may be backing off when the guest comes back, and the guest has the rest to hash. */
const FINISH_LIMIT_MS = 120_000;

/** What became of the connection. */
export interface TransferResult {
  /** True if the connection lived to the end and the guest's checksum is that of what was sent. */
  readonly survived: boolean;
  readonly bytes: number;
  /** Why not. */
  readonly reason?: string;
}

export class TcpTransfer {
  readonly #child: ChildProcess;
  readonly #hash = createHash('sha256');
  readonly #ended: Promise<void>;
  readonly #sender: Promise<void>;
  #stopping = false;
  #bytes = 0;
  #answer = '';
  #complaint = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.on('data', (chunk: Buffer) => {
      this.#answer += chunk.toString();
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#complaint += chunk.toString();
    });
    // A broken connection ends the child: writing to it then fails, and its message says why.
    child.stdin?.on('error', () => {});
    this.#ended = new Promise((resolve) => {
      child.once('close', () => resolve());
      child.once('error', (error) => {
        this.#complaint += error.message;
        resolve();
      });
    });
    this.#sender = this.#send();
  }

  /** Starts sending to the guest at `address`. */
  static start(address: string): TcpTransfer {
    const pipe = [process.execPath, '--import', 'tsx', join(LAB_DIRECTORY, 'tcp-pipe.ts')];
    const [program = '', ...args] = inNamespace([...pipe, address, String(SINK_PORT)]);
    return new TcpTransfer(spawn(program, args, { cwd: REPOSITORY, stdio: 'pipe' }));
  }

  /** Bytes handed to the connection so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Ends the transfer and compares checksums; never throws for a broken connection, it reports it. */
  async finish(): Promise<TransferResult> {
    this.#stopping = true;
    await this.#sender;
    this.#child.stdin?.end();
    let late = false;
    const cancel = systemClock.after(FINISH_LIMIT_MS, () => {
      late = true;
      this.#child.kill('SIGKILL');
    });
    await this.#ended;
    cancel();
    const sent = this.#hash.digest('hex');
    const got = this.#answer.trim().split(/\s+/)[0] ?? '';
    if (got === sent) return { survived: true, bytes: this.#bytes };
    const reason = late
      ? `no checksum within ${FINISH_LIMIT_MS} ms`
      : this.#complaint.trim() || `the guest's checksum is "${got}", sent was ${sent}`;
    return { survived: false, bytes: this.#bytes, reason };
  }

  async #send(): Promise<void> {
    const chunk = randomBytes(CHUNK_BYTES);
    const { stdin } = this.#child;
    while (!this.#stopping && this.#child.exitCode === null && stdin?.writable) {
      // The position in the data makes any exchange or repetition of chunks visible.
      chunk.writeBigUInt64BE(BigInt(this.#bytes));
      const copy = Buffer.from(chunk);
      this.#hash.update(copy);
      this.#bytes += copy.length;
      if (!stdin.write(copy)) await this.#drained();
      await systemClock.sleep(PAUSE_MS);
    }
  }

  /** Resolves when the child takes more, or ended. */
  #drained(): Promise<void> {
    return Promise.race([
      new Promise<void>((resolve) => this.#child.stdin?.once('drain', () => resolve())),
      this.#ended,
    ]);
  }
}
