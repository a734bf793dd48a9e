/**
 * Domains that are arriving: on the target of a migration some libvirt versions (seen with 11.3.0-2 of Debian
 * backports, not with 11.3.0-3) cannot describe a domain until it has arrived. They let the question wait 30
 * s for a lock and then refuse it, and a question given up here still holds its place at the daemon.
 *
 * Invariants: at most one such question per domain is open, on a connection that serves nothing else; nobody
 * waits for it longer than `PATIENCE_MS`. So looks stay quick and the other connections free.
 */
import type { Clock } from '../base/clock.ts';
import type { VmId } from '../base/ids.ts';
import { type LibvirtClient, procedures } from '../libvirt/index.ts';
import { domainRef } from './refusals.ts';

/** Far longer than a daemon takes that does not wait. */
const PATIENCE_MS = 1000;
/** libvirt itself gives up after 30 s. */
const CALL_LIMIT_MS = 45_000;

/** What can be asked of domains that may be arriving on one host. */
export class ArrivingDomains {
  readonly #connect: () => Promise<LibvirtClient>;
  readonly #clock: Clock;
  readonly #open = new Map<VmId, Promise<boolean>>();

  constructor(connect: () => Promise<LibvirtClient>, clock: Clock) {
    this.#connect = connect;
    this.#clock = clock;
  }

  /** Whether the host describes that domain now; false also if it does not know it any more. */
  async canBeDescribed(vmId: VmId): Promise<boolean> {
    let question = this.#open.get(vmId);
    if (!question) {
      question = this.#ask(vmId).finally(() => this.#open.delete(vmId));
      this.#open.set(vmId, question);
    }
    return new Promise((resolve) => {
      const cancel = this.#clock.after(PATIENCE_MS, () => resolve(false));
      void question.then((answer) => {
        cancel();
        resolve(answer);
      });
    });
  }

  /** Never rejects: why it cannot be described does not matter, the look that follows will tell. */
  async #ask(vmId: VmId): Promise<boolean> {
    try {
      const client = await this.#connect();
      const args = { dom: domainRef(vmId), flags: 0 };
      await client.call(procedures.domainGetXmlDesc, args, { timeoutMs: CALL_LIMIT_MS });
      return true;
    } catch {
      return false;
    }
  }
}
