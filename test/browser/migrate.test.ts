/** The dialog that migrates one VM: what it shows before anything happens, and what it starts. */
import type { Page } from 'playwright-core';
import { afterEach, expect, test } from 'vitest';
import type { JobView } from '../../src/api/types/job-view.ts';
import { eventually } from '../support/eventually.ts';
import { useConsole } from './support/console-stage.ts';
import { demoVms } from './support/demo-vms.ts';
import { expectNoSidewaysScroll, expectNoViolations, screenshot } from './support/looks.ts';

const stage = useConsole();
const demo = demoVms(stage);

async function openDialog(name: string, options: { theme?: 'light' | 'dark'; width?: number } = {}) {
  const { id } = await demo.vm(name);
  const page = await stage.signedInPage({ path: `/vms/${id}?migrate=${id}`, ...options });
  const dialog = page.getByRole('dialog', { name: `Migrate ${name}` });
  await dialog.getByRole('group', { name: 'Target host' }).waitFor();
  return { page, dialog };
}
const start = (page: Page) => page.getByRole('dialog').getByRole('button', { name: 'Start migration' });

afterEach(async () => {
  for (const name of ['host-a', 'host-b', 'host-c']) {
    await stage.engine.ask('POST', `hosts/${await demo.hostId(name)}/activate`, {});
  }
});

test('it shows every host with the VF it would give, and names the one Handover would choose', async () => {
  const { page, dialog } = await openDialog('web-1');
  await dialog.getByText('The traffic goes on over the standby nic1').waitFor();
  await dialog.getByText('nothing was migrated so far').waitFor();
  for (const host of ['host-b', 'host-c']) {
    const facts = await dialog.getByRole('radio', { name: host }).getAttribute('aria-describedby');
    const text = await page.locator(`[id="${facts}"]`).textContent();
    expect(text).toMatch(/nic2 ens1f1 0000:3b:0a\.0 to ens1f\d 0000:3b:0\w\.\d/);
    expect(text).toContain('peer-to-peer');
    expect(text, 'a warning is for what is out of the ordinary').not.toContain('Warning');
  }
  expect(await dialog.getByRole('radio', { name: 'host-a' }).count()).toBe(0);
  const choose = dialog.getByRole('radio', { name: 'Let Handover choose' });
  expect(await choose.isChecked()).toBe(true);
  await dialog.getByText(/host-[bc], as things are now\./).waitFor();
  const { body } = await stage.engine.ask<JobView[]>('GET', '/api/jobs');
  expect(body, 'nothing is begun by looking').toEqual([]);
});

test('a VM that can not be moved says why, and can not be started', async () => {
  const { page, dialog } = await openDialog('db-1');
  const alert = dialog.getByRole('alert');
  await alert.getByText('db-1 can not be moved now').waitFor();
  await alert.getByText('problematic interfaces: nic1').waitFor();
  await dialog.getByText('The traffic of db-1 will be interrupted').waitFor();
  await dialog.getByText('it has no network from the unplug until the plug on the target').waitFor();
  expect(await start(page).isDisabled()).toBe(true);
});

test('the plan is looked at again while it is open, and what was chosen stays chosen', async () => {
  const { page, dialog } = await openDialog('web-1');
  const hostB = dialog.getByRole('radio', { name: 'host-b' });
  await hostB.check();
  await demo.post(`hosts/${await demo.hostId('host-b')}/deactivate`);
  await dialog.getByText('host-b does not fit any more; choose another host').waitFor();
  await dialog.getByText('host-b is in maintenance and takes no VMs; activate it first').waitFor();
  expect([await hostB.isChecked(), await start(page).isDisabled()]).toEqual([true, true]);
  await demo.post(`hosts/${await demo.hostId('host-b')}/activate`);
  await dialog.getByText('does not fit any more').waitFor({ state: 'detached' });
  expect([await hostB.isChecked(), await start(page).isEnabled()]).toEqual([true, true]);
  await dialog.getByRole('radio', { name: 'Let Handover choose' }).check();
  for (const host of ['host-b', 'host-c']) await demo.post(`hosts/${await demo.hostId(host)}/deactivate`);
  await dialog.getByText('No host fits web-1 now; each says why').waitFor();
});

