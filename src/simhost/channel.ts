/**
 * The host channel of a simulated host: answers the few fixed commands the engine runs on a host, with the
 * text the real tools print (iproute2 6.1, virsh, qemu-img), from the same model that libvirt's side shows.
 * Anything else is "command not found", exit code 127.
 */
import { HandoverError } from '../base/errors.ts';
import type { SimFabric } from './fabric.ts';
import { EMPTY_MAC, type SimVf, vfNetdev } from './hardware.ts';
import type { SimHost } from './host.ts';
import { nodeDeviceName } from './pci.ts';
import { attribute, children, find } from './xml.ts';

/** What a command did; text is UTF-8. */
export interface SimCommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs commands on a simulated host. */
export interface SimHostShell {
  /** Throws `HOST_CHANNEL_UNAVAILABLE` while the host has no power. */
  run(argv: readonly string[], limitMs: number): Promise<SimCommandResult>;
  close(): void;
}

const ok = (stdout = ''): SimCommandResult => ({ exitCode: 0, stdout, stderr: '' });
const fail = (exitCode: number, stderr: string): SimCommandResult => ({ exitCode, stdout: '', stderr });

/** Opens a channel. Files made through it exist for all channels of that host. */
export function openChannel(fabric: SimFabric, host: SimHost): SimHostShell {
  return {
    async run(argv) {
      if (!host.powered) throw noShell(host.name);
      await host.context.clock.sleep(1);
      return answer(fabric, host, argv);
    },
    close() {},
  };
}

/** Why there is no shell on a host. */
export function noShell(where: string): HandoverError {
  return new HandoverError('HOST_CHANNEL_UNAVAILABLE', `${where}: no shell on the simulated host: it is off`);
}

function answer(fabric: SimFabric, host: SimHost, argv: readonly string[]): SimCommandResult {
  const [program = '', ...args] = argv;
  if (program === 'ip') return ip(host, args);
  if (program === 'virsh') return virshVersion(fabric, host, args);
  if (program === 'bridge' && args.join(' ') === '-j link') return ok(json(bridgePorts(host)));
  if (program === 'test' && args[0] === '-e') return host.files.has(args[1] ?? '') ? ok() : fail(1, '');
  if (program === 'rm' && args[0] === '-f') {
    host.files.delete(args.at(-1) ?? '');
    return ok();
  }
  // The engine's way to create a file that must not exist: `sh -c 'set -C && : > "$1"' sh PATH`.
  if (program === 'sh' && args[0] === '-c' && args[1]?.startsWith('set -C'))
    return createFile(host, args[3] ?? '');
  // The engine's script that writes `sriov_numvfs`: `sh -c SCRIPT sh PF COUNT`.
  if (program === 'sh' && args[0] === '-c' && args[1]?.includes('/device/sriov_numvfs'))
    return setVfCount(host, args[3] ?? '', Number(args[4]));
  // The engine's script that counts the NICs the kernel serves: `sh -c SCRIPT sh NAME UUID`.
  if (program === 'sh' && args[0] === '-c' && args[1]?.includes('/dev/vhost-net'))
    return countVhost(host, args[4] ?? '');
  if (program === 'qemu-img') return qemuImg(host, args);
  return fail(127, `sh: 1: ${program}: not found\n`);
}

const json = (value: unknown): string => `${JSON.stringify(value)}\n`;

// ---- ip ----

function ip(host: SimHost, args: readonly string[]): SimCommandResult {
  const words = args.filter((word) => !word.startsWith('-'));
  const [object = '', verb = 'show', ...rest] = words;
  if (object.startsWith('l') && verb === 'set') return ipLinkSet(host, rest);
  const now = knownLinks(host);
  const { links: all } = now;
  if (object.startsWith('a')) {
    now.addressText ??= json(all.map((each) => ({ ...each, addr_info: addresses(host, each.ifname) })));
    return ok(now.addressText);
  }
  const wanted = rest.find((word) => word !== 'dev');
  if (wanted === undefined) return ok((now.linkText ??= json(all)));
  const one = all.filter((each) => each.ifname === wanted);
  return one.length > 0 ? ok(json(one)) : fail(1, `Device "${wanted}" does not exist.\n`);
}

