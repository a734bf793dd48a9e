/** The SR-IOV map of a host: every PF with its VFs, live. */
import { useCallback, useMemo } from 'react';
import type { PfUseView } from '../../../../src/api/types/fleet-view.ts';
import { EmptyState } from '../../parts/states.tsx';
import { useUrlDialog, useUrlQuery } from '../../parts/use-url-state.ts';
import { useNetworks } from '../networks/network-list.ts';
import { AllowedNetworksDialog } from './allowed-networks-dialog.tsx';
import { type PfChange, PfSection } from './pf-section.tsx';
import { VfCountDialog } from './vf-count-dialog.tsx';
import { allowedText, countStates, countsText, VF_LOOKS, VF_STATES } from './vf-words.ts';
import './vf-map.css';

/** `pfs`: those of the host. `?vf=ADDRESS` opens it with that VF chosen, `?dialog=count:PF` with a dialog. */
export function VfMap({ hostId, pfs }: { readonly hostId: string; readonly pfs: readonly PfUseView[] }) {
  const networks = useNetworks();
  const names = useMemo(
    () => new Map((networks.data ?? []).map(({ id, name }) => [id, name])),
    [networks.data],
  );
  const [query, setQuery] = useUrlQuery();
  // Always the same functions: a section is drawn again only if something of it changed.
  const onPressVf = useCallback((vf: string) => setQuery({ vf }), [setQuery]);
  const { value: dialog, open, close } = useUrlDialog('dialog');
  const onChange = useCallback(({ name }: PfUseView, change: PfChange) => open(`${change}:${name}`), [open]);
  const [change, changedName] = dialog.split(':');
  const changed = pfs.find(({ name }) => name === changedName);
  if (pfs.length === 0) {
    return (
      <EmptyState title="This host has no SR-IOV network card">
        A card that can have VFs appears here by itself once the host has one. Check that SR-IOV is switched
        on in the firmware of the machine, then refresh the host.
      </EmptyState>
    );
  }
  return (
    <>
      <Legend pfs={pfs} />
      <div className="pf-sections">
        {pfs.map((pf) => (
          <PfSection
            key={pf.nicId}
            pf={pf}
            allowed={allowedText(pf, names)}
            chosenVf={query.get('vf') ?? ''}
            onPressVf={onPressVf}
            onChange={onChange}
          />
        ))}
      </div>
      {changed !== undefined && change === 'count' && (
        <VfCountDialog hostId={hostId} pf={changed} onClose={close} />
      )}
      {changed !== undefined && change === 'allowed' && (
        <AllowedNetworksDialog hostId={hostId} pf={changed} onClose={close} />
      )}
    </>
  );
}

/** What the letters mean, and how many there are. Changes of the numbers are read out. */
function Legend({ pfs }: { readonly pfs: readonly PfUseView[] }) {
  const counts = countStates(pfs.flatMap(({ vfs }) => vfs));
  return (
    <>
      <ul className="vf-legend" aria-label="What the letters mean">
        {VF_STATES.map((state) => (
          <li key={state} title={VF_LOOKS[state].meaning}>
            <span className={`vf-cell vf-${state}`}>{VF_LOOKS[state].letter}</span>
            {VF_LOOKS[state].word} <strong className="figure">{counts[state]}</strong>
          </li>
        ))}
      </ul>
      <div role="status" className="pf-v6-screen-reader">
        {`VFs of this host: ${countsText(counts)}.`}
      </div>
    </>
  );
}
