/**
 * What happens in one episode of a campaign, decided beforehand by a seed: migrations, and everything that
 * may go wrong around them. A plan is plain data, so that it can be cut short and played again.
 */
import type { Random } from '../../src/base/random.ts';
import type { SimAct } from '../../src/simhost/acts.ts';
import { type FaultRule, MOMENTS } from '../../src/simhost/faults.ts';
import { PROMPT_UNPLUG } from '../../src/simhost/inventory.ts';
import { vfOf } from '../support/sim-vms.ts';

/** The size of an episode's world. */
export interface EpisodeSize {
  readonly hosts: number;
  readonly vms: number;
  /** Migrations asked for. */
  readonly migrations: number;
}

/** Something that goes wrong, and how it ends. */
export type Trouble =
  | { readonly do: 'rule'; readonly rule: FaultRule }
  | { readonly do: 'act'; readonly act: SimAct; readonly end: SimAct | null }
  /** To a VM on the host it runs on at that moment. */
  | { readonly do: 'vm'; readonly verb: VmVerb; readonly vm: string }
  | { readonly do: 'killEngine' }
  /** One engine more, which is killed in the end. */
  | { readonly do: 'secondEngine' }
  /** The engine loses a host. */
  | { readonly do: 'cutEngine'; readonly host: string }
  | { readonly do: 'jumpWall'; readonly byMs: number };

const VM_VERBS = [
  'rebootGuest',
  'crashGuest',
  'killQemu',
  'destroy',
  'shutdown',
  'undefine',
  'migrate',
  'attachDevice',
] as const;
type VmVerb = (typeof VM_VERBS)[number];

/** One thing that is done. `afterMs`: so long after the one before. */
export type Deed = { readonly afterMs: number } & (
  | {
      readonly do: 'migrate';
      readonly vm: string;
      /** Which of the other hosts; null: whichever fits best. */ readonly elsewhere: number | null;
      readonly unplugTimeoutMs: number;
    }
  | { readonly do: 'cancel'; readonly vm: string }
  | { readonly do: 'trouble'; readonly trouble: Trouble; readonly forMs: number }
);

/** Share of deeds that are trouble, by episode: half of them are peaceful, so that plain faults show too. */
const TROUBLE_SHARES = [0, 0, 0.04, 0.04, 0.1, 0.3];
const CANCEL_SHARE = 0.05;
/** How long trouble lasts. */
const TROUBLE_MS = [500, 40_000] as const;

const ACTS = [
  'domainDetachDeviceAlias',
  'domainAttachDeviceFlags',
  'domainMigratePrepare3Params',
  'domainMigratePerform3Params',
  'domainMigrateFinish3Params',
  'domainMigrateConfirm3Params',
  'domainMigrateBegin3Params',
  'domainAbortJob',
  'domainDestroyFlags',
  'domainUndefineFlags',
  'domainResume',
  'domainMigrateSetMaxDowntime',
];
const LOOKS = [
  'domainGetState',
  'domainGetXmlDesc',
  'domainGetJobStats',
  'connectListAllDomains',
  'connectListAllNodeDevices',
  'nodeDeviceGetXmlDesc',
  'qemuAgentCommand',
  'connectOpen',
];
const EVENTS = ['lifecycle', 'deviceRemoved', 'deviceRemovalFailed', 'migrationIteration', 'jobCompleted'];

/** Names of an episode's hosts and VMs. */
export const hostNames = (size: EpisodeSize): string[] =>
  Array.from({ length: size.hosts }, (_, at) => `host-${String.fromCharCode(97 + at)}`);
export const vmNames = (size: EpisodeSize): string[] =>
  Array.from({ length: size.vms }, (_, at) => `vm-${at}`);

/** The plan `random` leads to. */
export function planEpisode(random: Random, size: EpisodeSize): Deed[] {
  const draw = new Draw(random, hostNames(size), vmNames(size));
  const troubleShare = draw.one(TROUBLE_SHARES);
  const deeds: Deed[] = [];
  for (let migrations = 0; migrations < size.migrations; ) {
    const afterMs = draw.chance(0.4) ? 0 : draw.between(0, 5_000);
    if (draw.chance(troubleShare)) {
      const forMs = Math.round(draw.between(...TROUBLE_MS));
      deeds.push({ afterMs, do: 'trouble', trouble: draw.trouble(), forMs });
    } else if (troubleShare > 0 && draw.chance(CANCEL_SHARE)) {
      deeds.push({ afterMs, do: 'cancel', vm: draw.vm() });
    } else {
      const unplugTimeoutMs = draw.one([5_000, 10_000, 30_000]);
      deeds.push({
        afterMs,
        do: 'migrate',
        vm: draw.vm(),
        elsewhere: draw.chance(0.5) ? draw.between(0, 9) : null,
        unplugTimeoutMs,
      });
      migrations += 1;
    }
  }
  return deeds;
}

class Draw {
  readonly #random: Random;
  readonly #hosts: readonly string[];
  readonly #vms: readonly string[];

  constructor(random: Random, hosts: readonly string[], vms: readonly string[]) {
    this.#random = random;
    this.#hosts = hosts;
    this.#vms = vms;
  }

  chance(probability: number): boolean {
    return this.#random.next() < probability;
  }