/** What `ip` prints of one host, for as long as nothing it shows has changed. */
interface KnownLinks {
  readonly state: string;
  readonly links: readonly Link[];
  linkText?: string;
  addressText?: string;
}

const known = new WeakMap<SimHost, KnownLinks>();

function knownLinks(host: SimHost): KnownLinks {
  const state = stateOf(host);
  const before = known.get(host);
  if (before?.state === state) return before;
  const now: KnownLinks = { state, links: links(host) };
  known.set(host, now);
  return now;
}

/** All of a host's links and addresses that can change. */
function stateOf(host: SimHost): string {
  const { nics, pfs, bridges } = host.hardware;
  let state = `${nics.map((nic) => nic.carrier).join()} ${[...bridges.keys()].join()}`;
  for (const { name, mac, bridge } of taps(host)) state += ` ${name} ${mac} ${bridge}`;
  for (const [name, own] of host.netdevAddresses) state += ` ${name} ${own.join()}`;
  for (const pf of pfs) {
    state += ` ${pf.carrier}`;
    for (const vf of pf.vfs)
      state +=
        ` ${vf.driver} ${vf.mac} ${vf.vlan} ${vf.trust} ${vf.spoofCheck} ${vf.linkState} ` +
        `${vf.rateMbitMin} ${vf.rateMbitMax} ${vf.netdevAddresses.join()}`;
  }
  return state;
}

interface Link {
  readonly ifname: string;
  readonly [key: string]: unknown;
}

function links(host: SimHost): Link[] {
  const { hardware } = host;
  const made: Link[] = [];
  const add = (facts: {
    name: string;
    mac: string;
    carrier: boolean;
    mtu?: number;
    extra?: Record<string, unknown>;
  }): void => {
    made.push({
      ifindex: made.length + 1,
      ifname: facts.name,
      flags: facts.carrier
        ? ['BROADCAST', 'MULTICAST', 'UP', 'LOWER_UP']
        : ['NO-CARRIER', 'BROADCAST', 'MULTICAST', 'UP'],
      mtu: facts.mtu ?? 1500,
      qdisc: 'mq',
      operstate: facts.carrier ? 'UP' : 'DOWN',
      linkmode: 'DEFAULT',
      group: 'default',
      txqlen: 1000,
      link_type: 'ether',
      address: facts.mac,
      broadcast: 'ff:ff:ff:ff:ff:ff',
      promiscuity: 0,
      ...facts.extra,
    });
  };
  const masterOf = new Map(
    [...hardware.bridges.values()].flatMap((b) => b.uplinks.map((port) => [port, b.name] as const)),
  );
  const port = (name: string): Record<string, unknown> => {
    const master = masterOf.get(name);
    return master === undefined ? {} : { master, linkinfo: { info_slave_kind: 'bridge' } };
  };
  for (const nic of hardware.nics) add({ ...nic, extra: port(nic.name) });
  for (const pf of hardware.pfs) {
    const { name, mac, mtu } = pf.spec;
    const extra = { ...port(name), num_vf: pf.vfs.length, vfinfo_list: pf.vfs.map(vfInfo) };
    add({ name, mac, mtu, carrier: pf.carrier, extra });
    for (const vf of pf.vfs) {
      const netdev = vfNetdev(vf);
      if (netdev === null) continue;
      const own = vf.mac === EMPTY_MAC ? vf.ownMac : vf.mac;
      add({ name: netdev, mac: own, carrier: false, extra: port(netdev) });
    }
  }
  for (const name of masterOf.keys()) {
    const [lower = '', tag] = name.split('.');
    if (tag === undefined) continue;
    const mac = hardware.nics.find((nic) => nic.name === lower)?.mac ?? EMPTY_MAC;
    const info = { info_kind: 'vlan', info_data: { protocol: '802.1Q', id: Number(tag) } };
    add({
      name,
      mac,
      carrier: true,
      extra: { link: lower, ...port(name), linkinfo: { ...info, info_slave_kind: 'bridge' } },
    });
  }
  for (const { name, mac, mtu } of hardware.bridges.values()) {
    add({ name, mac, mtu, carrier: true, extra: { linkinfo: { info_kind: 'bridge' } } });
  }
  for (const tap of taps(host)) {
    const info = { info_kind: 'tun', info_data: { type: 'tap' }, info_slave_kind: 'bridge' };
    add({ name: tap.name, mac: tap.mac, carrier: true, extra: { master: tap.bridge, linkinfo: info } });
  }
  return made;
}

