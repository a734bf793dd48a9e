/** The guest's side of VMs. No row = nothing was said of it. Used through `openStore` only. */
import type { Store } from '../app/store-port.ts';
import { HandoverError } from '../base/errors.ts';
import type { VmId } from '../base/ids.ts';
import { type GuestReadiness, type GuestRecord, type StandbyPolicy, untoldGuest } from '../model/guest.ts';
import { type Db, json } from './db.ts';

interface GuestRow {
  readonly vm_id: VmId;
  readonly standby: StandbyPolicy;
  readonly probe_address: string | null;
  readonly readiness: GuestReadiness | null;
}

/** The `guests` part of the store. */
export function guestStore(db: Db): Store['guests'] {
  const put = async (
    vmId: VmId,
    column: 'standby' | 'probe_address' | 'readiness',
    value: string | null,
  ): Promise<void> => {
    await db.rows(
      `insert into guests (vm_id, ${column}) values ($1, $2)
       on conflict (vm_id) do update set ${column} = excluded.${column}`,
      [vmId, value],
      { guests_vm: () => new HandoverError('NOT_FOUND', `there is no VM with the id ${vmId}`) },
    );
  };
  return {
    async get(vmIds) {
      const rows = await db.rows<GuestRow>(
        `select vm_id, standby, host(probe_address) as probe_address, readiness from guests
         where vm_id = any($1)`,
        [vmIds],
      );
      const told = new Map(
        rows.map(({ vm_id, standby, probe_address, readiness }): [VmId, GuestRecord] => [
          vm_id,
          { vmId: vm_id, standby, probeAddress: probe_address, readiness },
        ]),
      );
      return new Map(vmIds.map((id) => [id, told.get(id) ?? untoldGuest(id)]));
    },
    setStandby: (vmId, standby) => put(vmId, 'standby', standby),
    setProbeAddress: (vmId, address) => put(vmId, 'probe_address', address),
    setReadiness: (vmId, readiness) => put(vmId, 'readiness', json(readiness)),
  };
}
