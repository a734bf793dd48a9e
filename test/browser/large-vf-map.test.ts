/** The SR-IOV map of a host with a thousand VFs: drawn fast, in every state, and still easy to go through. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { useConsole } from './support/console-stage.ts';
import { LARGE_HOST, PF_COUNT, VFS_PER_PF } from './support/large-host.ts';
import { expectNoSidewaysScroll, screenshot } from './support/looks.ts';

const stage = useConsole(LARGE_HOST);

async function largeMap(options: { readonly theme?: 'light' | 'dark' } = {}): Promise<Page> {
  const page = await stage.signedInPage({ path: '/hosts', ...options });
  await page.getByRole('link', { name: 'large-1' }).click();
  await page
    .getByRole('option')
    .nth(PF_COUNT * VFS_PER_PF - 1)
    .waitFor();
  return page;
}

// How long it takes to draw is for `npm run bench -- console`.
test('each of a thousand VFs is a single element, which is what makes them cheap to draw', async () => {
  const page = await largeMap();
  expect(await page.getByRole('option').count()).toBe(PF_COUNT * VFS_PER_PF);
  expect(await page.locator('[role=option] *').count()).toBe(0);
});

test('a VF the host uses and one that is unusable say so', async () => {
  const page = await largeMap();
  const own = page.getByRole('option', { name: /VF 5, .*the host uses its netdev ens1f0v5: .*lab/ });
  expect(await own.textContent()).toBe('H');
  await own.click();
  await page.getByRole('group', { name: 'VF 5 of ens1f0' }).getByText('port of the bridge lab').waitFor();
  const foreign = page
    .getByRole('listbox', { name: `VFs of ens${PF_COUNT}f0` })
    .getByRole('option')
    .first();
  expect(await foreign.textContent()).toBe('X');
  expect(await foreign.getAttribute('aria-label')).toContain('pci-stub');
  const legend = page.getByRole('list', { name: 'What the letters mean' });
  await legend.getByText('Used by the host 1').waitFor();
  await legend.getByText(`Unusable ${VFS_PER_PF}`).waitFor();
});

test('every PF is one tab stop, and arrows go up and down in its rows', async () => {
  const page = await largeMap();
  expect(await page.locator('[role=option][tabindex="0"]').count()).toBe(PF_COUNT);
  const first = page.getByRole('listbox').first();
  await first.getByRole('option').first().focus();
  await page.keyboard.press('ArrowDown');
  expect(await page.evaluate<string>('document.activeElement.ariaLabel')).toContain('VF 16,');
  await page.setViewportSize({ width: 400, height: 900 });
  await page.keyboard.press('ArrowDown');
  expect(await page.evaluate<string>('document.activeElement.ariaLabel')).toContain('VF 24,');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('ArrowUp');
  expect(await page.evaluate<string>('document.activeElement.ariaLabel')).toContain('VF 8,');
});

test('nothing of it has to be scrolled sideways, wide and narrow, light and dark', async () => {
  for (const theme of ['light', 'dark'] as const) {
    const page = await largeMap({ theme });
    await page.getByRole('option').nth(5).hover();
    await expectNoSidewaysScroll(page);
    await screenshot(page, `large-vf-map-${theme}-1280`);
    await page.setViewportSize({ width: 400, height: 900 });
    await page.getByRole('link', { name: 'Networks', exact: true }).waitFor({ state: 'hidden' });
    await expectNoSidewaysScroll(page);
    await screenshot(page, `large-vf-map-${theme}-400`);
  }
});