test('a wrong limit is refused at its field, which is shown', async () => {
  const { dialog } = await openDialog('web-1');
  await dialog.getByRole('button', { name: 'More' }).click();
  await dialog.getByLabel('Unplug timeout, in s').fill('1000');
  await dialog.getByRole('button', { name: 'Start migration' }).click();
  await dialog.getByText('the unplug timeout is 1000 s; it must be from 1 to 600 s').waitFor();
  expect(await dialog.getByLabel('Unplug timeout, in s').getAttribute('aria-invalid')).toBe('true');
  await dialog.getByLabel('Unplug timeout, in s').fill('');
  await dialog.getByLabel('Bandwidth, in MiB/s').fill('fast');
  await dialog.getByRole('button', { name: 'Start migration' }).click();
  await dialog.getByText(/bandwidth_mib_per_second/).waitFor();
  expect(await dialog.getByLabel('Bandwidth, in MiB/s').getAttribute('aria-invalid')).toBe('true');
});

test('a refusal is shown in the dialog, which stays', async () => {
  const { page, dialog } = await openDialog('plain-1');
  // Whoever else begins it first.
  await page.route('**/migrate', async (route) => {
    await demo.post(`vms/${(await demo.vm('plain-1')).id}/migrate`);
    await route.continue();
  });
  await start(page).click();
  await dialog.getByRole('alert').getByText('VM migration is in progress').waitFor();
  const { body } = await stage.engine.ask<JobView[]>('GET', `/api/jobs?vm=${(await demo.vm('plain-1')).id}`);
  await demo.succeeded(body[0]?.id ?? '');
});

test('back and cancel close it, and the focus returns to what opened it', async () => {
  const page = await stage.signedInPage({ path: '/vms' });
  const button = page.getByRole('button', { name: 'Migrate web-1' });
  const dialog = page.getByRole('dialog', { name: 'Migrate web-1' });
  await button.press('Enter');
  await dialog.waitFor();
  await page.goBack();
  await dialog.waitFor({ state: 'detached' });
  await button.press('Enter');
  await dialog.getByRole('button', { name: 'Cancel' }).press('Enter');
  await dialog.waitFor({ state: 'detached' });
  expect(new URL(page.url()).search).toBe('');
  const focused = async () =>
    await page.evaluate<string | null>("document.activeElement.getAttribute('aria-label')");
  await eventually('the focus to return', async () => (await focused()) === 'Migrate web-1');
});

test('start leads to the job on the chosen host, and from there back to where it was begun', async () => {
  const page = await stage.signedInPage({ path: '/vms' });
  await page.getByRole('button', { name: 'Migrate web-1' }).click();
  const dialog = page.getByRole('dialog', { name: 'Migrate web-1' });
  await dialog.getByRole('radio', { name: 'host-c' }).check();
  await dialog.getByRole('button', { name: 'More' }).click();
  await dialog.getByLabel('Bandwidth, in MiB/s').fill('400');
  await start(page).click();
  await page.waitForURL('**/jobs/*');
  const job = await demo.succeeded(new URL(page.url()).pathname.split('/')[2] ?? '');
  expect(job).toMatchObject({ vm: 'web-1', target: 'host-c' });
  await page.goBack();
  await page.getByRole('heading', { level: 1, name: 'VMs' }).waitFor();
  expect(new URL(page.url()).search).toBe('');
  const again = await openDialog('web-1');
  await again.dialog.getByText(/Expected: .* from start to end, .* of it without VF/).waitFor();
});

test('the dialog keeps nobody out', async () => {
  for (const theme of ['light', 'dark'] as const) {
    for (const name of ['web-1', 'db-1']) {
      const { page, dialog } = await openDialog(name, { theme });
      await expectNoViolations(page);
      await dialog.getByRole('button', { name: 'More' }).click();
      await dialog.getByLabel('Copy storage').waitFor();
      await screenshot(page, `migrate-${name}-${theme}-1280`);
      await page.setViewportSize({ width: 400, height: 900 });
      await expectNoViolations(page);
      await expectNoSidewaysScroll(page);
      await screenshot(page, `migrate-${name}-${theme}-400`);
    }
  }
});
