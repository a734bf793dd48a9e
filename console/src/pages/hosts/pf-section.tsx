/** One PF: what it is, its VFs as a map, the one that is looked at, and what can be changed. */
import { Button, Label, Title } from '@patternfly/react-core';
import PluggedIcon from '@patternfly/react-icons/dist/esm/icons/plugged-icon';
import QuestionCircleIcon from '@patternfly/react-icons/dist/esm/icons/question-circle-icon';
import UnpluggedIcon from '@patternfly/react-icons/dist/esm/icons/unplugged-icon';
import { memo, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { PfUseView } from '../../../../src/api/types/fleet-view.ts';
import { VfDetails } from './vf-details.tsx';
import { VfGrid } from './vf-grid.tsx';
import { countStates, countsText } from './vf-words.ts';

/** What can be changed of a PF. */
export type PfChange = 'count' | 'allowed';

/** The PF. `allowed`: in words; null: no network at all. `chosenVf`: an address the page was asked for. */
export interface PfSectionProps {
  readonly pf: PfUseView;
  readonly allowed: string | null;
  readonly chosenVf: string;
  readonly onPressVf: (pciAddress: string) => void;
  readonly onChange: (pf: PfUseView, change: PfChange) => void;
}

/** The section. */
export const PfSection = memo(function PfSection(props: PfSectionProps) {
  const { pf, allowed, chosenVf, onPressVf, onChange } = props;
  const titleId = `pf-${pf.nicId}`;
  return (
    <section className="pf-section" aria-labelledby={titleId}>
      <div className="pf-section-head">
        <Title headingLevel="h2" size="lg" id={titleId}>
          {pf.name}
        </Title>
        <Carrier isUp={pf.carrier} />
        <span className="pf-section-actions">
          <Button
            variant="secondary"
            size="sm"
            aria-label={`Number of VFs of ${pf.name}`}
            onClick={() => onChange(pf, 'count')}
          >
            Number of VFs
          </Button>
          <Button
            variant="secondary"
            size="sm"
            aria-label={`Networks of ${pf.name}`}
            onClick={() => onChange(pf, 'allowed')}
          >
            Networks
          </Button>
        </span>
      </div>
      <div className="pf-section-facts">
        <code>{pf.pciAddress}</code>
        <span>{pf.driver ?? 'no driver'}</span>
        <span>NUMA node {pf.numaNode ?? 'not known'}</span>
        {pf.mtu !== null && <span>MTU {pf.mtu}</span>}
      </div>
      <div>
        {pf.vfs.length} of {pf.vfCountMax} VFs exist: {countsText(countStates(pf.vfs))}.
      </div>
      <div>
        {allowed === null ? (
          <strong>May serve no network, so no VM can use its VFs.</strong>
        ) : (
          `May serve ${allowed}.`
        )}
      </div>
      {pf.vfs.length === 0 ? (
        <div className="vf-hint">It has no VFs now. Give it some with the button Number of VFs.</div>
      ) : (
        <VfMap pf={pf} chosenVf={chosenVf} onPressVf={onPressVf} />
      )}
    </section>
  );
});

function VfMap({ pf, chosenVf, onPressVf }: Pick<PfSectionProps, 'pf' | 'chosenVf' | 'onPressVf'>) {
  const place = useRef<HTMLDivElement>(null);
  const asked = useMemo(() => pf.vfs.findIndex((vf) => vf.pciAddress === chosenVf), [pf.vfs, chosenVf]);
  const [chosen, setChosen] = useState<number | null>(asked < 0 ? null : asked);
  const [pointed, setPointed] = useState<number | null>(null);
  const wasAsked = useRef(asked >= 0);
  useEffect(() => {
    if (wasAsked.current) place.current?.scrollIntoView({ block: 'nearest' });
  }, []);
  const { vfs } = pf;
  const press = useCallback(
    (at: number) => {
      const address = vfs[at]?.pciAddress;
      if (address !== undefined) onPressVf(address);
    },
    [vfs, onPressVf],
  );
  // The number of VFs may have shrunk meanwhile.
  const shown = [pointed, chosen].find((at) => at !== null && at < vfs.length) ?? null;
  return (
    <div ref={place}>
      <VfGrid
        label={`VFs of ${pf.name}`}
        vfs={vfs}
        chosen={chosen !== null && chosen < vfs.length ? chosen : null}
        onChoose={setChosen}
        onPress={press}
        onPoint={setPointed}
      />
      <VfDetails pf={pf.name} vf={shown === null ? null : (vfs[shown] ?? null)} />
    </div>
  );
}

function Carrier({ isUp }: { readonly isUp: boolean | null }) {
  if (isUp === null)
    return (
      <Label isCompact icon={<QuestionCircleIcon />}>
        Link not known
      </Label>
    );
  return isUp ? (
    <Label isCompact color="green" icon={<PluggedIcon />}>
      Link up
    </Label>
  ) : (
    <Label isCompact color="red" icon={<UnpluggedIcon />}>
      Link down
    </Label>
  );
}
