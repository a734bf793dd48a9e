/**
 * The hypervisor port on simulated hosts: the product's verbs and client, every byte on the wire, on a
 * virtual clock. For tests of the port and of what uses it.
 */
import { expect } from 'vitest';
import type { HandoverError } from '../../src/base/errors.ts';
import type { HostId, Mac, PciAddress, VmId } from '../../src/base/ids.ts';
import { silentLog } from '../../src/base/log.ts';
import { createHypervisors } from '../../src/hypervisor/libvirt-hypervisor.ts';
import type {
  DomainEvent,
  Hypervisor,
  Hypervisors,
  MigrateRequest,
  VfPlug,
} from '../../src/hypervisor/port.ts';
import { openClient } from '../../src/libvirt/index.ts';
import { DEMO_FLEET } from '../../src/simhost/demo-inventory.ts';
import { SimWorld } from './sim-fleet.ts';

/**
 * web-1 runs on host-a with `ua-vf0` on `WEB_VF` and a standby; batch-1 is off on host-c; nobody is `NOBODY`.
 */
export const WEB = '3b3f1f5e-7a0c-4c1b-9d55-0a5d0c9b1e01' as VmId;
export const BATCH = '3b3f1f5e-7a0c-4c1b-9d55-0a5d0c9b1e04' as VmId;
export const NOBODY = '3b3f1f5e-7a0c-4c1b-9d55-0a5d0c9b1eff' as VmId;
export const WEB_VF = '0000:3b:0a.0' as PciAddress;
/** Nobody's VF, on every host. */
export const FREE_VF = '0000:3b:02.3' as PciAddress;

export class SimHypervisors {
  readonly world: SimWorld;
  readonly hypervisors: Hypervisors;
  readonly a: Hypervisor;
  readonly b: Hypervisor;

  /** `libvirtVersion` of all hosts: 9000000 is 9.0. `channel` false: hosts without a host channel. */
  constructor(options: { libvirtVersion?: number; channel?: boolean } = {}) {
    const { libvirtVersion, channel = true } = options;
    const hosts = DEMO_FLEET.hosts.map((each) => ({
      ...each,
      ...(libvirtVersion === undefined ? {} : { libvirtVersion }),
    }));
    const world = new SimWorld({ inventory: { ...DEMO_FLEET, hosts } });
    this.world = world;
    this.hypervisors = createHypervisors({
      clock: world.clock,
      log: silentLog,
      connect: (uri, clientOptions) => {
        const name = new URL(uri).hostname;
        return openClient(world.fleet.connect(name), 'qemu:///system', { ...clientOptions, label: name });
      },
      openShell: ({ name }) => (channel ? world.fleet.shell(name) : null),
    });
    this.a = this.host('host-a', channel ? 'ssh' : 'tls');
    this.b = this.host('host-b', channel ? 'ssh' : 'tls');
  }

  host(name: string, transport: 'ssh' | 'tls' = 'ssh'): Hypervisor {
    return this.hypervisors.host({ id: name as HostId, name, uri: `qemu+${transport}://${name}/system` });
  }

  /** Lets time pass until it settles. */
  run<T>(pending: Promise<T>): Promise<T> {
    return this.world.run(pending);
  }

  /** What it is rejected with. */
  failureOf(pending: Promise<unknown>): Promise<HandoverError> {
    return this.run(
      pending.then(
        () => expect.unreachable('it should have failed'),
        (thrown: unknown) => thrown as HandoverError,
      ),
    );
  }

  /** Unplugs the VF of web-1 on host-a and waits until it is gone. */
  async unplugWeb(): Promise<void> {
    const events: DomainEvent[] = [];
    const stop = await this.run(this.a.watch(WEB, (event) => events.push(event)));
    await this.run(this.a.requestUnplug(WEB, 'ua-vf0'));
    await this.world.until('device_removed', () => events.some((event) => event.type === 'device_removed'));
    stop();
  }

  /** web-1 from host-a to host-b, its VF becoming `FREE_VF` there. */
  migrateWeb(change: Partial<MigrateRequest> = {}, signal = new AbortController().signal): Promise<void> {
    const request: MigrateRequest = {
      vmId: WEB,
      target: this.b,
      protocol: 'p2p',
      peerUri: 'qemu+ssh://root@host-b/system',
      migrationAddress: null,
      persistent: true,
      configVfs: [{ ...plugOf(), pool: null, definedPool: null }],
      bandwidthMiBps: null,
      copyDisks: [],
      ...change,
    };
    return this.a.migrate(request, signal);
  }

  async close(): Promise<void> {
    await this.run(this.hypervisors.close());
    await this.world.close();
  }
}

/** The vNIC of web-1, on `FREE_VF`. */
export function plugOf(change: Partial<VfPlug> = {}): VfPlug {
  return {
    alias: 'ua-vf0',
    mac: '52:54:00:aa:01:01' as Mac,
    vf: FREE_VF,
    managed: true,
    vlan: 42,
    guestAddress: '0000:00:08.0' as PciAddress,
    traitsXml: '',
    ...change,
  };
}
