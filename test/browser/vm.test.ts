/** One VM: its facts, its vNICs and what is done with them, its state, and what was. */
import type { Locator, Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { useConsole } from './support/console-stage.ts';
import { demoVms } from './support/demo-vms.ts';
import { expectNoSidewaysScroll, expectNoViolations, screenshot } from './support/looks.ts';

const stage = useConsole();
const demo = demoVms(stage);

async function openVm(name: string, options: { theme?: 'light' | 'dark' } = {}): Promise<Page> {
  const page = await stage.signedInPage({ path: `/vms/${(await demo.vm(name)).id}`, ...options });
  await page.getByRole('heading', { level: 1, name }).waitFor();
  return page;
}
const vnicRow = (page: Page, name: string): Locator =>
  page.getByRole('table', { name: /^vNICs of/ }).getByRole('row', { name: new RegExp(`^${name} `) });
async function act(page: Page, vnic: string, verb: string): Promise<Locator> {
  await page.getByRole('button', { name: `Actions of ${vnic}` }).click();
  await page.getByRole('menuitem', { name: verb, exact: true }).click();
  return page.getByRole('dialog');
}
const said = async (page: Page, text: string) => await page.getByRole('status').getByText(text).waitFor();

test('a VM is told with its vNICs, where each is on the host, and whether it is ready to move', async () => {
  const page = await openVm('web-1');
  await page.getByRole('definition').getByRole('link', { name: 'host-a' }).waitFor();
  await page.getByRole('definition').getByText('answers').waitFor();
  const text = (await vnicRow(page, 'nic2').textContent()) ?? '';
  for (const part of ['VF', 'prod-vf', '52:54:00:aa:01:01', 'VLAN 42', '0000:3b:0a.0', 'of ens1f1 on host-a'])
    expect(text).toContain(part);
  expect(await vnicRow(page, 'nic1').textContent()).toContain('bridge prod');
  await page.getByText(/web-1 can be moved: 2 hosts fit, host-[bc] best\./).waitFor();
  const inGuest = page.getByRole('group', { name: 'In the guest' });
  await inGuest.getByText('Its traffic goes over the standby while a VF is away.').waitFor();
  await inGuest.getByText(/bond0 has the VF ens8 and the standby ens3, which is up/).waitFor();
  await inGuest.getByRole('button', { name: 'Look at the guest now' }).click();
  await page.getByText('The guest was looked at.').first().waitFor();
  await page.getByText('web-1 was not migrated yet.').waitFor();
  const pinned = await openVm('db-1');
  await pinned.getByText('db-1 can not be moved now.').waitFor();
  await pinned.getByText('db-1 has no ordinary vNIC plugged that could carry the traffic').waitFor();
});

test('a migration is rehearsed after it was said what happens, and its result stays', async () => {
  const page = await openVm('web-1');
  const drill = page.getByRole('group', { name: 'Last drill' });
  await drill.getByText('It was never rehearsed.').waitFor();
  await drill.getByRole('button', { name: 'Rehearse...' }).click();
  const dialog = page.getByRole('dialog', { name: 'Rehearse a migration of web-1?' });
  await dialog.getByText('web-1 stays on host-a. Its traffic goes to the standby').waitFor();
  await expectNoViolations(page);
  await dialog.getByRole('button', { name: 'Rehearse' }).click();
  await page.getByRole('heading', { level: 1, name: 'Drill of web-1' }).waitFor();
  await page.getByText('Everything is as it was.').waitFor();
  await expectNoViolations(page);
  await page.getByRole('link', { name: 'web-1' }).first().click();
  await drill.getByText(/all went well/).waitFor();
  await page.getByRole('table', { name: 'Migrations and drills' }).getByText('Drill on host-a').waitFor();
});

test('a vNIC is unplugged and plugged again, after it was said what happens to the traffic', async () => {
  const page = await openVm('web-1');
  const unplug = await act(page, 'nic2', 'Unplug');
  await unplug.getByText('The traffic of nic2 goes over the standby nic1 from then on').waitFor();
  await unplug.getByText('up to 40 s if the guest is slow').waitFor();
  await expectNoViolations(page);
  await screenshot(page, 'unplug-dialog');
  await unplug.getByRole('button', { name: 'Unplug' }).click();
  await unplug.getByText('Waiting for the guest to give it back').waitFor();
  await said(page, 'nic2 of web-1 was unplugged.');
  await vnicRow(page, 'nic2').getByText('no VF').waitFor();
  expect((await demo.vm('web-1')).vnics[1]).toMatchObject({ plugged: false, actual: 'unplugged', vf: null });

  const plug = await act(page, 'nic2', 'Plug');
  await plug.getByText('nic2 gets a free VF of host-a.').waitFor();
  await plug.getByRole('button', { name: 'Plug' }).click();
  await said(page, 'nic2 of web-1 was plugged.');
  await vnicRow(page, 'nic2').getByText('of ens1f').waitFor();
  expect((await demo.vm('web-1')).vnics[1]).toMatchObject({ plugged: true, actual: 'plugged' });
});

test('that an unplug ends the traffic, or will have the next move do so, is said before', async () => {
  const pinned = await openVm('db-1');
  await (await act(pinned, 'nic1', 'Unplug'))
    .getByText('db-1 has no standby: the traffic of nic1 ends.')
    .waitFor();
  const page = await openVm('web-1');
  const unplug = await act(page, 'nic1', 'Unplug');
  await unplug.getByText('the next migration will interrupt the traffic of web-1').waitFor();
});

test('what the engine refuses is shown in the dialog, which stays', async () => {
  const { id } = await demo.vm('plain-1');
  const page = await openVm('plain-1');
  const unplug = await act(page, 'nic1', 'Unplug');
  const slow = { bandwidth_mib_per_second: '150' };
  const { job } = await demo.post<{ job: { id: string } }>(`vms/${id}/migrate`, slow);
  await unplug.getByRole('button', { name: 'Unplug' }).click();
  await unplug.getByRole('alert').getByText('plain-1').waitFor();
  await unplug.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('link', { name: 'See how its migration goes' }).waitFor();
  await demo.succeeded(job.id);
  const remove = await act(page, 'nic1', 'Remove');
  await remove.getByText('Unplug it first.').waitFor();
  await remove.getByRole('button', { name: 'Remove' }).click();
  await remove.getByRole('alert').getByText('unplug it first').waitFor();
});

test('a finished migration is in the history, with its figures and its network gap', async () => {
  const { id } = await demo.vm('web-1');
  const page = await openVm('web-1');
  const { job } = await demo.post<{ job: { id: string } }>(`vms/${id}/migrate`);
  const { source, target } = await demo.succeeded(job.id);
  const row = page.getByRole('table', { name: 'Migrations' }).getByRole('row').nth(1);
  await row.getByRole('link', { name: 'Succeeded' }).waitFor();
  const text = (await row.textContent()) ?? '';
  expect(text).toContain(`${source} to ${target}`);
  expect(text.match(/\d ms|\d s/g)?.length).toBeGreaterThanOrEqual(3);
  await page.getByRole('table', { name: 'Events' }).getByText('web-1').first().waitFor();
});

test('a vNIC is added, given another profile, and removed', async () => {
  const page = await openVm('web-1');
  await page.getByRole('button', { name: 'Add vNIC' }).click();
  const add = page.getByRole('dialog', { name: 'Add a vNIC to web-1' });
  expect(await add.getByLabel('Name').inputValue()).toBe('nic3');
  expect(await add.getByRole('button', { name: 'Add' }).isDisabled()).toBe(true);
  await add.getByLabel('vNIC profile').selectOption({ label: 'prod-vf (prod, VF)' });
  expect(await add.getByLabel('Model').count()).toBe(0);
  await add.getByLabel('Plug it').uncheck();
  await add.getByLabel('Name').fill('nic1');
  await add.getByRole('button', { name: 'Add' }).click();
  await add.locator('[aria-invalid="true"]').waitFor();
  expect(await add.getByLabel('Name').getAttribute('aria-invalid')).toBe('true');
  await add.getByLabel('Name').fill('nic3');
  await add.getByLabel('MAC address').fill('nonsense');
  await add.getByRole('button', { name: 'Add' }).click();
  await add.getByText('is no MAC address of one interface').waitFor();
  expect(await add.getByLabel('MAC address').getAttribute('aria-invalid')).toBe('true');
  await add.getByLabel('MAC address').fill('');
  await expectNoViolations(page);
  await screenshot(page, 'add-vnic-dialog');
  await add.getByRole('button', { name: 'Add' }).click();
  await said(page, 'nic3 was added to web-1.');

  const change = await act(page, 'nic3', 'Change profile');
  const offered = await change.getByLabel('vNIC profile').getByRole('option').allTextContents();
  expect(offered.sort()).toEqual(['prod-vf (prod, VF)', 'prod-vf-pinned (prod, VF, not migratable)']);
  await change
    .getByLabel('vNIC profile')
    .selectOption({ label: 'prod-vf-pinned (prod, VF, not migratable)' });
  await change.getByRole('button', { name: 'Save' }).click();
  await vnicRow(page, 'nic3').getByRole('link', { name: 'prod-vf-pinned' }).waitFor();

  const remove = await act(page, 'nic3', 'Remove');
  await remove.getByText('nic3 is not in the guest, so no traffic is affected.').waitFor();
  await remove.getByRole('button', { name: 'Remove' }).click();
  await said(page, 'nic3 was removed from web-1.');
  await vnicRow(page, 'nic3').waitFor({ state: 'detached' });
});

test('a VM is started, stopped and removed, each after what it does to the traffic', async () => {
  const page = await openVm('batch-1');
  const dialog = page.getByRole('dialog');
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await dialog.getByText('Its traffic begins when the guest is up.').waitFor();
  await dialog.getByRole('button', { name: 'Start' }).click();
  await said(page, 'batch-1 runs.');
  await page.getByRole('button', { name: 'Stop' }).click();
  await dialog.getByText('All of its traffic ends at once').waitFor();
  await dialog.getByRole('button', { name: 'Stop' }).click();
  await said(page, 'batch-1 was stopped.');
  await page.getByRole('button', { name: 'Remove' }).click();
  await dialog.getByText('its disks stay where they are').waitFor();
  await dialog.getByRole('button', { name: 'Remove' }).click();
  await page.waitForURL('**/vms');
  await page.getByRole('link', { name: 'web-1' }).waitFor();
  expect(await page.getByRole('link', { name: 'batch-1' }).count()).toBe(0);
});

test('a VM that is not there is said to be none', async () => {
  const page = await stage.signedInPage({ path: '/vms/00000000-0000-4000-8000-000000000000' });
  await page.getByRole('alert').getByText('Could not load the VM').waitFor();
});

test('the page keeps nobody out', async () => {
  for (const theme of ['light', 'dark'] as const) {
    const page = await openVm('web-1', { theme });
    await page.getByText('can be moved').waitFor();
    await expectNoViolations(page);
    await screenshot(page, `vm-${theme}-1280`);
    await page.setViewportSize({ width: 400, height: 900 });
    await expectNoViolations(page);
    await expectNoSidewaysScroll(page);
    await screenshot(page, `vm-${theme}-400`);
    await page.getByRole('heading', { name: 'Migrations' }).scrollIntoViewIfNeeded();
    await screenshot(page, `vm-${theme}-400-history`);
  }
});
