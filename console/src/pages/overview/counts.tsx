/** How many hosts and VMs there are in which state. */
import type { OverviewView } from '../../../../src/api/types/fleet-view.ts';
import { Link } from '../../parts/link.tsx';
import { StateLabel } from '../../parts/state-label.tsx';
import { Section } from '../../parts/section.tsx';

interface Count {
  readonly status: string;
  readonly count: number;
}

/** The part of the page. */
export function Counts({ overview: { hosts, vms } }: { readonly overview: OverviewView }) {
  return (
    <Section isFullHeight title="Hosts and VMs">
      <dl className="counts">
        <CountRow title="Hosts" to="/hosts" kind="host" counts={hosts} />
        <CountRow title="VMs" to="/vms" kind="vm" counts={vms} />
      </dl>
    </Section>
  );
}

function CountRow({
  title,
  to,
  kind,
  counts,
}: {
  readonly title: string;
  readonly to: string;
  readonly kind: 'host' | 'vm';
  readonly counts: readonly Count[];
}) {
  const total = counts.reduce((sum, { count }) => sum + count, 0);
  return (
    <>
      <dt>
        <span className="count figure">{total}</span> <Link to={to}>{title}</Link>
      </dt>
      <dd>
        {[...counts]
          .sort((a, b) => b.count - a.count)
          .map(({ status, count }) => (
            <span key={status} className="count-state">
              <span className="figure">{count}</span> <StateLabel kind={kind} state={status} />
            </span>
          ))}
        {total === 0 && 'none yet'}
      </dd>
    </>
  );
}
