/**
 * A guest for tests of `guest/`: a folder with the parts of sysfs that the kit reads, and an `ip` that
 * changes them as the kernel would. Kernels that run tests seldom have the bonding module; the real thing
 * runs on the lab. The programs of the kit are the real ones.
 */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { KIT_FOLDER } from '../../src/guest-kit/kit-files.ts';

const LIMIT_MS = 15_000;

/** MAC addresses of the two legs, the legs, and the line that pairs them. */
export const STANDBY = '52:54:00:00:01:01';
export const VF = '52:54:00:00:01:02';
export const STANDBY_NIC: FakeNic = { name: 'ens4', driver: 'virtio_net', mac: STANDBY };
export const VF_NIC: FakeNic = { name: 'ens8', driver: 'igbvf', mac: VF };
export const PAIR = `bond0 ${VF} ${STANDBY}`;

const SHELLS: readonly (readonly string[])[] = [['dash'], ['busybox', 'sh'], ['bash', '--posix']];
/** Shells of this machine that the kit is to run in. */
export const shells = SHELLS.filter(([name = '']) => spawnSync(name, ['-c', ':']).error === undefined);

/** What `status` answers, as far as tests look at it. */
export interface Status {
  readonly manager: string | null;
  readonly event?: string;
  readonly pairs: readonly {
    readonly bond: string;
    readonly legs: readonly { readonly name: string | null }[];
  }[];
  readonly conflicts: readonly { readonly kind: string; readonly where: string }[];
}

/** Writes down its arguments, and does to the fake sysfs what the kernel would. */
const IP = `#!/bin/sh
root=$HANDOVER_GUEST_ROOT
net=$root/sys/class/net
echo "ip $*" >>"$root/calls"
case "$*" in
  'link add '*)
    mkdir -p "$net/$3/bonding" "$root/proc/sys/net/ipv4/conf/$3" "$root/proc/sys/net/ipv6/conf/$3"
    for option in primary active_slave slaves peer_notif_delay; do : >"$net/$3/bonding/$option"; done
    shift 5
    while [ $# -gt 1 ]; do echo "$2 0" >"$net/$bond/bonding/$1"; shift 2; done
    ;;
  'link set dev '*' master '*)
    ln -s "../$6" "$net/$4/master"
    mkdir -p "$net/$4/bonding_slave"
    cp "$net/$4/address" "$net/$4/bonding_slave/perm_hwaddr"
    echo up >"$net/$4/bonding_slave/mii_status"
    echo $(cat "$net/$6/bonding/slaves") "$4" >"$net/$6/bonding/slaves"
    echo "$4" >"$net/$6/bonding/active_slave"
    ;;
  'link set dev '*' address '*) echo "$6" >"$net/$4/address" ;;
  'link del '*) rm -rf "$net/$3"; rm -rf "$net"/*/master "$net"/*/bonding_slave ;;
  '-o addr show dev '*) cat "$root/addresses-$5" 2>/dev/null ;;
  '-6 route show default dev '*) echo "default via 2001:db8::1 proto static metric 1024 pref medium" ;;
  '-4 route show default dev '*) echo "default via 10.0.0.1 proto static" ;;
  'neigh show dev '*) cat "$root/neighbours-$4" 2>/dev/null ;;
esac
exit 0
`.replace('shift 5', 'bond=$3; shift 5');

/** ifupdown, as far as the stanzas of the kit need it. */
const IFUP = `#!/bin/sh
echo "ifup $*" >>"$HANDOVER_GUEST_ROOT/calls"
case $1 in bond*) exec "$HANDOVER_GUEST_SHELL" "$HANDOVER_GUEST_PROGRAM" arrived "$1" ;; esac
`;

/** Notes its call, and answers nothing. */
const QUIET = '#!/bin/sh\necho "${0##*/} $*" >>"$HANDOVER_GUEST_ROOT/calls"\n';

/** A NIC to be there. */
export interface FakeNic {
  readonly name: string;
  /** `virtio_net`, `igbvf`. */
  readonly driver: string;
  readonly mac: string;
  /** It has virtio's STANDBY feature. */
  readonly failover?: boolean;
}

/** How a call of the program ended. */
export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * A guest with these lines in its pairs file, or without the file. One that is not `live` is an image that is
 * prepared.
 */
