/**
 * What every page begins with: its title, on the page and of the tab, where it is, and what can be done. A
 * page that was navigated to gets the focus on its title, so that keyboards and screen readers begin there.
 */
import { Breadcrumb, BreadcrumbItem, Flex, FlexItem, PageSection, Title } from '@patternfly/react-core';
import { type ReactNode, useEffect, useRef } from 'react';
import { linkComponent } from './link.tsx';
import { takeNavigation } from './navigation-focus.ts';

/** A page above this one. */
export interface Crumb {
  readonly title: string;
  readonly to: string;
}

/** A page. */
export interface PageLayoutProps {
  readonly title: string;
  /** What the page is for, one or two sentences. */
  readonly about?: ReactNode;
  /** Beside the title: the state of what is shown. */
  readonly state?: ReactNode;
  /** Buttons for what can be done with the whole. */
  readonly actions?: ReactNode;
  readonly above?: readonly Crumb[];
  readonly children: ReactNode;
}

/** The page's frame. */
export function PageLayout({ title, about, state, actions, above = [], children }: PageLayoutProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} - Handover`;
  }, [title]);
  useEffect(() => {
    if (takeNavigation()) heading.current?.focus();
  }, []);
  return (
    <>
      <PageSection hasBodyWrapper={false} className="page-head">
        {above.length > 0 && (
          <Breadcrumb className="page-crumbs">
            {above.map((crumb) => (
              <BreadcrumbItem key={crumb.to} to={crumb.to} component={linkComponent}>
                {crumb.title}
              </BreadcrumbItem>
            ))}
            <BreadcrumbItem isActive>{title}</BreadcrumbItem>
          </Breadcrumb>
        )}
        <div>
          <Flex justifyContent={{ default: 'justifyContentSpaceBetween' }}>
            <Flex alignItems={{ default: 'alignItemsCenter' }}>
              <Title headingLevel="h1" size="2xl" tabIndex={-1} ref={heading} className="page-title">
                {title}
              </Title>
              {state !== undefined && <FlexItem>{state}</FlexItem>}
            </Flex>
            {actions !== undefined && <Flex gap={{ default: 'gapSm' }}>{actions}</Flex>}
          </Flex>
          {about !== undefined && <p className="page-about">{about}</p>}
        </div>
      </PageSection>
      <PageSection hasBodyWrapper={false} isFilled>
        {children}
      </PageSection>
    </>
  );
}
