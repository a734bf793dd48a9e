/** The list of VMs: what it says of each, search and filter, and several moved at once. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { useConsole } from './support/console-stage.ts';
import { demoVms } from './support/demo-vms.ts';
import { expectNoSidewaysScroll, expectNoViolations, screenshot } from './support/looks.ts';

const stage = useConsole();
const demo = demoVms(stage);

const row = (page: Page, name: string) =>
  page.getByRole('row').filter({ has: page.getByRole('link', { name, exact: true }) });
/** Once it is known of all whether they can move. */
async function openList(path = '/vms', options: { theme?: 'light' | 'dark'; width?: number } = {}) {
  const page = await stage.signedInPage({ path, ...options });
  await page
    .getByText(/No:|Yes, to/)
    .first()
    .waitFor();
  return page;
}

test('every VM is listed with its state, its host and each of its vNICs in words', async () => {
  const page = await openList();
  const web = row(page, 'web-1');
  await web.getByText('Up', { exact: true }).waitFor();
  const vnics = web.getByRole('list', { name: 'vNICs of web-1' }).getByRole('listitem');
  const texts = (await vnics.allTextContents()).join(' ');
  expect(texts).toContain('nic1: standby, plugged');
  expect(texts).toContain('nic2: VF 0000:3b:0a.0, plugged');
  await row(page, 'batch-1').getByText('nic1: ordinary, unplugged').waitFor({ state: 'attached' });
  await web.getByRole('link', { name: 'host-a' }).click();
  await page.waitForURL(`**/hosts/${await demo.hostId('host-a')}`);
});

test('each says whether it can move, and why it can not, without anything being opened', async () => {
  const page = await openList();
  await row(page, 'web-1')
    .getByText(/Yes, to host-[bc]/)
    .waitFor();
  await row(page, 'db-1').getByText("'non migratable' 'passthrough'").waitFor();
  await row(page, 'batch-1').getByText('No: batch-1 is not running; start it first').waitFor();
});

test('the list does not wait for whether its VMs can move', async () => {
  const page = await stage.signedInPage({ path: '/networks' });
  let letPass: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    letPass = resolve;
  });
  await page.route('**/api/movability*', async (route) => {
    await held;
    await route.continue();
  });
  await page.getByRole('link', { name: 'VMs', exact: true }).click();
  await row(page, 'web-1').getByRole('link', { name: 'host-a' }).waitFor();
  const before = await row(page, 'web-1').boundingBox();
  expect(await page.getByText(/Yes, to/).count()).toBe(0);
  letPass();
  await row(page, 'web-1')
    .getByText(/Yes, to/)
    .waitFor();
  expect(await row(page, 'web-1').boundingBox(), 'nothing jumps').toEqual(before);
});

test('search and host are in the address, and the engine is asked when the typing pauses', async () => {
  const page = await openList();
  const asked: string[] = [];
  page.on('request', (request) => {
    const { pathname, searchParams } = new URL(request.url());
    if (pathname === '/api/vms') asked.push(searchParams.get('name') ?? '');
  });
  await page.getByRole('textbox', { name: 'Name' }).pressSequentially('WEB', { delay: 30 });
  await row(page, 'db-1').waitFor({ state: 'detached' });
  await row(page, 'web-1').waitFor();
  expect(asked.filter((name) => name !== '' && name !== 'WEB')).toEqual([]);
  expect(new URL(page.url()).searchParams.get('name')).toBe('WEB');
  await page.getByRole('combobox', { name: 'Host' }).selectOption('host-c');
  await page.getByRole('heading', { name: 'No VM is like that' }).waitFor();
  await page.reload();
  await page.getByRole('heading', { name: 'No VM is like that' }).waitFor();
  await page.getByRole('link', { name: 'Show all VMs' }).click();
  await row(page, 'db-1').waitFor();
  expect(await page.getByRole('textbox', { name: 'Name' }).inputValue()).toBe('');
});

test('a VM that is moved links to its job, with the state of it', async () => {
  const { id } = await demo.vm('plain-1');
  const page = await openList();
  const slow = { bandwidth_mib_per_second: '150' };
  const { job } = await demo.post<{ job: { id: string } }>(`vms/${id}/migrate`, slow);
  await row(page, 'plain-1')
    .getByRole('link', { name: /(Queued|Running).*migration of plain-1/ })
    .click();
  await page.waitForURL(`**/jobs/${job.id}`);
  await demo.succeeded(job.id);
});

test('several are moved at once: those that can, each with its job; of the others it says why', async () => {
  const page = await openList();
  const migrate = page.getByRole('button', { name: 'Migrate...' });
  expect(await migrate.isDisabled()).toBe(true);
  for (const name of ['web-1', 'db-1', 'plain-1']) {
    await page.getByRole('checkbox', { name: `Select ${name}`, exact: true }).check();
  }
  await page.getByText('3 selected').waitFor();
  await migrate.click();
  const dialog = page.getByRole('dialog', { name: 'Migrate 3 VMs' });
  const ofDb = dialog.getByRole('row', { name: /^db-1/ });
  await ofDb.getByText("'non migratable' 'passthrough'").waitFor();
  await expectNoViolations(page);
  await dialog.getByRole('button', { name: 'Start 2 migrations' }).click();
  await page.getByText('2 of 2 migrations were started.').first().waitFor();
  expect(await ofDb.getByRole('link').count()).toBe(0);
  await dialog.getByRole('link', { name: 'job of plain-1' }).waitFor();
  await screenshot(page, 'migrate-many-started');
  await dialog.getByRole('link', { name: 'job of web-1' }).click();
  await page.waitForURL('**/jobs/*');
  for (const name of ['web-1', 'plain-1']) {
    const [job] = (
      await stage.engine.ask<{ id: string }[]>('GET', `/api/jobs?vm=${(await demo.vm(name)).id}`)
    ).body;
    expect((await demo.succeeded(job?.id ?? '')).vm).toBe(name);
  }
});

test('the list and the dialog for several keep nobody out', async () => {
  const [web, db] = [await demo.vm('web-1'), await demo.vm('db-1')];
  for (const theme of ['light', 'dark'] as const) {
    const page = await openList('/vms', { theme });
    await expectNoViolations(page);
    await screenshot(page, `vms-${theme}-1280`);
    await page.setViewportSize({ width: 400, height: 800 });
    await expectNoSidewaysScroll(page);
    await expectNoViolations(page);
    await screenshot(page, `vms-${theme}-400`);
    const many = await openList(`/vms?migrate=${web.id},${db.id}`, { theme, width: 400 });
    await many.getByRole('button', { name: 'Start 1 migration' }).waitFor();
    await expectNoViolations(many);
    await screenshot(many, `migrate-many-${theme}-400`);
  }
});
