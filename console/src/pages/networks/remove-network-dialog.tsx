/** Asks before a network is removed, and says what goes with it. */
import { Content, List, ListItem } from '@patternfly/react-core';
import { announce } from '../../parts/announcer.tsx';
import { ConfirmDialog } from '../../parts/confirm-dialog.tsx';
import { QueryState } from '../../parts/query-state.tsx';
import { type Network, removeNetwork, useProfileNames } from './network-list.ts';

/** The dialog for one network. */
export function RemoveNetworkDialog({
  network,
  onClose,
}: {
  readonly network: Network;
  readonly onClose: () => void;
}) {
  const profiles = useProfileNames(network.id);
  return (
    <ConfirmDialog
      title={`Remove the network ${network.name}?`}
      verb="Remove"
      isDanger
      onClose={onClose}
      onConfirm={async () => {
        await removeNetwork(network.id);
        onClose();
        announce(`The network ${network.name} was removed.`);
      }}
    >
      <QueryState query={profiles} what="the vNIC profiles of the network" rows={2}>
        {(names) => <Consequences profiles={names} />}
      </QueryState>
    </ConfirmDialog>
  );
}

function Consequences({ profiles }: { readonly profiles: readonly string[] }) {
  if (profiles.length === 0) {
    return <Content component="p">No vNIC profile belongs to it, so no VM is connected to it.</Content>;
  }
  return (
    <>
      <Content component="p">
        These vNIC profiles of it have to be removed first, or the engine refuses:
      </Content>
      <List>
        {profiles.map((name) => (
          <ListItem key={name}>{name}</ListItem>
        ))}
      </List>
    </>
  );
}
