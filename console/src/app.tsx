/**
 * The console as a whole: sign-in or the pages, and what lives as long as somebody is signed in. The only
 * route table; every page is a file of its own below `pages/`, loaded when it is first shown.
 */
import { QueryClientProvider, useQueryClient } from '@tanstack/react-query';
import { type ComponentType, lazy, Suspense, useEffect, useRef } from 'react';
import { Route, Switch, useLocation } from 'wouter';
import { Announcer } from './parts/announcer.tsx';
import { Frame } from './parts/frame.tsx';
import { LoadingState } from './parts/states.tsx';
import { PageSection } from '@patternfly/react-core';
import { PageFailure } from './parts/page-failure.tsx';
import { keepFresh } from './server/freshness.ts';
import { startLine } from './server/live-events.ts';
import { queryClient } from './server/query-client.ts';
import { ExpiredDialog } from './session/expired-dialog.tsx';
import { SignInPage } from './session/sign-in-page.tsx';
import { useSession } from './session/use-session.ts';

type Load = () => Promise<{ readonly default: ComponentType }>;

/** A route. The page of the address the console was opened at is loaded while the rest starts. */
function page(pattern: string, load: Load) {
  const isOpened = new RegExp(`^${pattern.replace(':id', '[^/]+')}$`).test(location.pathname);
  // If it fails, showing it tries again, and says so.
  if (isOpened) load().catch(() => undefined);
  return [pattern, lazy(load)] as const;
}

const ROUTES = [
  page('/', () => import('./pages/overview/overview-page.tsx')),
  page('/vms', () => import('./pages/vms/vms-page.tsx')),
  page('/vms/:id', () => import('./pages/vms/vm-page.tsx')),
  page('/jobs', () => import('./pages/jobs/jobs-page.tsx')),
  page('/jobs/:id', () => import('./pages/jobs/job-page.tsx')),
  page('/hosts', () => import('./pages/hosts/hosts-page.tsx')),
  page('/hosts/:id', () => import('./pages/hosts/host-page.tsx')),
  page('/networks', () => import('./pages/networks/networks-page.tsx')),
  page('/vnic-profiles', () => import('./pages/profiles/profiles-page.tsx')),
  page('/events', () => import('./pages/events/events-page.tsx')),
];
const UnknownPage = lazy(() => import('./pages/unknown-page.tsx'));

/** The console. */
export function App() {
  const session = useSession();
  return (
    <QueryClientProvider client={queryClient}>
      {session === null ? <SignInPage /> : <SignedIn key={session.user} />}
    </QueryClientProvider>
  );
}

function SignedIn() {
  const session = useSession();
  const client = useQueryClient();
  const [path] = useLocation();
  useEffect(() => keepFresh(client), [client]);
  useEffect(() => startLine(), []);
  // What one user saw is not for the next.
  useEffect(() => () => client.clear(), [client]);
  const token = session?.token;
  const firstToken = useRef(token);
  useEffect(() => {
    if (token === firstToken.current) return;
    firstToken.current = token;
    void client.invalidateQueries();
  }, [client, token]);
  return (
    <>
      <Frame>
        <PageFailure key={path}>
          <Suspense fallback={<PageLoading />}>
            <Switch>
              {ROUTES.map(([pattern, Page]) => (
                <Route key={pattern} path={pattern} component={Page} />
              ))}
              <Route component={UnknownPage} />
            </Switch>
          </Suspense>
        </PageFailure>
      </Frame>
      <Announcer />
      {session?.expired === true && <ExpiredDialog user={session.user} />}
    </>
  );
}

function PageLoading() {
  return (
    <PageSection hasBodyWrapper={false} isFilled>
      <LoadingState what="the page" />
    </PageSection>
  );
}
