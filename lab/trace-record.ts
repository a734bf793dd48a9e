/**
 * What ftrace wrote, as stretches of time of each thread, and what is taken from it; pure.
 *
 * Times are ms of the host's own clock. Callers: `host-trace.ts`, benches.
 */

/** A part of the time. */
export interface TraceWindow {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What a thread did for a while. `call`: the system call it was in; null = none that is traced. */
interface Stretch extends TraceWindow {
  readonly thread: string;
  readonly state: 'runs' | 'waits for the CPU' | 'sleeps';
  readonly call: string | null;
}

/** A share of a window. */
export interface Share extends Omit<Stretch, keyof TraceWindow> {
  readonly ms: number;
}

/** Requests by number: linux/kvm.h, linux/vfio.h, linux/vhost.h. */
const REQUESTS: Readonly<Record<string, string>> = {
  ae80: 'KVM_RUN',
  '4020ae46': 'KVM_SET_USER_MEMORY_REGION',
  '40a0ae49': 'KVM_SET_USER_MEMORY_REGION2',
  '4040ae79': 'KVM_IOEVENTFD',
  '4020ae76': 'KVM_IRQFD',
  '4008ae6a': 'KVM_SET_GSI_ROUTING',
  '3b66': 'VFIO_SET_IOMMU',
  '3b68': 'VFIO_GROUP_SET_CONTAINER',
  '3b6a': 'VFIO_GROUP_GET_DEVICE_FD',
  '3b6b': 'VFIO_DEVICE_GET_INFO',
  '3b6e': 'VFIO_DEVICE_SET_IRQS',
  '3b6f': 'VFIO_DEVICE_RESET',
  '3b70': 'VFIO_DEVICE_GET_PCI_HOT_RESET_INFO',
  '3b71': 'VFIO_IOMMU_MAP_DMA',
  '3b72': 'VFIO_IOMMU_UNMAP_DMA',
  '4008af03': 'VHOST_SET_MEM_TABLE',
};

const LINE = /^\s*(.*)-(\d+)\s+\[\d+\]\s+\S+\s+(\d+\.\d+): (.*)$/;
const ENTERS = /^sys_(ioctl|futex)\((?:.*cmd: ([0-9a-f]+))?/;
const LEAVES = /^sys_(?:ioctl|futex) -> /;
const LEFT = /^sched_switch: prev_comm=(.*) prev_pid=(\d+) prev_prio=\d+ prev_state=(\S+) ==> /;
const CAME = / ==> next_comm=(.*) next_pid=(\d+) /;
const WAKING = /^sched_waking: comm=.* pid=(\d+) /;
const PACKET = /^netif_receive_skb: dev=vnet/;

interface Thread {
  readonly name: string;
  state: Stretch['state'];
  call: string | null;
  sinceMs: number;
}

/** The record of one host. */
export class TraceRecord {
  readonly #stretches: Stretch[] = [];
  readonly #packetsAtMs: number[] = [];
  readonly #threads = new Map<string, Thread>();

  /** Of the text of ftrace's `trace` file. Lines that say something else are passed over. */
  static of(text: string): TraceRecord {
    const record = new TraceRecord();
    let atMs = 0;
    for (const line of text.split('\n')) {
      const [, name = '', pid = '', at = '', what = ''] = LINE.exec(line) ?? [];
      if (what === '') continue;
      atMs = Math.round(Number(at) * 1e6) / 1e3;
      record.#add(name, pid, atMs, what);
    }
    for (const pid of record.#threads.keys()) record.#change(pid, atMs, {});
    return record;
  }

  /**
   * From QEMU's first call to VFIO until the end of its last: a VF is attached, and the guest has found it.
   * Null if there was none.
   */
  attach(): TraceWindow | null {
    const calls = this.#stretches.filter(({ call }) => call?.startsWith('VFIO_'));
    const [first, last] = [calls[0], calls.at(-1)];
    return first && last ? { fromMs: first.fromMs, toMs: last.toMs } : null;
  }

  /**
   * The longest time between two packets through a tap of which a part is in `window`: what stops a guest may
   * stop it a moment before. Null if there is none.
   */
  longestSilence(window: TraceWindow): TraceWindow | null {
    const silences = this.#packetsAtMs
      .slice(1)
      .map((toMs, at) => ({ fromMs: this.#packetsAtMs[at] as number, toMs }))
      .filter(({ fromMs, toMs }) => toMs >= window.fromMs && fromMs <= window.toMs);
    const longest = Math.max(...silences.map(({ fromMs, toMs }) => toMs - fromMs));
    return silences.find(({ fromMs, toMs }) => toMs - fromMs === longest) ?? null;
  }

  /** What threads did in `window`, the longest first. */
  shares(window: TraceWindow): Share[] {
    const shares = new Map<string, Share>();
    for (const { thread, state, call, fromMs, toMs } of this.#stretches) {
      const ms = Math.min(toMs, window.toMs) - Math.max(fromMs, window.fromMs);
      if (ms <= 0) continue;
      const key = `${thread}\0${state}\0${call}`;
      shares.set(key, { thread, state, call, ms: ms + (shares.get(key)?.ms ?? 0) });
    }
    return [...shares.values()].sort((one, other) => other.ms - one.ms);
  }

  #add(name: string, pid: string, atMs: number, what: string): void {
    const enters = ENTERS.exec(what);
    if (enters) {
      const [, call = '', request = ''] = enters;
      this.#change(pid, atMs, {
        name,
        state: 'runs',
        call: REQUESTS[request] ?? `${call} ${request}`.trim(),
      });
    } else if (LEAVES.test(what)) this.#change(pid, atMs, { name, state: 'runs', call: null });
    else if (PACKET.test(what)) this.#packetsAtMs.push(atMs);
    else if (what.startsWith('sched_')) this.#turn(atMs, what);
  }

  #turn(atMs: number, what: string): void {
    const [, woken] = WAKING.exec(what) ?? [];
    if (woken !== undefined && this.#threads.get(woken)?.state === 'sleeps')
      this.#change(woken, atMs, { state: 'waits for the CPU' });
    const [, prev = '', prevPid, prevState = ''] = LEFT.exec(what) ?? [];
    const [, next = '', nextPid] = CAME.exec(what) ?? [];
    if (prevPid === undefined || nextPid === undefined) return;
    const state = prevState.startsWith('R') ? 'waits for the CPU' : 'sleeps';
    this.#change(prevPid, atMs, { name: prev, state });
    this.#change(nextPid, atMs, { name: next, state: 'runs' });
  }

  /** A thread's stretch ends, and the next one begins. */
  #change(pid: string, atMs: number, to: Partial<Omit<Thread, 'sinceMs'>>): void {
    const { sinceMs, ...was } = this.#threads.get(pid) ?? {
      sinceMs: atMs,
      name: '',
      state: 'runs',
      call: null,
    };
    if (sinceMs < atMs && was.name !== '') {
      const { name, state, call } = was;
      this.#stretches.push({ thread: name, state, call, fromMs: sinceMs, toMs: atMs });
    }
    this.#threads.set(pid, { ...was, ...to, sinceMs: atMs });
  }
}
