/**
 * Catches what a page throws, so that the frame stays. A page that can not be loaded is most often one of an
 * older console: loading the whole again brings the new one.
 */
import { Button, PageSection } from '@patternfly/react-core';
import { Component, type ReactNode } from 'react';
import { messageOf } from '../server/fault.ts';
import { EmptyState } from './states.tsx';

/** Around one page; another one needs another key. */
export class PageFailure extends Component<{ readonly children: ReactNode }, { readonly thrown: unknown }> {
  override state: { readonly thrown: unknown } = { thrown: null };

  static getDerivedStateFromError(thrown: unknown) {
    return { thrown };
  }

  override render(): ReactNode {
    if (this.state.thrown === null) return this.props.children;
    return (
      <PageSection hasBodyWrapper={false} isFilled>
        <div role="alert">
          <EmptyState
            title="This page could not be shown"
            actions={
              <Button variant="primary" onClick={() => location.reload()}>
                Load the console again
              </Button>
            }
          >
            {messageOf(this.state.thrown)}
          </EmptyState>
        </div>
      </PageSection>
    );
  }
}
