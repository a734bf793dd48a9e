/** The whole at a glance: what runs, what needs somebody, the VFs there are, and what happened last. */
import { Grid, GridItem } from '@patternfly/react-core';
import { PageLayout } from '../../parts/page-layout.tsx';
import { QueryState } from '../../parts/query-state.tsx';
import { Section } from '../../parts/section.tsx';
import { Concerns } from './concerns.tsx';
import { Counts } from './counts.tsx';
import { FirstSteps } from './first-steps.tsx';
import { LatestEvents } from './latest-events.tsx';
import { LiveJobs } from './live-jobs.tsx';
import { NetworkVfs } from './network-vfs.tsx';
import { useOverview } from './overview-query.ts';
import { concernsOf } from './overview-words.ts';
import './overview.css';

/** The page. */
export default function OverviewPage() {
  const overview = useOverview();
  return (
    <PageLayout title="Overview">
      <QueryState query={overview} what="the overview" rows={10}>
        {(facts) => (
          <Grid hasGutter>
            <FirstSteps overview={facts} />
            <GridItem lg={7}>
              <LiveJobs />
            </GridItem>
            <GridItem lg={5}>
              <Section title="Needs attention" isFullHeight>
                <Concerns concerns={concernsOf(facts)} />
              </Section>
            </GridItem>
            <GridItem lg={7}>
              <NetworkVfs networks={facts.networks} />
            </GridItem>
            <GridItem lg={5}>
              <Counts overview={facts} />
            </GridItem>
            <GridItem>
              <LatestEvents />
            </GridItem>
          </Grid>
        )}
      </QueryState>
    </PageLayout>
  );
}
