/**
 * The network inside a guest, through its agent: which bonds there are and what is in them, and the two acts
 * on it, making another leg the active one and announcing the bond's addresses. Nothing of a guest's own is
 * needed for that: the kernel's files say and do it.
 */
import type { Clock } from '../base/clock.ts';
import { parseMac } from '../base/ids.ts';
import type { GuestBond, GuestLeg, GuestNetwork } from '../model/guest-network.ts';
import { type Agent, endOf, objectOf } from './agent.ts';
import { deviceOf, isPlainName, nullWithoutAgent, parseInterfaces, rxPacketsOf } from './guest-agent.ts';
import { conflictsOf } from './kit-commands.ts';

const BONDS_MAX = 8;
const LEGS_MAX = 8;
const MASTERS = '/sys/class/net/bonding_masters';
const bondFile = (bond: string): string => `/proc/net/bonding/${bond}`;

/** See `Hypervisor.guestNetwork`. */
export async function lookAtGuestNetwork(agent: Agent, clock: Clock): Promise<GuestNetwork | null> {
  return nullWithoutAgent(look(agent, clock));
}

async function look(agent: Agent, clock: Clock): Promise<GuestNetwork | null> {
  const interfaces = parseInterfaces(await agent.ask('guest-network-get-interfaces'));
  if (interfaces === null) return null;
  const allowed = allowedCommands(await agent.ask('guest-info'));
  const bonds = allowed.has('guest-file-open') ? await bondsOf(agent) : null;
  const mayRun = allowed.has('guest-exec');
  return { interfaces, bonds, mayRun, conflicts: mayRun ? await conflictsOf(agent, clock) : null };
}

function allowedCommands(info: unknown): ReadonlySet<string> {
  const commands = objectOf(info)['supported_commands'];
  if (!Array.isArray(commands)) return new Set();
  return new Set(
    commands.map(objectOf).flatMap(({ name, enabled }) => (enabled === true ? [String(name)] : [])),
  );
}

/** null: the agent may open files, but not read them. */
async function bondsOf(agent: Agent): Promise<GuestBond[] | null> {
  const masters = await agent.read(MASTERS);
  // Without the bonding driver there is no such file; there is always one that tells the system's version.
  if (masters === null) return (await agent.read('/proc/version')) === null ? null : [];
  const names = masters.split(/\s+/).filter(isPlainName).slice(0, BONDS_MAX);
  const bonds: GuestBond[] = [];
  for (const name of names) {
    const text = await agent.read(bondFile(name));
    if (text === null) continue;
    const bond = parseBond(name, text);
    const legs: GuestLeg[] = [];
    for (const leg of bond.legs) {
      const device = await deviceOf(agent, leg.name);
      legs.push({
        ...leg,
        driver: device?.driver ?? null,
        onPciFunction: device?.onPciFunction ?? null,
        rxPackets: await rxPacketsOf(agent, leg.name),
      });
    }
    bonds.push({ ...bond, legs });
  }
  return bonds;
}

/** See `Hypervisor.guestBond`. */
export async function lookAtBond(agent: Agent, bond: string): Promise<GuestBond | null> {
  if (!isPlainName(bond)) return null;
  const text = await nullWithoutAgent(agent.read(bondFile(bond)));
  return text === null ? null : parseBond(bond, text);
}

/** A bond without what the kernel's file on it does not tell: drivers and counters. */
export function parseBond(name: string, text: string): GuestBond {
  const [head = '', ...sections] = text.split(/^Slave Interface: /m);
  return {
    name,
    activeBackup: /^Bonding Mode: .*\(active-backup\)/m.test(head),
    active: legName(/^Currently Active Slave: (\S+)/m.exec(head)?.[1]),
    // After the name comes how it is chosen again.
    primary: legName(/^Primary Slave: (\S+)/m.exec(head)?.[1]),
    miimonMs: milliseconds(head, 'MII Polling Interval'),
    upDelayMs: milliseconds(head, 'Up Delay'),
    legs: sections.slice(0, LEGS_MAX).flatMap((section) => {
      const leg = legName(section.split('\n', 1)[0]);
      if (leg === null) return [];
      const mac = /^Permanent HW addr: (\S+)/m.exec(section)?.[1];
      const up = /^MII Status: up$/m.test(section);
      const nothing = { driver: null, onPciFunction: null, rxPackets: null };
      return [{ name: leg, mac: mac === undefined ? null : parseMac(mac), up, ...nothing }];
    }),
  };
}

const milliseconds = (text: string, what: string): number =>
  Number(new RegExp(`^${what} \\(ms\\): (\\d{1,9})$`, 'm').exec(text)?.[1] ?? 0);

const legName = (name: string | undefined): string | null =>
  name === undefined || name === 'None' || !isPlainName(name) ? null : name;

/** See `Hypervisor.setActiveLeg`. */
export async function setActiveLeg(agent: Agent, bond: string, leg: string): Promise<boolean> {
  if (!isPlainName(bond) || !isPlainName(leg)) return false;
  const file = `/sys/class/net/${bond}/bonding/active_slave`;
  const done = await nullWithoutAgent(
    (async () => (await agent.write(file, leg)) && (await agent.read(file))?.trim() === leg)(),
  );
  return done ?? false;
}

/** See `Hypervisor.setUpDelay`. */
export async function setUpDelay(agent: Agent, bond: string, delayMs: number): Promise<boolean> {
  if (!isPlainName(bond)) return false;
  return (
    (await nullWithoutAgent(agent.write(`/sys/class/net/${bond}/bonding/updelay`, `${delayMs}`))) ?? false
  );
}

/** Five times in all: one announcement can be lost. */
const ANNOUNCED_EVERY_S = 0.2;
const ANNOUNCE_LIMIT_MS = 10_000;

/**
 * Setting an interface's MAC to what it is makes the kernel announce its addresses (NETDEV_CHANGEADDR), if
 * `arp_notify` and `ndisc_notify` are set: a gratuitous ARP for IPv4, an unsolicited NA for IPv6. They are
 * set for that moment. What is built on the bond (VLANs, bridges) is announced as well. The shell reads and
 * counts by itself: each program a guest with little CPU starts makes it late.
 */
const ANNOUNCE = `
cd /sys/class/net || exit 1
for upper in "$1"/upper_*; do [ -e "$upper" ] && set -- "$@" "\${upper##*/upper_}"; done
for n in 1 2 3 4 5; do
  for d in "$@"; do
    a=/proc/sys/net/ipv4/conf/$d/arp_notify; b=/proc/sys/net/ipv6/conf/$d/ndisc_notify
    x=; y=; read -r x 2>/dev/null <$a; read -r y 2>/dev/null <$b
    [ -n "$x" ] && echo 1 >$a; [ -n "$y" ] && echo 1 >$b
    read -r mac <"$d/address" && ip link set dev "$d" address "$mac"
    [ -n "$x" ] && echo "$x" >$a; [ -n "$y" ] && echo "$y" >$b
  done
  sleep ${ANNOUNCED_EVERY_S}
done`;

/** See `Hypervisor.announce`. */
export async function announce(agent: Agent, clock: Clock, bond: string): Promise<boolean> {
  if (!isPlainName(bond)) return false;
  const announced = await nullWithoutAgent(
    (async () => {
      const pid = await agent.run('/bin/sh', ['-c', ANNOUNCE, 'announce', bond]);
      if (pid === null) return false;
      // The agent keeps what it knows of a command until somebody asks how it ended.
      await endOf(agent, clock, pid, ANNOUNCE_LIMIT_MS);
      return true;
    })(),
  );
  return announced ?? false;
}