function vfInfo(vf: SimVf): object {
  return {
    vf: vf.index,
    link_type: 'ether',
    address: vf.mac,
    broadcast: 'ff:ff:ff:ff:ff:ff',
    vlan_list: vf.vlan === 0 ? [{}] : [{ vlan: vf.vlan }],
    rate: { max_tx: vf.rateMbitMax, min_tx: vf.rateMbitMin },
    spoofchk: vf.spoofCheck,
    link_state: vf.linkState,
    trust: vf.trust,
    query_rss_en: false,
  };
}

function taps(host: SimHost): { name: string; mac: string; bridge: string }[] {
  return [...host.domains.values()].flatMap((domain) =>
    children(find(domain.live ?? undefined, 'devices'), 'interface').flatMap((device) => {
      const name = attribute(device, 'target', 'dev');
      const bridge = attribute(device, 'source', 'bridge');
      const mac = attribute(device, 'mac', 'address') ?? EMPTY_MAC;
      return name === undefined || bridge === undefined ? [] : [{ name, mac: `fe${mac.slice(2)}`, bridge }];
    }),
  );
}

function addresses(host: SimHost, netdev: string): object[] {
  const vf = host.hardware.vfs.find((each) => vfNetdev(each) === netdev);
  const own = vf ? vf.netdevAddresses : (host.netdevAddresses.get(netdev) ?? []);
  return own.map((address) => {
    const [local = '', prefix = '24'] = address.split('/');
    return { family: 'inet', local, prefixlen: Number(prefix), scope: 'global', label: netdev };
  });
}

/**
 * `ip link set dev PF vf N [mac M] [vlan V] [trust on|off] [spoofchk on|off] [state S] [min_tx_rate R]
 * [max_tx_rate R]`.
 */
function ipLinkSet(host: SimHost, words: readonly string[]): SimCommandResult {
  const args = words.filter((word) => word !== 'dev');
  const [name = '', vfWord, index = '', ...settings] = args;
  const pf = host.hardware.pf(name);
  if (!pf) return fail(1, `Cannot find device "${name}"\n`);
  const vf = vfWord === 'vf' ? pf.vfs[Number(index)] : undefined;
  if (!vf) return fail(2, 'RTNETLINK answers: Invalid argument\n');
  host.countTraffic();
  for (let at = 0; at + 1 < settings.length; at += 2) {
    if (!setVf(vf, settings[at] ?? '', settings[at + 1] ?? '')) {
      return fail(
        255,
        `Error: argument "${settings[at + 1] ?? ''}" is wrong: Invalid "${settings[at] ?? ''}" value\n`,
      );
    }
  }
  return ok();
}

