/** A part of a page with a title of its own, and what can be done with it. */
import { Card, CardBody, CardHeader, CardTitle } from '@patternfly/react-core';
import { type ReactNode, useId } from 'react';

/** The part. `isFullHeight`: as high as what stands beside it. */
export function Section({
  title,
  actions,
  isFullHeight = false,
  children,
}: {
  readonly title: string;
  readonly actions?: ReactNode;
  readonly isFullHeight?: boolean;
  readonly children: ReactNode;
}) {
  const id = useId();
  return (
    <Card component="section" isFullHeight={isFullHeight} aria-labelledby={id}>
      <CardHeader {...(actions === undefined ? {} : { actions: { actions, hasNoOffset: true } })}>
        <CardTitle component="h2" id={id}>
          {title}
        </CardTitle>
      </CardHeader>
      <CardBody>{children}</CardBody>
    </Card>
  );
}
