/** What is shown for an address that is none of the console's. */
import { ButtonLink } from '../parts/link.tsx';
import { PageLayout } from '../parts/page-layout.tsx';
import { EmptyState } from '../parts/states.tsx';

/** The page. */
export default function UnknownPage() {
  return (
    <PageLayout title="No such page">
      <EmptyState
        title="There is nothing at this address"
        actions={<ButtonLink to="/">Go to the overview</ButtonLink>}
      >
        Check the link, or choose a page from the navigation.
      </EmptyState>
    </PageLayout>
  );
}
