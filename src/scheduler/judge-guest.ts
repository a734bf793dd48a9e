/**
 * Whether a guest keeps its traffic while its VFs are away, from what its agent shows, in words for whoever
 * can mend it. Pure.
 *
 * A leg is told by driver and MAC, never by name: a bond, a VLAN on it and the standby may all have the VF's
 * MAC, but only the VF sits on a PCI function of its own.
 */
import type { GuestFinding, BondedPair, GuestReadiness, StandbyState } from '../model/guest.ts';
import type { GuestBond, GuestInterface, GuestLeg, GuestNetwork } from '../model/guest-network.ts';
import type { Vm, Vnic } from '../model/vm.ts';

/** What is known of a guest. */
export interface GuestFacts {
  readonly vm: Vm;
  /** null = no agent answers. */
  readonly network: GuestNetwork | null;
  /** Queues of its ordinary vNICs that the host's kernel serves (vhost), not QEMU; null = not known. */
  readonly vhostQueues: number | null;
  /** Wall clock ms. */
  readonly now: number;
}

/** What is said of one VF. */
interface Verdict {
  readonly standby: Exclude<StandbyState, 'not_needed'>;
  readonly pair: BondedPair | null;
  readonly findings: readonly GuestFinding[];
}

/** The judgement. */
export function judgeGuest(facts: GuestFacts): GuestReadiness {
  const { vm, now } = facts;
  const vfs = vm.vnics.filter((vnic) => vnic.passthrough && vnic.vf !== null);
  if (vfs.length === 0) return { checkedAt: now, standby: 'not_needed', pairs: [], findings: [] };
  const verdicts = vfs.map((vnic) => judgeVf(facts, vnic));
  return {
    checkedAt: now,
    standby: worstOf(verdicts.map(({ standby }) => standby)),
    pairs: verdicts.flatMap(({ pair }) => (pair ? [pair] : [])),
    findings: [...verdicts.flatMap(({ findings }) => findings), ...wholeGuest(facts)],
  };
}

function worstOf(states: readonly Verdict['standby'][]): StandbyState {
  if (states.includes('missing')) return 'missing';
  return states.includes('unknown') ? 'unknown' : 'ready';
}

const KIT = (vm: Vm): string => `set it up in the guest: handover guest kit ${vm.name}`;

function judgeVf(facts: GuestFacts, vnic: Vnic): Verdict {
  const { vm, network } = facts;
  const say = sayOf(vnic);
  const standbys = vm.vnics.filter((each) => !each.passthrough && each.actual === 'plugged');
  if (standbys.length === 0) {
    return missing(
      say(
        'no_standby_vnic',
        'missing',
        `${vm.name} has no ordinary vNIC plugged that could carry the traffic while its VF is away`,
        `add one: handover vm nic add ${vm.name} NAME PROFILE`,
      ),
    );
  }
  if (network === null) {
    return unknown(
      say(
        'no_agent',
        'unknown',
        'no guest agent answers, so nobody can tell whether a standby carries the traffic',
        'install and start qemu-guest-agent in the guest',
      ),
    );
  }
  if (network.bonds === null) return judgeByInterfaces(facts, network.interfaces, vnic);
  const bond = network.bonds.find(({ legs }) => legs.some((leg) => isVf(leg, vnic)));
  const vf = bond?.legs.find((leg) => isVf(leg, vnic));
  if (!bond || !vf) {
    const seen = network.interfaces.some(({ mac }) => mac === vnic.mac);
    return missing(
      seen
        ? say('no_bond', 'missing', 'its VF is in no bond, so its traffic stops when it leaves', KIT(vm))
        : say(
            'vf_not_seen',
            'missing',
            `the guest shows no interface with the MAC ${vnic.mac}`,
            "check that the VF's driver is there in the guest",
          ),
    );
  }
  return judgeBond(vm, { vnic, standbys, bond, vf });
}

const isVf = (leg: GuestLeg, vnic: Vnic): boolean => leg.mac === vnic.mac && leg.onPciFunction !== false;

interface Bonded {
  readonly vnic: Vnic;
  readonly standbys: readonly Vnic[];
  readonly bond: GuestBond;
  readonly vf: GuestLeg;
}

function judgeBond(vm: Vm, { vnic, standbys, bond, vf }: Bonded): Verdict {
  const say = sayOf(vnic);
  const macs = new Set(standbys.map(({ mac }) => mac));
  const standby = bond.legs.find((leg) => leg !== vf && leg.mac !== null && macs.has(leg.mac));
  if (!standby) {
    return missing(
      say('standby_not_in_bond', 'missing', `${bond.name} has ${vf.name} and no standby`, KIT(vm)),
    );
  }
  if (!standby.up) {
    const fix = `bring ${standby.name} up in the guest, and check the network of that vNIC`;
    return missing(
      say('standby_down', 'missing', `the standby ${standby.name} of ${bond.name} is down`, fix),
    );
  }
  const pair = { vnicId: vnic.id, bond: bond.name, vf: vf.name, standby: standby.name };
  const warnings = bondWarnings(vm, say, bond, vf);
  if (standby.rxPackets === 0) {
    const silent = say(
      'standby_silent',
      'unknown',
      `the standby ${standby.name} of ${bond.name} has received nothing yet, so nobody can tell whether ` +
        `its network works`,
      'check the network of that vNIC',
    );
    return { standby: 'unknown', pair, findings: [silent, ...warnings] };
  }
  const ready = say(
    'bonded',
    'ok',
    `${bond.name} has the VF ${vf.name} and the standby ${standby.name}, which is up`,
    null,
  );
  return { standby: 'ready', pair, findings: [ready, ...warnings] };
}