export function guestWith(
  shell: readonly string[],
  pairs: string | null,
  { live, nics = [] }: { readonly live: boolean; readonly nics?: readonly FakeNic[] },
): FakeGuest {
  const guest = new FakeGuest(shell, nics, live);
  guest.write('etc/network/interfaces', 'source /etc/network/interfaces.d/*\n');
  if (pairs !== null) guest.write('etc/handover-guest/pairs', `${pairs}\n`);
  return guest;
}

/** A guest in a folder; `remove` it at the end. */
export class FakeGuest {
  readonly root = mkdtempSync(join(tmpdir(), 'handover-guest-'));
  readonly #shell: readonly string[];
  readonly #live: boolean;
  readonly #programs = mkdtempSync(join(tmpdir(), 'handover-guest-programs-'));

  /** `shell` runs the kit. */
  constructor(shell: readonly string[], nics: readonly FakeNic[], live: boolean) {
    this.#shell = shell;
    this.#live = live;
    for (const nic of nics) this.plug(nic);
    mkdirSync(join(this.root, 'sys/class/net'), { recursive: true });
    this.program('ip', IP);
    this.program('ifup', IFUP);
    for (const name of ['ifdown', 'ifquery', 'modprobe']) this.program(name, QUIET);
  }

  /** Puts a program on the guest's path, before all others. */
  program(name: string, text: string): void {
    writeFileSync(join(this.#programs, name), text, { mode: 0o755 });
  }

  plug({ name, driver, mac, failover = false }: FakeNic): void {
    const bus = driver === 'virtio_net' ? 'virtio' : 'pci';
    const folder = join('sys/class/net', name);
    this.write(`${folder}/address`, `${mac}\n`);
    this.write(`${folder}/carrier`, '1\n');
    this.write(`${folder}/device/features`, `${'1'.repeat(62)}${failover ? '1' : '0'}0\n`);
    symlinkSync(`../../../../bus/${bus}/drivers/${driver}`, join(this.root, folder, 'device/driver'));
    symlinkSync(`../../../../bus/${bus}`, join(this.root, folder, 'device/subsystem'));
  }

  unplug(name: string): void {
    rmSync(join(this.root, 'sys/class/net', name), { recursive: true });
  }

  write(path: string, text: string, mode = 0o644): void {
    mkdirSync(join(this.root, dirname(path)), { recursive: true });
    writeFileSync(join(this.root, path), text, { mode });
  }

  /** Content of a file below the root; null if there is none. */
  read(path: string): string | null {
    return existsSync(join(this.root, path)) ? readFileSync(join(this.root, path), 'utf8') : null;
  }

  /** Rights of a file: `600`. */
  mode(path: string): string {
    return (statSync(join(this.root, path)).mode & 0o777).toString(8);
  }

  /** Names in a folder; none if it is not there. */
  list(path: string): string[] {
    return existsSync(join(this.root, path)) ? readdirSync(join(this.root, path)).sort() : [];
  }

  /** All files below /etc and /var with their content. */
  files(): Record<string, string> {
    const found: Record<string, string> = {};
    const visit = (folder: string): void => {
      for (const name of this.list(folder)) {
        const path = `${folder}/${name}`;
        if (statSync(join(this.root, path)).isDirectory()) visit(path);
        else found[path] = this.read(path) ?? '';
      }
    };
    visit('etc');
    visit('var');
    return found;
  }

  /** What was called so far, one a line. */
  calls(): string[] {
    return (this.read('calls') ?? '').split('\n').filter((line) => line !== '');
  }

  /** Runs `handover-guest` with these arguments. */
  run(...args: readonly string[]): Ended {
    const program = join(KIT_FOLDER, 'handover-guest');
    const [shell = 'sh', ...options] = this.#shell;
    const { status, stdout, stderr } = spawnSync(shell, [...options, program, ...args], {
      encoding: 'utf8',
      timeout: LIMIT_MS,
      env: {
        PATH: `${this.#programs}:/usr/bin:/bin`,
        HANDOVER_GUEST_ROOT: this.root,
        HANDOVER_GUEST_LIB: join(KIT_FOLDER, 'lib'),
        HANDOVER_GUEST_PROGRAM: program,
        HANDOVER_GUEST_SHELL: shell,
        ...(this.#live ? { HANDOVER_GUEST_LIVE: 'yes' } : {}),
      },
    });
    return { status, stdout, stderr };
  }

  /** What `status` answers. */
  status(): Status {
    return JSON.parse(this.run('status').stdout) as Status;
  }

  remove(): void {
    rmSync(this.root, { recursive: true });
    rmSync(this.#programs, { recursive: true });
  }
}
