/** Links within the console: they change the address without loading the page again. */
import { Button, type ButtonProps } from '@patternfly/react-core';
import type { ComponentProps, ReactNode } from 'react';
import { Link as RouterLink } from 'wouter';

/** A link in a text. */
export function Link({ to, children }: { readonly to: string; readonly children: ReactNode }) {
  return <RouterLink href={to}>{children}</RouterLink>;
}

/** As `component` of what PatternFly draws as a link. */
export const linkComponent = (props: ComponentProps<'a'>) => (
  <RouterLink {...props} href={props.href ?? '/'} />
);

/** A link that looks like a button. */
export function ButtonLink({
  to,
  children,
  ...button
}: { readonly to: string } & Pick<ButtonProps, 'variant' | 'size' | 'icon' | 'children'>) {
  return (
    <Button {...button} href={to} component={linkComponent}>
      {children}
    </Button>
  );
}