function bondWarnings(vm: Vm, say: Say, bond: GuestBond, vf: GuestLeg): GuestFinding[] {
  const warnings: GuestFinding[] = [];
  const warn = (code: string, message: string, fix: string) =>
    warnings.push(say(code, 'warning', message, fix));
  if (!bond.activeBackup) {
    const fix = `make it active-backup: handover guest kit ${vm.name}`;
    warn('not_active_backup', `${bond.name} sends over all its legs, which its switch takes for a loop`, fix);
  }
  if (!vf.up) {
    const fix = 'check the PF of the VF on the host, and its driver in the guest';
    warn('vf_down', `the VF ${vf.name} has no link`, fix);
  }
  if (bond.primary !== vf.name) {
    const fix = `make it the primary: echo ${vf.name} > /sys/class/net/${bond.name}/bonding/primary`;
    warn('vf_not_primary', `${vf.name} is not the primary of ${bond.name}: it is not returned to`, fix);
  } else if (vf.up && bond.active !== vf.name) {
    const fix = `make it active: echo ${vf.name} > /sys/class/net/${bond.name}/bonding/active_slave`;
    warn('vf_not_active', `${bond.name} sends over ${bond.active ?? 'nothing'}, not over the VF`, fix);
  }
  return warnings;
}

/** The agent may not read files: what its list of interfaces tells by itself. */
function judgeByInterfaces(facts: GuestFacts, all: readonly GuestInterface[], vnic: Vnic): Verdict {
  const say = sayOf(vnic);
  const named = all.filter(({ mac }) => mac === vnic.mac);
  const [only, ...others] = named;
  if (!only) {
    return missing(
      say(
        'vf_not_seen',
        'missing',
        `the guest shows no interface with the MAC ${vnic.mac}`,
        "check that the VF's driver is there in the guest",
      ),
    );
  }
  // In a bond, its address is the bond's, which then has the MAC of its active leg.
  if (others.length === 0 && only.hasAddress && !/^(bond|team)/.test(only.name)) {
    const message = `its VF ${only.name} has an address of its own: it is in no bond`;
    return missing(say('no_bond', 'missing', message, KIT(facts.vm)));
  }
  const carries = others.length > 0 && named.some(({ hasAddress }) => hasAddress);
  const names = named.map(({ name }) => name).join(' and ');
  return unknown(
    say(
      'files_refused',
      'unknown',
      `the guest shows ${names}${carries ? ', and the VF carries traffic' : ''}; its agent may not read ` +
        `files, so whether a standby is ready is not known`,
      "allow guest-file-open, guest-file-read and guest-file-close in the guest agent's configuration",
    ),
  );
}

function wholeGuest({ vm, network, vhostQueues }: GuestFacts): GuestFinding[] {
  const found: GuestFinding[] = [];
  for (const conflict of network?.conflicts ?? []) {
    found.push({
      code: 'conflict',
      level: 'warning',
      message: `something in the guest would fight over the bond: ${conflict}`,
      fix: 'take it out in the guest, or have the guest kit do it: handover-guest setup',
      vnicId: null,
    });
  }
  if (network !== null && !network.mayRun) {
    found.push({
      code: 'commands_refused',
      level: 'unknown',
      message:
        'the agent may not run commands, so only the guest itself announces its addresses after a move',
      fix: "allow guest-exec in the guest agent's configuration",
      vnicId: null,
    });
  }
  const ordinary = vm.vnics.filter((vnic) => !vnic.passthrough && vnic.actual === 'plugged').length;
  if (vhostQueues !== null && vhostQueues < ordinary) {
    found.push({
      code: 'no_vhost',
      level: 'warning',
      message:
        (vhostQueues === 0 ? 'its standby is' : 'one of its standbys is') +
        ' served by QEMU, which stands still while a VF is plugged or unplugged',
      fix: 'give it the model virtio, load vhost_net on every host (modprobe vhost_net), and start it anew',
      vnicId: null,
    });
  }
  return found;
}

type Say = (code: string, level: GuestFinding['level'], message: string, fix: string | null) => GuestFinding;

const sayOf =
  ({ id, name }: Vnic): Say =>
  (code, level, message, fix) => ({ code, level, message: `vNIC ${name}: ${message}`, fix, vnicId: id });

const missing = (finding: GuestFinding): Verdict => ({ standby: 'missing', pair: null, findings: [finding] });
const unknown = (finding: GuestFinding): Verdict => ({ standby: 'unknown', pair: null, findings: [finding] });
