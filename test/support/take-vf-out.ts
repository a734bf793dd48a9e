/** Somebody takes the first VF out of a running VM, as `virsh detach-device-alias` does. */
import type { VmId } from '../../src/base/ids.ts';
import { AFFECT } from '../../src/libvirt/index.ts';
import type { SimFleet } from '../../src/simhost/fleet.ts';
import { detachAlias } from '../../src/simhost/hotplug.ts';
import { aliasOf } from './sim-vms.ts';

/** Resolves when it is out; the engine may have it in again at any time after that. */
export async function takeVfOut(
  world: { readonly fleet: SimFleet; vmId(name: string): VmId },
  hostName: string,
  vm: string,
): Promise<void> {
  const host = world.fleet.host(hostName);
  const domain = host.domains.get(world.vmId(vm));
  if (!domain) throw new Error(`${vm} is not on ${hostName}`);
  let stopListening = (): void => {};
  const out = new Promise<void>((resolve) => {
    stopListening = host.listen((event) => {
      if (event.type === 'deviceRemoved' && event.alias === aliasOf(0) && event.dom.id === domain.ref.id)
        resolve();
    });
  });
  await detachAlias(host, domain, aliasOf(0), AFFECT.live);
  await out;
  stopListening();
}
