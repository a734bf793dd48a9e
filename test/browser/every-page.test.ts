/**
 * What holds for every page: nothing keeps anybody out, in either theme, from a wide window to a narrow one.
 */
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { useConsole } from './support/console-stage.ts';
import { expectNoSidewaysScroll, expectNoViolations, screenshot } from './support/looks.ts';

const stage = useConsole();
beforeAll(async () => {
  // So that there are events.
  const { body } = await stage.engine.ask<{ host: { id: string }[] }>('GET', 'hosts');
  for (const verb of ['deactivate', 'activate'])
    await stage.engine.ask('POST', `hosts/${body.host.at(-1)?.id ?? ''}/${verb}`, {});
});

const PAGES = [
  ['overview', '/', 'Overview'],
  ['vms', '/vms', 'VMs'],
  ['jobs', '/jobs', 'Jobs'],
  ['hosts', '/hosts', 'Hosts'],
  ['networks', '/networks', 'Networks'],
  ['vnic-profiles', '/vnic-profiles', 'vNIC profiles'],
  ['events', '/events', 'Events'],
  ['unknown', '/no/such/page', 'No such page'],
] as const;

/** The page is there and has loaded what it shows. */
async function settled(page: Page, title: string): Promise<void> {
  await page.getByRole('heading', { level: 1, name: title, exact: true }).waitFor();
  await page.waitForLoadState('load');
  if (title === 'Networks' || title === 'Events') await page.getByRole('row').nth(1).waitFor();
}

describe.each(PAGES)('the page %s', (name, path, title) => {
  test('keeps nobody out, light and dark, wide and narrow', async () => {
    for (const theme of ['light', 'dark'] as const) {
      const page = await stage.signedInPage({ path, theme });
      await settled(page, title);
      expect(await page.title()).toBe(`${title} - Handover`);
      await expectNoViolations(page);
      await screenshot(page, `${name}-${theme}-1280`);
      await page.setViewportSize({ width: 400, height: 800 });
      await expectNoSidewaysScroll(page);
      await expectNoViolations(page);
      await screenshot(page, `${name}-${theme}-400`);
    }
  });
});

test('the sign-in page keeps nobody out', async () => {
  for (const theme of ['light', 'dark'] as const) {
    const page = await stage.freshPage({ theme });
    await settled(page, 'Sign in to Handover');
    await expectNoViolations(page);
    await screenshot(page, `sign-in-${theme}-1280`);
    await page.setViewportSize({ width: 400, height: 800 });
    await expectNoSidewaysScroll(page);
    await screenshot(page, `sign-in-${theme}-400`);
  }
});

test('a dialog keeps nobody out', async () => {
  for (const theme of ['light', 'dark'] as const) {
    const page = await stage.signedInPage({ path: '/networks', theme });
    await page.getByRole('button', { name: 'Add network' }).click();
    await page.getByRole('dialog').getByLabel('Name').waitFor();
    await expectNoViolations(page);
    await screenshot(page, `network-dialog-${theme}-1280`);
  }
});

test('the theme follows the system until somebody chooses, and the choice is remembered', async () => {
  const page = await stage.signedInPage({ path: '/networks', theme: 'dark' });
  const isDark = async () =>
    await page.evaluate<boolean>('document.documentElement.classList.contains("pf-v6-theme-dark")');
  await page.getByRole('button', { name: 'Use light colours' }).waitFor();
  expect(await isDark()).toBe(true);
  await page.getByRole('button', { name: 'Use light colours' }).click();
  await page.getByRole('button', { name: 'Use dark colours' }).waitFor();
  await page.reload();
  await page.getByRole('button', { name: 'Use dark colours' }).waitFor();
  expect(await isDark()).toBe(false);
});

test('a page that is navigated to begins at its title, for keyboards and screen readers', async () => {
  const page = await stage.signedInPage({ path: '/' });
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Networks' }).click();
  await page.getByRole('heading', { level: 1, name: 'Networks' }).waitFor();
  expect(await page.evaluate<string>('document.activeElement.textContent')).toBe('Networks');
  await page.reload();
  await page.getByRole('heading', { level: 1, name: 'Networks' }).waitFor();
  await page.keyboard.press('Tab');
  expect(await page.evaluate<string>('document.activeElement.textContent')).toBe('Skip to content');
});

test('a narrow window has its navigation behind a button', async () => {
  const page = await stage.signedInPage({ path: '/', width: 400 });
  const link = page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Networks' });
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
  expect(await link.isVisible()).toBe(false);
  await page.getByRole('button', { name: 'Navigation' }).click();
  await link.click();
  await page.getByRole('heading', { level: 1, name: 'Networks' }).waitFor();
  await link.waitFor({ state: 'hidden' });
});