  between(min: number, max: number): number {
    return Math.round(min + this.#random.next() * (max - min));
  }

  one<T>(among: readonly T[]): T {
    return among[Math.floor(this.#random.next() * among.length)] as T;
  }

  host(): string {
    return this.one(this.#hosts);
  }

  vm(): string {
    return this.one(this.#vms);
  }

  trouble(): Trouble {
    const kinds = [
      () => this.#call(),
      () => this.#call(),
      () => this.#call(),
      () => this.#event(),
      () => this.#bytes(),
      () => this.#moment(),
      () => this.#host(),
      () => this.#guest(),
      () => this.#vm(),
      () => this.#engine(),
    ];
    return this.one(kinds)();
  }

  #call(): Trouble {
    const procedure = this.one(this.chance(0.7) ? ACTS : LOOKS);
    const host = this.chance(0.5) ? { host: this.host() } : {};
    const often = { maxCount: this.one([1, 1, 2, 5]) };
    const effects: (() => Partial<Extract<FaultRule, { procedure: string }>>)[] = [
      () => ({ effect: { type: 'refuse', libvirtCode: this.one([9, 38, 55, 1]), message: 'it went wrong' } }),
      () => ({ effect: { type: 'dropReply' } }),
      () => ({ effect: { type: 'dropRequest' } }),
      () => ({ effect: { type: 'hang' } }),
      () => ({ delayMs: this.between(100, 20_000) }),
      () => ({ effect: { type: 'closeConnection' }, delayMs: this.between(0, 2_000) }),
      () => ({
        effect: { type: 'restartLibvirtd', restartAfterMs: this.between(100, 20_000) },
        ...(this.chance(0.5) ? { delayMs: this.between(0, 1_000) } : {}),
      }),
    ];
    return { do: 'rule', rule: { procedure, ...host, ...often, ...this.one(effects)() } };
  }

  #event(): Trouble {
    const effect = { type: this.one(['loseEvent', 'repeatEvent'] as const) };
    return { do: 'rule', rule: { event: this.one(EVENTS), maxCount: this.one([1, 3, 20]), effect } };
  }

  #bytes(): Trouble {
    const bytes = this.one(['received', 'sent'] as const);
    const on = { bytes, host: this.host(), nth: this.between(1, 200) };
    const rules: FaultRule[] = [
      { ...on, delayMs: this.between(100, 5_000) },
      { ...on, effect: { type: 'hang' } },
      { ...on, effect: { type: 'closeConnection' } },
    ];
    return { do: 'rule', rule: this.one(rules) };
  }

  #moment(): Trouble {
    const on = { moment: this.one(MOMENTS), maxCount: 1, delayMs: this.between(0, 400) };
    const restartLibvirtd = { type: 'restartLibvirtd', restartAfterMs: this.between(100, 20_000) } as const;
    const [one, other] = this.#twoHosts();
    const effects: Extract<FaultRule, { moment: string }>['effect'][] = [
      restartLibvirtd,
      { type: 'crashHost' },
      {
        type: 'act',
        act: { do: 'killLibvirtd', host: this.host(), restartAfterMs: this.between(100, 20_000) },
      },
      { type: 'act', act: { do: 'crashHost', host: this.host() } },
      { type: 'act', act: { do: 'setLink', between: [one, other], up: false } },
      { type: 'act', act: { do: 'destroy', host: this.host(), domain: this.vm() } },
    ];
    return { do: 'rule', rule: { ...on, effect: this.one(effects) } };
  }

  #twoHosts(): [string, string] {
    const one = this.host();
    return [one, this.one(this.#hosts.filter((host) => host !== one))];
  }

  #host(): Trouble {
    const host = this.host();
    const between = this.#twoHosts();
    const acts: [SimAct, SimAct | null][] = [
      [
        { do: 'crashHost', host },
        { do: 'bootHost', host },
      ],
      [{ do: 'killLibvirtd', host, restartAfterMs: this.between(100, 30_000) }, null],
      [
        { do: 'setLink', between, up: false },
        { do: 'setLink', between, up: true },
      ],
      [
        { do: 'setCarrier', host, pf: 'ens1f0', up: false },
        { do: 'setCarrier', host, pf: 'ens1f0', up: true },
      ],
      [
        { do: 'takeMemory', host, memoryKiB: 1 << 30 },
        { do: 'takeMemory', host, memoryKiB: 0 },
      ],
      [{ do: 'stealVf', host, vf: vfOf(this.between(0, 3)) }, null],
    ];
    const [act, end] = this.one(acts);
    return { do: 'act', act, end };
  }

  #guest(): Trouble {
    const domain = this.vm();
    const late = this.between(2_000, 60_000);
    const changes: [object, object][] = [
      [{ unplug: { type: 'never' } }, { unplug: PROMPT_UNPLUG }],
      [{ unplug: { type: 'refuse', afterMs: 200 } }, { unplug: PROMPT_UNPLUG }],
      [{ unplug: { type: 'answer', minMs: late, maxMs: late } }, { unplug: PROMPT_UNPLUG }],
      [{ dirtyMiBps: 1e9 }, { dirtyMiBps: 40 }],
      [{ vfTrouble: this.one(['no_driver', 'deaf']) }, { vfTrouble: null }],
    ];
    const [change, back] = this.one(changes);
    const setGuest = (what: object): SimAct => ({ do: 'setGuest', domain, ...what });
    return { do: 'act', act: setGuest(change), end: setGuest(back) };
  }

  #vm(): Trouble {
    return { do: 'vm', verb: this.one(VM_VERBS), vm: this.vm() };
  }

  #engine(): Trouble {
    const troubles: Trouble[] = [
      { do: 'killEngine' },
      { do: 'killEngine' },
      { do: 'secondEngine' },
      { do: 'secondEngine' },
      { do: 'cutEngine', host: this.host() },
      { do: 'jumpWall', byMs: this.between(-3_600_000, 3_600_000) },
    ];
    return this.one(troubles);
  }
}
