/** The frame around every page: masthead, navigation, and the banner that says when the line is broken. */
import {
  Masthead,
  MastheadBrand,
  MastheadContent,
  MastheadLogo,
  MastheadMain,
  MastheadToggle,
  Nav,
  NavItem,
  NavList,
  Page,
  PageSidebar,
  PageSidebarBody,
  PageToggleButton,
  SkipToContent,
} from '@patternfly/react-core';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { useLocation } from 'wouter';
import { LineBanner } from './line-banner.tsx';
import { linkComponent } from './link.tsx';
import { noteNavigation } from './navigation-focus.ts';
import { ThemeToggle } from './theme-toggle.tsx';
import { UserMenu } from './user-menu.tsx';

const MAIN_ID = 'main';
/** Below it the navigation lies over the page; PatternFly's breakpoint `xl`. */
const NARROW_PX = 1200;
const PAGES = [
  ['/', 'Overview'],
  ['/vms', 'VMs'],
  ['/jobs', 'Jobs'],
  ['/hosts', 'Hosts'],
  ['/networks', 'Networks'],
  ['/vnic-profiles', 'vNIC profiles'],
  ['/events', 'Events'],
] as const;

/** The frame; `children` is the page. */
export function Frame({ children }: { readonly children: ReactNode }) {
  const [path] = useLocation();
  const [isNarrow, setIsNarrow] = useState(() => window.innerWidth < NARROW_PX);
  const [isNavOpen, setIsNavOpen] = useState(!isNarrow);
  const shown = useRef(path);
  // While it is drawn, not after: the page's own effect, which runs first, asks for it.
  if (shown.current !== path) {
    shown.current = path;
    noteNavigation();
  }
  useEffect(() => {
    document.getElementById(MAIN_ID)?.scrollTo(0, 0);
  }, [path]);
  return (
    <Page
      onPageResize={(_event, { mobileView }: { readonly mobileView: boolean }) => {
        if (mobileView !== isNarrow) setIsNarrow(mobileView);
        if (mobileView !== isNarrow) setIsNavOpen(!mobileView);
      }}
      mainContainerId={MAIN_ID}
      skipToContent={<SkipToContent href={`#${MAIN_ID}`}>Skip to content</SkipToContent>}
      masthead={<Head isNavOpen={isNavOpen} onToggleNav={() => setIsNavOpen(!isNavOpen)} />}
      sidebar={<Side path={path} isOpen={isNavOpen} onSelect={() => setIsNavOpen(!isNarrow)} />}
      banner={<LineBanner />}
      isContentFilled
    >
      {children}
    </Page>
  );
}

function Head({ isNavOpen, onToggleNav }: { readonly isNavOpen: boolean; readonly onToggleNav: () => void }) {
  return (
    <Masthead display={{ default: 'inline' }}>
      <MastheadMain>
        <MastheadToggle>
          <PageToggleButton
            isHamburgerButton
            aria-label="Navigation"
            id="nav-toggle"
            isSidebarOpen={isNavOpen}
            onSidebarToggle={onToggleNav}
          />
        </MastheadToggle>
        <MastheadBrand>
          <MastheadLogo component={linkComponent} href="/" className="brand">
            <img src="/favicon.svg" alt="" width={28} height={28} />
            Handover
          </MastheadLogo>
        </MastheadBrand>
      </MastheadMain>
      <MastheadContent>
        <div className="masthead-end">
          <ThemeToggle />
          <UserMenu />
        </div>
      </MastheadContent>
    </Masthead>
  );
}

function Side({
  path,
  isOpen,
  onSelect,
}: {
  readonly path: string;
  readonly isOpen: boolean;
  readonly onSelect: () => void;
}) {
  return (
    <PageSidebar isSidebarOpen={isOpen}>
      <PageSidebarBody>
        <Nav aria-label="Pages" onSelect={onSelect}>
          <NavList>
            {PAGES.map(([to, title]) => {
              const isActive = to === '/' ? path === '/' : path === to || path.startsWith(`${to}/`);
              return (
                <NavItem key={to} to={to} isActive={isActive} component={linkComponent}>
                  {title}
                </NavItem>
              );
            })}
          </NavList>
        </Nav>
      </PageSidebarBody>
    </PageSidebar>
  );
}
