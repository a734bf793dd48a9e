/** How many VFs each network has left: a bar, the numbers, and a word where it gets tight. */
import { Label } from '@patternfly/react-core';
import ExclamationTriangleIcon from '@patternfly/react-icons/dist/esm/icons/exclamation-triangle-icon';
import ExclamationCircleIcon from '@patternfly/react-icons/dist/esm/icons/exclamation-circle-icon';
import type { OverviewView } from '../../../../src/api/types/fleet-view.ts';
import { vfWords } from './overview-words.ts';
import { FreeBar } from '../../parts/free-bar.tsx';
import { Link } from '../../parts/link.tsx';
import { Section } from '../../parts/section.tsx';

type NetworkView = OverviewView['networks'][number];

/** The part of the page. Networks with VFs come first, those with the fewest free before the others. */
export function NetworkVfs({ networks }: { readonly networks: readonly NetworkView[] }) {
  const shown = [...networks].sort(
    (a, b) => Number(b.vfs.total > 0) - Number(a.vfs.total > 0) || a.vfs.free - b.vfs.free,
  );
  return (
    <Section title="VFs by network" isFullHeight actions={<Link to="/networks">Networks</Link>}>
      {shown.length === 0 ? (
        'There are no networks yet.'
      ) : (
        <ul className="plain-list" aria-label="VFs by network">
          {shown.map((network) => (
            <NetworkRow key={network.id} network={network} />
          ))}
        </ul>
      )}
    </Section>
  );
}

function NetworkRow({ network: { name, vlan, vfs } }: { readonly network: NetworkView }) {
  const { text, mark } = vfWords(vfs);
  return (
    <li className="network-vfs">
      <span className="network-name">
        {name} {vlan !== null && <span className="network-vlan">VLAN {vlan}</span>}
      </span>
      {vfs.total > 0 && <FreeBar {...vfs} />}
      <span className="network-words figure">
        {text}
        {mark !== null && (
          <Label
            isCompact
            color={vfs.free === 0 ? 'red' : 'orange'}
            icon={vfs.free === 0 ? <ExclamationCircleIcon /> : <ExclamationTriangleIcon />}
          >
            {mark}
          </Label>
        )}
      </span>
    </li>
  );
}
