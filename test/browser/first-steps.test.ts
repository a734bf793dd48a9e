/** An installation that has nothing yet: what the console says to do first. */
import { expect, test } from 'vitest';
import { useConsole } from './support/console-stage.ts';
import { expectNoSidewaysScroll, expectNoViolations, screenshot } from './support/looks.ts';

const stage = useConsole('none');

test('the overview leads to what has to be done first', async () => {
  const page = await stage.signedInPage();
  const steps = page.getByRole('region', { name: 'First steps' }).getByRole('listitem');
  await steps.first().waitFor();
  expect(await steps.count()).toBe(3);
  await steps.nth(0).getByRole('link', { name: 'network' }).click();
  await page.waitForURL('**/networks');
  await page.goBack();
  await steps.nth(0).getByRole('link', { name: 'vNIC profile' }).click();
  await page.getByRole('dialog', { name: 'New vNIC profile' }).waitFor();
  await page.goto('/');
  await steps.nth(1).getByRole('link', { name: 'host' }).click();
  await page.getByRole('dialog', { name: 'Add a host' }).waitFor();
  await page.goto('/');
  await steps.nth(2).getByRole('link', { name: 'VMs' }).click();
  await page.waitForURL('**/vms');
});

test('it keeps nobody out, light and dark, wide and narrow', async () => {
  for (const theme of ['light', 'dark'] as const) {
    const page = await stage.signedInPage({ theme });
    await page.getByRole('region', { name: 'First steps' }).waitFor();
    await expectNoViolations(page);
    await screenshot(page, `first-steps-${theme}-1280`);
    await page.setViewportSize({ width: 400, height: 1400 });
    await expectNoSidewaysScroll(page);
    await expectNoViolations(page);
    await screenshot(page, `first-steps-${theme}-400`);
  }
});

test('what was done is marked, and all of it is gone once there is a host', async () => {
  const { body: network } = await stage.engine.ask<{ id: string }>('POST', 'networks', { name: 'prod' });
  const profile = { name: 'prod-vf', network, pass_through: { mode: 'enabled' } };
  await stage.engine.ask('POST', 'vnicprofiles', profile);
  const page = await stage.signedInPage();
  const steps = page.getByRole('region', { name: 'First steps' }).getByRole('listitem');
  await steps.nth(0).getByText('Done').waitFor();
  expect(await steps.nth(1).getByText('Done').count()).toBe(0);
});
