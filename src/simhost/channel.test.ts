/** The fixed commands of the host channel, answered from the model. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SimWorld } from '../../test/support/sim-fleet.ts';

describe('the host channel of a simulated host', () => {
  let world: SimWorld;

  beforeEach(() => {
    world = new SimWorld();
  });
  afterEach(() => world.close());

  const run = async (...argv: string[]) => {
    const shell = world.fleet.shell('host-a');
    if (!shell) throw new Error('host-a has no shell');
    return world.run(shell.run(argv, 1000));
  };
  const links = async (...args: string[]) =>
    JSON.parse((await run('ip', '-j', '-d', 'link', 'show', ...args)).stdout) as Record<string, unknown>[];

  test('a PF shows MAC and VLAN of every VF, as libvirt set them', async () => {
    const [pf] = await links('dev', 'ens1f1');
    const vfs = pf?.['vfinfo_list'] as Record<string, unknown>[];
    expect(vfs).toHaveLength(8);
    expect(vfs[0]).toMatchObject({
      vf: 0,
      address: '52:54:00:aa:01:01',
      vlan_list: [{ vlan: 42 }],
      trust: false,
    });
    expect(vfs[2]).toMatchObject({ vf: 2, address: '00:00:00:00:00:00', vlan_list: [{}] });
  });

  test(
    'a VF in use has no netdev, an idle one has; bridges have their ports and VMs their ' + 'taps',
    async () => {
      const all = await links();
      const names = all.map((each) => each['ifname']);
      expect(names).toContain('ens1f0v0');
      expect(names).not.toContain('ens1f1v0');
      const port = (name: string) => all.find((each) => each['ifname'] === name)?.['master'];
      expect([port('eno1'), port('eno1.42'), port('vnet0')]).toEqual(['ovirtmgmt', 'prod', 'prod']);
    },
  );

  test('resetting a VF clears MAC and VLAN; a wrong device is an error as ip gives it', async () => {
    expect((await run('ip', 'link', 'set', 'dev', 'ens1f1', 'vf', '0', 'vlan', '0')).exitCode).toBe(0);
    expect(
      (await run('ip', 'link', 'set', 'dev', 'ens1f1', 'vf', '0', 'mac', '00:00:00:00:00:00')).exitCode,
    ).toBe(0);
    const vf = world.fleet.host('host-a').hardware.vf('0000:3b:0a.0');
    expect(vf).toMatchObject({ mac: '00:00:00:00:00:00', vlan: 0 });
    expect(await run('ip', 'link', 'set', 'dev', 'nope', 'vf', '0', 'vlan', '0')).toMatchObject({
      exitCode: 1,
    });
    expect((await run('ip', '-j', '-d', 'link', 'show', 'dev', 'nope')).stderr).toContain('does not exist');
  });

  test('the NICs its kernel serves are those of virtio', async () => {
    const [domain] = [...world.fleet.host('host-a').domains.values()].filter(({ live }) => live !== null);
    const counted = await run(
      'sh',
      '-c',
      'ls | grep /dev/vhost-net',
      'sh',
      domain?.name ?? '',
      domain?.uuid ?? '',
    );
    expect(counted.stdout).toBe('1\n');
  });

  test('the number of VFs of a PF is changed, within its limits', async () => {
    const { hardware } = world.fleet.host('host-c');
    const { fleet } = world;
    const shell = fleet.shell('host-c');
    const onC = async (pf: string, count: number) => {
      const argv = ['sh', '-c', 'x="/sys/class/net/$1/device/sriov_numvfs"', 'sh', pf, String(count)];
      return world.run(shell?.run(argv, 1000) ?? Promise.reject(new Error('no shell')));
    };
    expect(await onC('ens1f1', 3)).toMatchObject({ exitCode: 0, stdout: '3\n' });
    expect(hardware.pf('ens1f1')?.vfs.map((vf) => vf.index)).toEqual([0, 1, 2]);
    expect(await onC('ens1f1', 9)).toMatchObject({ exitCode: 1 });
    expect(hardware.pf('ens1f1')?.vfs).toHaveLength(3);
    expect(await onC('nope', 1)).toMatchObject({ exitCode: 1 });
  });

  test('an address on a VF netdev is shown', async () => {
    const vf = world.fleet.host('host-a').hardware.vf('0000:3b:02.0');
    if (vf) vf.netdevAddresses = ['10.0.0.5/24'];
    const all = JSON.parse((await run('ip', '-j', 'addr', 'show')).stdout) as Record<string, unknown>[];
    const netdev = all.find((each) => each['ifname'] === 'ens1f0v0');
    expect(netdev?.['addr_info']).toEqual([expect.objectContaining({ local: '10.0.0.5', scope: 'global' })]);
  });

  test('virsh version tells whether this host can dial another one', async () => {
    expect(await run('virsh', '-q', '-c', 'qemu+ssh://root@host-b/system', 'version')).toMatchObject({
      exitCode: 0,
    });
    world.fleet.setLink('host-a', 'host-b', false);
    const cut = await run('virsh', '-q', '-c', 'qemu+ssh://root@host-b/system', 'version');
    expect(cut).toMatchObject({ exitCode: 1 });
    expect(cut.stderr).toContain('No route to host');
  });

  test('disk images are created once, measured and removed', async () => {
    const path = '/var/lib/libvirt/images/x.qcow2';
    expect((await run('test', '-e', path)).exitCode).toBe(1);
    const create = () => run('sh', '-c', 'set -C && : > "$1"', 'sh', path);
    expect((await create()).exitCode).toBe(0);
    expect((await create()).exitCode).toBe(1);
    await run('qemu-img', 'create', '-q', '-f', 'qcow2', path, '1048576');
    const info = await run('qemu-img', 'info', '-U', '--output=json', path);
    expect(JSON.parse(info.stdout)).toMatchObject({ 'virtual-size': 1048576 });
    await run('rm', '-f', path);
    expect((await run('test', '-e', path)).exitCode).toBe(1);
  });

  test('anything else is not found, and a host of another fleet has no channel', async () => {
    expect((await run('reboot')).exitCode).toBe(127);
    expect(world.fleet.shell('elsewhere')).toBeNull();
  });
});
