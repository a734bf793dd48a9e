/** What was seen on a host, and how it is reached. */
import {
  Alert,
  DescriptionList,
  DescriptionListDescription,
  DescriptionListGroup,
  DescriptionListTerm,
  Title,
} from '@patternfly/react-core';
import { Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import type { ReactNode } from 'react';
import type { HostView } from '../../../../src/api/types/host-view.ts';
import { memoryText } from '../../parts/size-texts.ts';
import { EmptyState } from '../../parts/states.tsx';
import { Time } from '../../parts/time.tsx';
import { PeerTests } from './peer-tests.tsx';
import { DataTable } from '../../parts/data-table.tsx';

type Inventory = NonNullable<HostView['inventory']>;

/** The tab. */
export function HostFacts({ host }: { readonly host: HostView }) {
  const { inventory } = host;
  return (
    <>
      <Title headingLevel="h2" size="lg" className="host-part">
        Machine
      </Title>
      {inventory === null ? (
        <EmptyState title="This host was never seen">
          Its facts appear here once it answers. Refresh it to try at once.
        </EmptyState>
      ) : (
        <Machine host={host} inventory={inventory} />
      )}
      <Title headingLevel="h2" size="lg" className="host-part">
        Migrations
      </Title>
      <Facts
        facts={[
          ['libvirt URI', host.uri],
          ['Peer URI', host.peerUri ?? 'as the libvirt URI says'],
          ['Migration address', host.migrationAddress ?? 'libvirt chooses'],
          ['Outgoing, at most', host.outgoingMax],
          ['Incoming, at most', host.incomingMax],
        ]}
      />
      <PeerTests host={host} />
      {inventory !== null && <Bridges bridges={inventory.bridges} />}
    </>
  );
}

function Machine({ host, inventory }: { readonly host: HostView; readonly inventory: Inventory }) {
  const { channel } = inventory;
  return (
    <>
      {!channel.works && (
        <Alert
          component="p"
          isInline
          className="host-alert"
          variant="warning"
          title="The host channel does not work"
        >
          {channel.reason} Without it links, MAC addresses and bridges of the host are not known, and the
          number of VFs can not be changed.
        </Alert>
      )}
      <Facts
        facts={[
          ['libvirt', inventory.libvirtVersion],
          ['Hypervisor', inventory.hypervisorVersion],
          ['Hostname', inventory.hostname],
          ['CPU', `${inventory.cpuModel}, ${inventory.cpuVendor}`],
          ['CPUs', `${inventory.cpuCount}, ${inventory.arch}`],
          ['Memory', memoryText(inventory.memoryKiB)],
          ['Free memory', memoryText(inventory.memoryFreeKiB)],
          ['Host UUID', inventory.hostUuid],
          ['Last seen', host.observedAt === null ? 'never' : <Time at={host.observedAt} />],
        ]}
      />
    </>
  );
}

function Facts({ facts }: { readonly facts: readonly (readonly [string, ReactNode])[] }) {
  return (
    <DescriptionList
      isCompact
      columnModifier={{ default: '1Col', md: '2Col', xl: '3Col' }}
      isHorizontal
      orientation={{ md: 'vertical' }}
    >
      {facts.map(([name, value]) => (
        <DescriptionListGroup key={name}>
          <DescriptionListTerm>{name}</DescriptionListTerm>
          <DescriptionListDescription className="host-fact">{value}</DescriptionListDescription>
        </DescriptionListGroup>
      ))}
    </DescriptionList>
  );
}

function Bridges({ bridges }: { readonly bridges: Inventory['bridges'] }) {
  return (
    <>
      <Title headingLevel="h2" size="lg" className="host-part">
        Bridges
      </Title>
      {bridges.length === 0 ? (
        <EmptyState title="This host has no bridge">
          Standbys and ordinary vNICs need one with the name of their network. Make it on the host.
        </EmptyState>
      ) : (
        <DataTable label="Bridges">
          <Thead>
            <Tr>
              <Th>Name</Th>
              <Th>State</Th>
              <Th>Uplinks</Th>
              <Th>MTU</Th>
            </Tr>
          </Thead>
          <Tbody>
            {bridges.map(({ name, up, uplinks, mtu }) => (
              <Tr key={name}>
                <Td dataLabel="Name">{name}</Td>
                <Td dataLabel="State">{up === null ? 'not known' : up ? 'up' : 'down'}</Td>
                <Td dataLabel="Uplinks">{uplinks.join(', ') || 'none known'}</Td>
                <Td dataLabel="MTU">{mtu ?? 'not known'}</Td>
              </Tr>
            ))}
          </Tbody>
        </DataTable>
      )}
    </>
  );
}
