/** What stands where something is loading, is not there, or could not be had: each says what to do. */
import {
  Button,
  EmptyState as PatternEmptyState,
  EmptyStateActions,
  EmptyStateBody,
  EmptyStateFooter,
  Skeleton,
} from '@patternfly/react-core';
import ExclamationCircleIcon from '@patternfly/react-icons/dist/esm/icons/exclamation-circle-icon';
import SearchIcon from '@patternfly/react-icons/dist/esm/icons/search-icon';
import type { ReactNode } from 'react';
import { messageOf } from '../server/fault.ts';

/**
 * Lines of the height of a table's, so that nothing jumps when they come. `what` is read out: `the networks`.
 */
export function LoadingState({ what, rows = 6 }: { readonly what: string; readonly rows?: number }) {
  return (
    <div className="loading" aria-busy="true">
      {Array.from({ length: rows }, (_unused, index) => (
        <Skeleton
          key={index}
          height="2.25rem"
          {...(index === 0 ? { screenreaderText: `Loading ${what}` } : {})}
        />
      ))}
    </div>
  );
}

/** Nothing is there. `children` says how something gets there, `actions` does it. */
export function EmptyState({
  title,
  children,
  actions,
}: {
  readonly title: string;
  readonly children: ReactNode;
  readonly actions?: ReactNode;
}) {
  return (
    <PatternEmptyState titleText={title} headingLevel="h2" icon={SearchIcon} variant="sm">
      <EmptyStateBody>{children}</EmptyStateBody>
      {actions !== undefined && (
        <EmptyStateFooter>
          <EmptyStateActions>{actions}</EmptyStateActions>
        </EmptyStateFooter>
      )}
    </PatternEmptyState>
  );
}

/** It could not be had. `what`: `the networks`. */
export function ErrorState({
  what,
  error,
  onRetry,
}: {
  readonly what: string;
  readonly error: unknown;
  readonly onRetry: () => void;
}) {
  return (
    <div role="alert">
      <PatternEmptyState
        titleText={`Could not load ${what}`}
        headingLevel="h2"
        icon={ExclamationCircleIcon}
        status="danger"
        variant="sm"
      >
        <EmptyStateBody>{messageOf(error)}</EmptyStateBody>
        <EmptyStateFooter>
          <EmptyStateActions>
            <Button variant="primary" onClick={onRetry}>
              Try again
            </Button>
          </EmptyStateActions>
        </EmptyStateFooter>
      </PatternEmptyState>
    </div>
  );
}