function setVf(vf: SimVf, key: string, value: string): boolean {
  const onOff = value === 'on';
  switch (key) {
    case 'mac':
      vf.mac = value.toLowerCase();
      return /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(vf.mac);
    case 'vlan':
      vf.vlan = Number(value);
      return vf.vlan >= 0 && vf.vlan < 4096;
    case 'trust':
      vf.trust = onOff;
      return true;
    case 'spoofchk':
      vf.spoofCheck = onOff;
      return true;
    case 'state':
      if (value !== 'auto' && value !== 'enable' && value !== 'disable') return false;
      vf.linkState = value;
      return true;
    case 'min_tx_rate':
      vf.rateMbitMin = Number(value);
      return true;
    case 'max_tx_rate':
      vf.rateMbitMax = Number(value);
      return true;
    default:
      return false;
  }
}

function bridgePorts(host: SimHost): object[] {
  return links(host)
    .filter((each) => each['master'] !== undefined)
    .map((each) => ({
      ifindex: each['ifindex'],
      ifname: each.ifname,
      flags: each['flags'],
      mtu: each['mtu'],
      master: each['master'],
      state: 'forwarding',
      priority: 32,
      cost: 100,
    }));
}

// ---- other programs ----

/** `virsh [-q] -c URI version`: can this host's daemon dial that one? */
function virshVersion(fabric: SimFabric, host: SimHost, args: readonly string[]): SimCommandResult {
  const uri = args[args.indexOf('-c') + 1] ?? '';
  try {
    const target = fabric.dial(host, uri);
    const version = dotted(target.spec.libvirtVersion);
    return ok(
      `Compiled against library: libvirt ${dotted(host.spec.libvirtVersion)}\n` +
        `Using library: libvirt ${dotted(host.spec.libvirtVersion)}\nUsing API: QEMU ${version}\n` +
        `Running hypervisor: QEMU ${dotted(target.spec.qemuVersion)}\n`,
    );
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return fail(1, `error: failed to connect to the hypervisor\nerror: ${why}\n`);
  }
}

const dotted = (version: number): string =>
  `${Math.floor(version / 1_000_000)}.${Math.floor(version / 1000) % 1000}.${version % 1000}`;

function createFile(host: SimHost, path: string): SimCommandResult {
  if (host.files.has(path)) return fail(1, `sh: 1: cannot create ${path}: File exists\n`);
  host.files.set(path, 0);
  return ok();
}

function setVfCount(host: SimHost, name: string, count: number): SimCommandResult {
  const file = `/sys/class/net/${name}/device/sriov_numvfs`;
  const pf = host.hardware.pf(name);
  if (!pf) return fail(1, `cat: ${file}: No such file or directory\n`);
  if (!(count >= 0 && count <= pf.spec.vfCountMax)) {
    return fail(1, 'sh: 1: echo: echo: I/O error: Numerical result out of range\n');
  }
  if (count !== pf.vfs.length) {
    host.hardware.setVfCount(pf, count);
    host.emit({ type: 'nodeDeviceUpdate', name: nodeDeviceName(pf.spec.pciAddress) });
  }
  return ok(`${pf.vfs.length}\n`);
}

/** As with the module vhost_net loaded: every virtio NIC that is not told to be QEMU's. */
function countVhost(host: SimHost, uuid: string): SimCommandResult {
  const live = [...host.domains.values()].find((domain) => domain.uuid === uuid)?.live;
  if (!live) return fail(1, 'cat: /run/libvirt/qemu: No such file or directory\n');
  const served = children(find(live, 'devices'), 'interface').filter(
    (nic) => attribute(nic, 'model', 'type') === 'virtio' && attribute(nic, 'driver', 'name') !== 'qemu',
  );
  return ok(`${served.length}\n`);
}

function qemuImg(host: SimHost, args: readonly string[]): SimCommandResult {
  if (args[0] === 'info') {
    const size = host.files.get(args.at(-1) ?? '');
    return size === undefined ? fail(1, 'qemu-img: Could not open\n') : ok(json({ 'virtual-size': size }));
  }
  if (args[0] === 'create') {
    host.files.set(args.at(-2) ?? '', Number(args.at(-1)));
    return ok();
  }
  return fail(1, `qemu-img: Command not found: ${args[0] ?? ''}\n`);
}
