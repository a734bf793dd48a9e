/**
 * What is shown to whoever is not signed in, in the place of any page: the address stays, so signing in leads
 * to the page that was asked for.
 */
import { Card, CardBody, CardTitle, Title } from '@patternfly/react-core';
import { useEffect } from 'react';
import { ThemeToggle } from '../parts/theme-toggle.tsx';
import { SignInForm } from './sign-in-form.tsx';
import './sign-in.css';

/** The page. */
export function SignInPage() {
  useEffect(() => {
    document.title = 'Sign in - Handover';
  }, []);
  return (
    <main className="sign-in">
      <Card className="sign-in-card">
        <CardTitle>
          <Title headingLevel="h1" size="2xl">
            Sign in to Handover
          </Title>
        </CardTitle>
        <CardBody>
          <SignInForm />
        </CardBody>
      </Card>
      <ThemeToggle />
    </main>
  );
}
