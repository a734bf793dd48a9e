/** What is known of one VF. Has its place before there is anything to show, so that nothing jumps. */
import type { ReactNode } from 'react';
import type { VfUseView } from '../../../../src/api/types/fleet-view.ts';
import { Link } from '../../parts/link.tsx';
import { VF_LOOKS, vfUseText } from './vf-words.ts';

/** What the PF has for a VF nobody gave an address. */
const NO_MAC = '00:00:00:00:00:00';

/** `vf`: null: none was chosen or pointed at. */
export function VfDetails({ pf, vf }: { readonly pf: string; readonly vf: VfUseView | null }) {
  if (vf === null) {
    return (
      <div className="vf-details vf-hint">
        Point at a VF, or go through them with the arrow keys, to see whose it is.
      </div>
    );
  }
  return (
    <div className="vf-details" role="group" aria-label={`VF ${vf.index} of ${pf}`}>
      <div>
        <strong>VF {vf.index}</strong> <code>{vf.pciAddress}</code>
        {': '}
        <VfUser vf={vf} />
      </div>
      <dl className="vf-facts">
        <Fact name="Driver">{vf.driver ?? 'none'}</Fact>
        <Fact name="Network device">{vf.netdev ?? 'none'}</Fact>
        <Fact name="MAC">{vf.mac === NO_MAC ? 'none set' : (vf.mac ?? 'not known')}</Fact>
        <Fact name="VLAN">{vlanText(vf.vlan)}</Fact>
        <Fact name="NUMA node">{vf.numaNode ?? 'not known'}</Fact>
      </dl>
    </div>
  );
}

/** As `vfUseText`, with the VM and the job to be followed. */
function VfUser({ vf }: { readonly vf: VfUseView }) {
  const { state, reason, vm, vmId, jobId } = vf;
  const vmLink = vmId === null ? 'a VM' : <Link to={`/vms/${vmId}`}>{vm ?? 'a VM'}</Link>;
  if (state === 'attached' && reason === `attached to ${vm}`) return <>attached to {vmLink}.</>;
  if (state === 'reserved') {
    return (
      <>
        reserved for {vmLink},{' '}
        {jobId === null ? (
          'whose vNIC is being plugged'
        ) : (
          <Link to={`/jobs/${jobId}`}>which is being moved</Link>
        )}
        .
      </>
    );
  }
  return (
    <>
      {vfUseText(vf)}.{state === 'attached' && vmId !== null && <> VM: {vmLink}.</>}
      {state === 'free' && ` It ${VF_LOOKS.free.meaning}.`}
    </>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function vlanText(vlan: number | null): string {
  if (vlan === null) return 'not known';
  return vlan === 0 ? 'untagged' : String(vlan);
}
