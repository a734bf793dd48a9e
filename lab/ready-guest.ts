/**
 * The guest that is part of host a's snapshot: the ordinary one, booted and then paused, without its VF (one
 * in use does not survive a snapshot: QEMU's igb). A boot takes half of a short scenario's time; resuming
 * this one and plugging its VF takes a few seconds.
 *
 * Callers: `bake.ts` (makes it), `guest.ts` (wakes it, or removes it for a guest of another shape).
 */
import { guestXml, type GuestShape, vfXml } from './guest-xml.ts';
import { hostExec, tryHostExec } from './ssh.ts';
import type { HostLetter } from './topology.ts';

const LIMIT_MS = 180_000;
/** What a guest's XML is but for its VF. */
const withoutVf = ({ vfPciAddress: _, ...shape }: GuestShape): string => guestXml(shape);
const markPath = (name: string): string => `/run/lab-ready-${name}.xml`;

/**
 * Pauses a guest that was booted without a VF and remembers its shape on its host, which is then snapshotted.
 */
export async function layDown(host: HostLetter, shape: GuestShape): Promise<void> {
  const { name } = shape.place;
  await hostExec(host, `virsh -q suspend ${name} && cat >${markPath(name)}`, {
    input: withoutVf(shape),
    limitMs: LIMIT_MS,
  });
}

/**
 * Lets the ready guest go on, with `shape`'s VF plugged and defined; false if there is none like it, and then
 * none of its name either.
 */
export async function wakeUp(host: HostLetter, shape: GuestShape): Promise<boolean> {
  const { name } = shape.place;
  const mark = markPath(name);
  const isLikeIt = await tryHostExec(host, `cmp -s - ${mark}`, { input: withoutVf(shape) });
  // It is woken once: what it became is no longer as it was laid down.
  if (isLikeIt.status !== 0) {
    await hostExec(
      host,
      `[ ! -e ${mark} ] || { rm ${mark}; virsh -q destroy ${name}; virsh -q undefine ${name}; }`,
    );
    return false;
  }
  const file = `/tmp/${name}-vf.xml`;
  const plug = `cat >${file} && virsh -q attach-device ${name} ${file} --live --config`;
  await hostExec(host, `rm ${mark}; virsh -q resume ${name}${shape.vfPciAddress ? ` && ${plug}` : ''}`, {
    input: shape.vfPciAddress ? vfXml(shape, shape.vfPciAddress) : '',
    limitMs: LIMIT_MS,
  });
  return true;
}
