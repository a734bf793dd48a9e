/** What happened in an episode, line by line: deeds, steps of jobs, life cycles of domains. */
import type { Store } from '../../src/app/store-port.ts';
import { LIFECYCLE } from '../../src/simhost/events.ts';
import type { EngineProcess, EngineProcessOptions } from '../support/engine-process.ts';
import type { VirtualWorld } from '../support/virtual-world.ts';

type OverStore = NonNullable<EngineProcessOptions['overStore']>;

/** Keeps lines, or nothing. */
export class Trace {
  readonly lines: string[] = [];
  readonly #world: VirtualWorld;
  readonly #kept: boolean;

  constructor(world: VirtualWorld, kept: boolean) {
    this.#world = world;
    this.#kept = kept;
    if (!kept) return;
    const names = new Map(Object.entries(LIFECYCLE).map(([name, numbers]) => [numbers.join(), name]));
    for (const host of world.fleet.hosts.values())
      host.listen((event) => {
        if (event.type === 'lifecycle')
          this.note(() => `${host.name} ${event.dom.name} ${names.get(`${event.event},${event.detail}`)}`);
        else if (event.type.startsWith('device'))
          this.note(() => `${host.name} ${'dom' in event ? event.dom.name : ''} ${event.type}`);
      });
  }

  /** Adds a line. */
  note(line: () => string): void {
    if (this.#kept) this.lines.push(`${(this.#world.clock.monotonicMs() / 1000).toFixed(3)} ${line()}`);
  }

  /** A store whose writes of jobs leave a line, over whatever else there is. */
  overStore(inner: OverStore | undefined): OverStore {
    return (plain: Store, engine: EngineProcess) => {
      const store = inner?.(plain, engine) ?? plain;
      if (!this.#kept) return store;
      const { saga } = store.jobs;
      const write: typeof saga.write = (claim, patch) => {
        const { step, state } = patch;
        const vm = () => `${claim.owner} job ${claim.jobId.slice(0, 4)}`;
        if (step)
          this.note(() => `${vm()} ${step.name} ${step.item ?? ''} ${step.state} ${step.message ?? ''}`);
        if (state) this.note(() => `${vm()} is ${state} ${patch.error?.message ?? ''}`);
        return saga.write(claim, patch);
      };
      return { ...store, jobs: { ...store.jobs, saga: { ...saga, write } } };
    };
  }
}
