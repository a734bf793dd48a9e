/** What every table of VMs begins its rows with. */
import { Td } from '@patternfly/react-table';
import type { VmView } from '../../../../src/api/types/vm-view.ts';
import { Link } from '../../parts/link.tsx';
import { StateLabel } from '../../parts/state-label.tsx';

/** The cells `Name` and `State`. */
export function VmNameAndState({ vm }: { readonly vm: VmView }) {
  return (
    <>
      <Td dataLabel="Name" modifier="breakWord">
        <Link to={`/vms/${vm.id}`}>{vm.name}</Link>
      </Td>
      <Td dataLabel="State">
        <div>
          <StateLabel kind="vm" state={vm.status} />
        </div>
      </Td>
    </>
  );
}
