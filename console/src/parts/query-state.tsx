/**
 * Shows what a query brought, or that it is loading or failed. What was there before a failed refresh stays:
 * old facts with a word of warning are better than none.
 */
import { Alert, AlertActionLink } from '@patternfly/react-core';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { messageOf } from '../server/fault.ts';
import { ErrorState, LoadingState } from './states.tsx';

/** `what` is named in texts: `the networks`. `rows`: how high the place is that is kept while loading. */
export function QueryState<T>({
  query,
  what,
  rows,
  children,
}: {
  readonly query: UseQueryResult<T>;
  readonly what: string;
  readonly rows?: number;
  readonly children: (data: T) => ReactNode;
}) {
  const retry = () => void query.refetch();
  if (query.data === undefined) {
    if (query.isError) return <ErrorState what={what} error={query.error} onRetry={retry} />;
    return <LoadingState what={what} {...(rows === undefined ? {} : { rows })} />;
  }
  return (
    <>
      {query.isError && (
        <Alert
          component="p"
          variant="warning"
          isInline
          title={`Could not refresh ${what}; this is how it was.`}
          actionLinks={<AlertActionLink onClick={retry}>Try again</AlertActionLink>}
        >
          {messageOf(query.error)}
        </Alert>
      )}
      {children(query.data)}
    </>
  );
}
