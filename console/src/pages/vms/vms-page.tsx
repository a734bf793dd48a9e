/** All VMs: searched, filtered and paged by the engine, as the address says; one or several to migrate. */
import { Button, Pagination, Toolbar, ToolbarContent, ToolbarItem } from '@patternfly/react-core';
import { memo, useCallback, useDeferredValue, useMemo, useState } from 'react';
import type { VmPage } from '../../../../src/api/types/vm-view.ts';
import { FilterSelect } from '../../parts/filter-select.tsx';
import { ButtonLink } from '../../parts/link.tsx';
import { PageLayout } from '../../parts/page-layout.tsx';
import { QueryState } from '../../parts/query-state.tsx';
import { EmptyState } from '../../parts/states.tsx';
import { type UrlDialog, useUrlDialog, useUrlQuery } from '../../parts/use-url-state.ts';
import { useHosts } from '../hosts/host-list.ts';
import { useJobs } from '../jobs/job-queries.ts';
import { MigrateFromUrl } from './migrate/migrate-from-url.tsx';
import { SearchField } from './search-field.tsx';
import { byVmId, useMovability, useVmPage, type VmFilter, VMS_SHOWN } from './vm-list.ts';
import { VmTable } from './vm-table.tsx';
import './vms.css';

/** As many as the engine plans for at once. */
const SELECTED_MAX = 200;
const NONE = new Map<string, never>();

/** The page. */
export default function VmsPage() {
  const [query, setQuery] = useUrlQuery();
  const filter: VmFilter = {
    name: query.get('name') ?? '',
    hostId: query.get('host') ?? '',
    page: Math.max(1, Math.trunc(Number(query.get('page') ?? 1)) || 1),
  };
  const vms = useVmPage(filter);
  const dialog = useUrlDialog('migrate');
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const onSelect = useCallback((ids: readonly string[], isSelected: boolean) => {
    setSelected((before) => {
      const next = new Set(before);
      for (const id of ids) {
        if (!isSelected) next.delete(id);
        else if (next.size < SELECTED_MAX) next.add(id);
      }
      return next;
    });
  }, []);
  const onHost = useCallback((host: string) => setQuery({ host, page: '' }), [setQuery]);
  const total = vms.data?.total ?? 0;
  const paging = (
    <Pagination
      isCompact
      itemCount={total}
      perPage={VMS_SHOWN}
      page={filter.page}
      perPageOptions={[]}
      className="vm-paging"
      titles={{ paginationAriaLabel: 'Pages of VMs', items: 'VMs' }}
      onSetPage={(_event, page) => setQuery({ page: page === 1 ? '' : String(page) }, { replace: false })}
    />
  );
  return (
    <PageLayout title="VMs" about="Every VM of every host, and whether it can be moved now.">
      <Toolbar>
        <ToolbarContent>
          <ToolbarItem>
            <SearchField
              label="Name"
              placeholder="Part of a name"
              value={filter.name}
              onSearch={(name) => setQuery({ name, page: '' })}
            />
          </ToolbarItem>
          <ToolbarItem>
            <HostSelect value={filter.hostId} onChange={onHost} />
          </ToolbarItem>
          <SelectedItems
            selected={selected}
            onClear={() => setSelected(new Set())}
            onMigrate={() => dialog.open([...selected].join(','))}
          />
          <ToolbarItem align={{ default: 'alignEnd' }}>{paging}</ToolbarItem>
        </ToolbarContent>
      </Toolbar>
      <div role="status" className="pf-v6-screen-reader">
        {vms.data !== undefined && `${total} VMs`}
      </div>
      <QueryState query={vms} what="the VMs" rows={12}>
        {(page) => (
          <VmsFound page={page} filter={filter} selected={selected} onSelect={onSelect} dialog={dialog} />
        )}
      </QueryState>
      <MigrateFromUrl dialog={dialog} onStarted={() => setSelected(new Set())} />
    </PageLayout>
  );
}

/** Drawn again only if it has changed: there may be hundreds of hosts. `onChange` stays the same function. */
const HostSelect = memo(function HostSelect(props: {
  readonly value: string;
  readonly onChange: (id: string) => void;
}) {
  const options = (useHosts().data ?? []).map(({ id, name }) => ({ value: id, label: name }));
  return <FilterSelect label="Host" all="All hosts" options={options} {...props} />;
});

function SelectedItems({
  selected,
  onClear,
  onMigrate,
}: {
  readonly selected: ReadonlySet<string>;
  readonly onClear: () => void;
  readonly onMigrate: () => void;
}) {
  return (
    <>
      <ToolbarItem>
        <Button variant="primary" isDisabled={selected.size === 0} aria-haspopup="dialog" onClick={onMigrate}>
          Migrate...
        </Button>
      </ToolbarItem>
      <ToolbarItem alignSelf="center">
        <span className="links">
          <span role="status">
            {selected.size} selected{selected.size === SELECTED_MAX && ', more can not be moved at once'}
          </span>
          {selected.size > 0 && (
            <Button variant="link" isInline onClick={onClear}>
              Clear
            </Button>
          )}
        </span>
      </ToolbarItem>
    </>
  );
}

function VmsFound({
  page,
  filter,
  selected,
  onSelect,
  dialog,
}: {
  readonly page: VmPage;
  readonly filter: VmFilter;
  readonly selected: ReadonlySet<string>;
  readonly onSelect: (ids: readonly string[], isSelected: boolean) => void;
  readonly dialog: UrlDialog;
}) {
  // The table is drawn when there is nothing more urgent: whoever types is not kept waiting for its rows.
  const { vms, total } = useDeferredValue(page);
  const movability = useMovability(vms.map(({ id }) => id));
  const live = useJobs('live').data;
  const jobs = useMemo(() => byVmId(live ?? []), [live]);
  if (vms.length === 0) return <NoVms isFiltered={total > 0 || filter.name !== '' || filter.hostId !== ''} />;
  return (
    <VmTable
      vms={vms}
      movability={movability.data ?? NONE}
      isMovabilityUnknown={movability.isError}
      jobs={jobs}
      selected={selected}
      onSelect={onSelect}
      onMigrate={dialog.open}
    />
  );
}

function NoVms({ isFiltered }: { readonly isFiltered: boolean }) {
  return isFiltered ? (
    <EmptyState title="No VM is like that" actions={<ButtonLink to="/vms">Show all VMs</ButtonLink>}>
      Search for another name, or choose another host or page.
    </EmptyState>
  ) : (
    <EmptyState title="There are no VMs" actions={<ButtonLink to="/hosts">Go to the hosts</ButtonLink>}>
      VMs come with their hosts. Add the hosts they run on, and they are here.
    </EmptyState>
  );
}
