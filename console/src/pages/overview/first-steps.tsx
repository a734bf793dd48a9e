/** What to do first in an installation that has nothing yet; gone once all of it was done. */
import { GridItem, Label } from '@patternfly/react-core';
import CheckCircleIcon from '@patternfly/react-icons/dist/esm/icons/check-circle-icon';
import type { ReactNode } from 'react';
import type { OverviewView } from '../../../../src/api/types/fleet-view.ts';
import { Link } from '../../parts/link.tsx';
import { useProfiles } from '../profiles/profile-list.ts';
import { Section } from '../../parts/section.tsx';

/** The part of the page; nothing if there are hosts, networks and profiles. */
export function FirstSteps({ overview: { networks, hosts } }: { readonly overview: OverviewView }) {
  const profiles = useProfiles();
  if (profiles.data === undefined) return null;
  const hasNetwork = networks.length > 0 && profiles.data.length > 0;
  const hasHost = hosts.length > 0;
  if (hasNetwork && hasHost) return null;
  return (
    <GridItem>
      <Section isFullHeight title="First steps">
        <ol className="first-steps">
          <Step isDone={hasNetwork}>
            Add a <Link to="/networks">network</Link>, and a{' '}
            <Link to="/vnic-profiles?edit=new">vNIC profile</Link> of it with passthrough: they say which VFs
            a VM may have.
          </Step>
          <Step isDone={hasHost}>
            Add a <Link to="/hosts?dialog=add">host</Link>, then a second one. Their VMs appear by themselves.
          </Step>
          <Step isDone={false}>
            Choose one of the <Link to="/vms">VMs</Link> and migrate it.
          </Step>
        </ol>
      </Section>
    </GridItem>
  );
}

const Step = ({ isDone, children }: { readonly isDone: boolean; readonly children: ReactNode }) => (
  <li>
    {children}{' '}
    {isDone && (
      <Label isCompact color="green" icon={<CheckCircleIcon />}>
        Done
      </Label>
    )}
  </li>
);
