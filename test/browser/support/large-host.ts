/** One simulated host with as many VFs as a host can be expected to have: 8 PFs with 128 each. */
import { DEMO_FLEET } from '../../../src/simhost/demo-inventory.ts';
import type { SimFleetSpec, SimHostSpec, SimPfSpec } from '../../../src/simhost/inventory.ts';

/** How many PFs it has. */
export const PF_COUNT = 8;
/** How many VFs each of them has. */
export const VFS_PER_PF = 128;

const [demoHost] = DEMO_FLEET.hosts as readonly [SimHostSpec];
const [demoPf] = demoHost.pfs as readonly [SimPfSpec];

const pf = (index: number): SimPfSpec => ({
  ...demoPf,
  name: `ens${index + 1}f0`,
  pciAddress: `0000:${40 + index}:00.0`,
  firstVf: `0000:${40 + index}:02.0`,
  mac: `3c:fd:fe:b0:00:0${index}`,
  numaNode: index % 2,
  vfCountMax: VFS_PER_PF,
  vfCount: VFS_PER_PF,
  // The VFs of the last one are bound to something that is neither a network driver nor VFIO.
  vfDriver: index === PF_COUNT - 1 ? 'pci-stub' : demoPf.vfDriver,
});

/** A fleet of it alone. The host has VF 5 of `ens1f0` in a bridge. */
export const LARGE_HOST: SimFleetSpec = {
  hosts: [
    {
      ...demoHost,
      name: 'large-1',
      pfs: Array.from({ length: PF_COUNT }, (_unused, index) => pf(index)),
      bridges: [
        ...demoHost.bridges,
        { name: 'lab', mac: '52:54:00:10:0a:0a', uplinks: ['ens1f0v5'], mtu: 1500 },
      ],
    },
  ],
  domains: [],
};
