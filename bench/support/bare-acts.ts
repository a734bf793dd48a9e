/**
 * What a migration cannot do without, and nothing else: the acts on both hosts and the looks at them that its
 * promises need, through the engine's own client as bytes, but without engine, store, saga and checkers. No
 * campaign is faster than this. Caller: `bench/campaign.ts`.
 */
import { silentLog } from '../../src/base/log.ts';
import { seededRandom } from '../../src/base/random.ts';
import { createHypervisors } from '../../src/hypervisor/libvirt-hypervisor.ts';
import type { Hypervisor, VfPlug } from '../../src/hypervisor/port.ts';
import type { HostId, PciAddress } from '../../src/base/ids.ts';
import { openClient } from '../../src/libvirt/index.ts';
import { createSimFleet } from '../../src/simhost/fleet.ts';
import { aliasOf, simVmFleet, uuidOf, VLAN, vfOf } from '../../test/support/sim-vms.ts';
import { VirtualClock } from '../../test/support/virtual-clock.ts';

const VM = uuidOf(0);
const HOSTS = ['host-a', 'host-b'] as const;
/**
 * Looks at the VM on both sides while it moves: before the unplug, to see it out, at the pivot, at the end.
 */
const LOOKS_AT_VM = 4;
const PLACE_IN_GUEST = '0000:00:08.0' as PciAddress;

/** A VM with a VF on two hosts; moves it there and back. */
export interface BareWorld {
  /** Moves it `count` times, an even number. */
  move(count: number): Promise<void>;
  close(): Promise<void>;
}

/** Begins one; who begins it closes it. */
export async function bareWorld(seed: number): Promise<BareWorld> {
  const clock = new VirtualClock();
  const inventory = simVmFleet({ vms: [{ name: 'vm-0' }], hostCount: HOSTS.length, vfCount: 4 });
  const fleet = createSimFleet({ clock, random: seededRandom(seed), log: silentLog, inventory });
  const hypervisors = createHypervisors({
    clock,
    log: silentLog,
    random: seededRandom(seed + 1),
    connect: (uri, options) => {
      const name = new URL(uri).hostname;
      return openClient(fleet.connect(name), 'qemu:///system', { ...options, label: name });
    },
    openShell: ({ name }) => fleet.shell(name),
  });
  const [a, b] = HOSTS.map((name) =>
    hypervisors.host({ id: name as HostId, name, uri: `qemu+ssh://${name}/system` }),
  ) as [Hypervisor, Hypervisor];

  /** Lets time pass until `work` has ended. */
  async function run<T>(work: Promise<T>): Promise<T> {
    let ended = false;
    void work.finally(() => {
      ended = true;
    });
    await clock.advance(0);
    while (!ended) await clock.step();
    return work;
  }
  const mac = (await run(a.inspect(VM)))?.interfaces.find((each) => each.vf !== null)?.mac;
  if (mac === undefined) throw new Error('the VM has no VF to begin with');
  const place = { managed: true, vlan: VLAN, guestAddress: PLACE_IN_GUEST, traitsXml: "<rom bar='off'/>" };
  const plug: VfPlug = { alias: aliasOf(0), mac, vf: vfOf(0), ...place };
  return {
    async move(count) {
      for (let moved = 0; moved < count; moved += 2) {
        await run(moveOnce(a, b, plug));
        await run(moveOnce(b, a, plug));
      }
    },
    async close() {
      await run(hypervisors.close());
      await fleet.close();
    },
  };
}

async function moveOnce(source: Hypervisor, target: Hypervisor, plug: VfPlug): Promise<void> {
  await target.observe();
  await source.migrationBlockers(VM, { copyStorage: false });
  let out = (): void => undefined;
  const removed = new Promise<void>((resolve) => {
    out = resolve;
  });
  const stop = await source.watch(VM, (event) => {
    if (event.type === 'device_removed') out();
  });
  await source.requestUnplug(VM, plug.alias);
  await removed;
  stop();
  await source.migrate(
    {
      vmId: VM,
      target,
      protocol: 'p2p',
      peerUri: `qemu+ssh://root@${target.endpoint.name}/system`,
      migrationAddress: null,
      persistent: true,
      configVfs: [{ ...plug, pool: null, definedPool: null }],
      bandwidthMiBps: null,
      copyDisks: [],
    },
    new AbortController().signal,
  );
  await target.plug(VM, plug);
  for (let look = 0; look < LOOKS_AT_VM; look++) await target.inspect(VM);
  await source.vfAttributes(plug.vf);
  await target.guestVfs(VM, [plug.mac]);
  await source.observe();
  await target.observe();
}
