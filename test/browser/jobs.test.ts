/** Migrations as they are followed in the console: to the end, taken back, failing, stopped, cut off. */
import type { Locator, Page } from 'playwright-core';
import { afterEach, beforeAll, expect, test } from 'vitest';
import type { HostSummaryView } from '../../src/api/types/fleet-view.ts';
import type { JobView } from '../../src/api/types/job-view.ts';
import { eventually } from '../support/eventually.ts';
import { useConsole } from './support/console-stage.ts';
import { expectNoSidewaysScroll, expectNoViolations, screenshot } from './support/looks.ts';
import { MOVING_FLEET, migrationsOn } from './support/migrations.ts';

const stage = useConsole(MOVING_FLEET);
const migrations = migrationsOn(stage);

beforeAll(async () => await migrations.introduce());
afterEach(async () => {
  await stage.hosts.control({ do: 'clearFaults' });
  await guestAnswers(PROMPT);
  await migrations.endAll();
  await migrations.whole();
  await eventually('the hosts to be up', async () => {
    const { body } = await stage.engine.ask<readonly HostSummaryView[]>('GET', '/api/hosts');
    return body.every(({ status }) => status === 'up');
  });
});

/** A step by its title, or the part of a vNIC below it. */
const row = (page: Page, title: string): Locator =>
  page
    .getByRole('list', { name: 'Steps' })
    .locator('.timeline-row')
    .filter({ has: page.getByText(title, { exact: true }) });
const picture = (page: Page): Locator => page.getByRole('list', { name: 'Where the guest and its VFs are' });
const state = (page: Page, word: string): Locator =>
  page.locator('.page-head').getByText(word, { exact: true });
const figure = (page: Page, term: string): Locator =>
  page.getByRole('term').filter({ hasText: term }).locator('xpath=following-sibling::dd[1]');
const isSending = (job: JobView): boolean => job.step === 'transfer' && job.samples.length > 0;

async function openJob(id: string): Promise<Page> {
  const page = await stage.signedInPage({ path: `/jobs/${id}` });
  await page.getByRole('list', { name: 'Steps' }).waitFor();
  return page;
}

/**
 * The page of a job of web-2 that stopped, because `source` refuses for as long as it has the fault `rule`;
 * its guest hangs until it is told to answer.
 */
async function openStopped() {
  await guestAnswers({ type: 'never' });
  const id = await migrations.begin('web-2');
  const page = await openJob(id);
  const { source } = await migrations.when(id, (job) => job.steps.some((step) => step.vnic !== null));
  const effect = { type: 'refuse', libvirtCode: 1, message: 'the disk of the host is full' };
  const fault = { host: source, procedure: 'domainGetXmlDesc', effect };
  const rule = await stage.hosts.control({ do: 'addFault', rule: fault });
  await state(page, 'Needs you').waitFor();
  return { page, id, source, rule };
}

/** How many readings of the transfer the page has. */
async function readingCount(page: Page): Promise<number> {
  await page.getByRole('button', { name: 'The same as a table' }).click();
  const rows = page.getByRole('table', { name: 'Readings of the transfer' }).locator('tbody tr');
  await rows.first().waitFor();
  return await rows.count();
}

/** All that was read out to who listens, from now on. */
async function listen(page: Page): Promise<() => Promise<readonly string[]>> {
  await page.evaluate(`{
    window.said = [];
    const region = document.querySelector('.pf-v6-screen-reader[role=status]');
    new MutationObserver(() => window.said.push(region.textContent)).observe(region, {
      childList: true, characterData: true, subtree: true,
    });
  }`);
  return async () => await page.evaluate<readonly string[]>('window.said');
}

test('an installation in which nothing was migrated says how to begin', async () => {
  const page = await stage.signedInPage({ path: '/jobs' });
  await page.getByRole('heading', { name: 'Nothing was migrated yet' }).waitFor();
  await page.getByRole('link', { name: 'Go to the VMs' }).click();
  await page.waitForURL('**/vms');
});

test('a migration is followed to its end', async () => {
  const id = await migrations.begin('web-1');
  const page = await openJob(id);
  const said = await listen(page);
  await row(page, 'Transfer').getByText('Running').waitFor();
  const whilePending = await page.getByRole('heading', { name: 'Transfer of the memory' }).boundingBox();
  await picture(page).getByText('web-1 runs on host-a.').waitFor();
  await picture(page).getByText('nic2: On standby; VF 0000:3b:02.0 on host-a is reserved').waitFor();
  await page.getByText(/Transfer \(7 of 10\), [1-9]\d? % of the memory sent/).waitFor();
  await page.getByRole('img', { name: /^Throughput \(MiB\/s\): from \d+ MiB\/s/ }).waitFor();
  const whileSending = await page.getByRole('heading', { name: 'Transfer of the memory' }).boundingBox();
  expect(whileSending?.y, 'nothing moves while facts arrive').toBe(whilePending?.y);
  await picture(page).getByText('web-1 runs on host-b.').waitFor();
  const cancel = page.getByRole('button', { name: 'Cancel migration' });
  expect(await cancel.getAttribute('aria-disabled')).toBe('true');
  await page.getByText('Too late to cancel: web-1 runs on host-b.').waitFor();
  await state(page, 'Succeeded').waitFor();
  await picture(page).getByText('web-1 ran on host-b when the job ended.').waitFor();
  await picture(page)
    .getByText(/nic2: In VF on host-b; .* is released, VF .* is in use/)
    .waitFor();
  const job = await migrations.ended(id);
  expect(await figure(page, 'Downtime').textContent()).toBe(`${job.downtimeMs} ms`);
  expect(await figure(page, 'Longest network gap').textContent()).toMatch(/^\d/);
  expect(await page.getByRole('list', { name: 'Steps' }).getByText('Pending').count()).toBe(0);
  expect(await readingCount(page)).toBe(job.samples.length);
  const spoken = await said();
  expect(spoken).toContain('The migration of web-1 from host-a to host-b succeeded.');
  expect(spoken.join(' ')).toContain('web-1 runs on host-b.');
  expect(spoken.length, spoken.join('\n')).toBeLessThan(12);
});

test('until the pivot it can be cancelled, and the VM stays with its VFs', async () => {
  const id = await migrations.beginSlowly('web-2');
  const page = await openJob(id);
  const { source } = await migrations.when(id, isSending);
  await page.getByRole('button', { name: 'Cancel migration' }).click();
  const dialog = page.getByRole('dialog', { name: 'Cancel the migration of web-2?' });
  await dialog.getByText(`web-2 stays on ${source} and keeps running there.`).waitFor();
  await dialog.getByText('Its VFs are plugged back there (nic2).').waitFor();
  expect(page.url()).toContain('dialog=cancel');
  await page.goBack();
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Cancel migration' }).click();
  await expectNoViolations(page);
  await screenshot(page, 'job-cancel-dialog-1280');
  await dialog.getByRole('button', { name: 'Cancel migration' }).click();
  await state(page, 'Cancelled').waitFor();
  await page.getByText(`The VM stayed on ${source}.`, { exact: true }).waitFor();
  await row(page, 'Unplug').getByText('Taken back').waitFor();
  await row(page, 'Plug').getByText('Not reached').waitFor();
  await picture(page).getByText(`nic2: In VF on ${source}; VF 0000:3b:02.2 on ${source} is in use`).waitFor();
  expect(await page.getByRole('button', { name: 'Cancel migration' }).count()).toBe(0);
});

test('one that fails says why, where the VM is and what to do', async () => {
  await guestAnswers({ type: 'refuse', afterMs: 200 });
  const id = await migrations.begin('web-2');
  const page = await openJob(id);
  await state(page, 'Failed').waitFor();
  const { error, source } = await migrations.ended(id);
  await page.getByText(`${error?.message} (UNPLUG_TIMED_OUT)`).waitFor();
  await page.getByText(`web-2 stays on ${source}; what was done has been taken back.`).waitFor();
  await page.getByText('See that the kernel of the guest handles PCI hot-unplug').waitFor();
  await row(page, 'Unplug').getByText('Taken back').waitFor();
  await expectNoViolations(page);
  await screenshot(page, 'job-failed-1280');
});

test('one that stopped is retried once its cause is gone', async () => {
  const { page, source, rule } = await openStopped();
  await page.getByRole('heading', { name: 'The job stopped and needs you' }).waitFor();
  await page.getByText('Look where web-2 is, on both hosts; it must run on one only.').waitFor();
  await expectNoViolations(page);
  await screenshot(page, 'job-stopped-1280');
  await page.goto('/');
  await page.getByRole('link', { name: 'Migration of web-2' }).click();
  await stage.hosts.control({ do: 'removeFault', rule });
  await page.getByRole('button', { name: 'Retry' }).click();
  const dialog = page.getByRole('dialog', { name: 'Retry the migration of web-2?' });
  await dialog.getByText(`It goes on taking back: web-2 stays on ${source}`).waitFor();
  await dialog.getByRole('button', { name: 'Retry' }).click();
  await state(page, 'Failed').waitFor();
  await picture(page).getByText('nic2: In VF, may still leave').waitFor();
});

test('one that stopped is given up, says what it left, and the VM can be moved again', async () => {
  const { page, id, source, rule } = await openStopped();
  await page.getByRole('button', { name: 'Abandon' }).click();
  const dialog = page.getByRole('dialog', { name: 'Abandon the migration of web-2?' });
  await dialog.getByText('Nothing on the hosts is touched').waitFor();
  await dialog.getByRole('button', { name: 'Leave as it is' }).click();
  await dialog.waitFor({ state: 'detached' });
  await state(page, 'Needs you').waitFor();
  await page.getByRole('button', { name: 'Abandon' }).click();
  await dialog.getByText('See first that web-2 runs on one host only.').waitFor();
  await expectNoViolations(page);
  await screenshot(page, 'job-abandon-dialog-1280');
  await dialog.getByRole('button', { name: 'Abandon' }).click();
  await dialog.waitFor({ state: 'detached' });
  await state(page, 'Failed').waitFor();
  await page.getByText(`Job ${id} was given up in step unplug`).waitFor();
  await page.getByText('Not all that was done was taken back; what is left is named below.').waitFor();
  expect(await page.getByText('It waits under an alert').count()).toBe(0);
  await screenshot(page, 'job-abandoned-1280');
  for (const name of ['Retry', 'Abandon']) {
    expect(await page.getByRole('button', { name }).count(), name).toBe(0);
  }
  await stage.hosts.control({ do: 'removeFault', rule });
  await guestAnswers(PROMPT);
  await migrations.whole();
  await page.goto('/');
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
  await page.getByRole('link', { name: 'Migration of web-2' }).waitFor({ state: 'detached' });
  const next = await eventually('the VM to be free for a move', async () => {
    return await migrations.begin('web-2').catch(() => null);
  });
  expect(await migrations.ended(next)).toMatchObject({ state: 'succeeded', source });
});

test('a reload in the middle changes nothing', async () => {
  const id = await migrations.beginSlowly('web-1');
  const page = await openJob(id);
  const { samples } = await migrations.when(id, isSending);
  await page.reload();
  await row(page, 'Unplug').getByText('Done').waitFor();
  await row(page, 'Transfer').getByText('Running').waitFor();
  expect(await readingCount(page)).toBeGreaterThanOrEqual(samples.length);
});

test('while the engine is away nothing is made up, and what was missed is there afterwards', async () => {
  const id = await migrations.begin('web-1');
  const page = await openJob(id);
  await migrations.when(id, isSending);
  await row(page, 'Transfer').getByText('Running').waitFor();
  await page.context().setOffline(true);
  await page.getByText('Connection to the engine lost, reconnecting').waitFor();
  await migrations.ended(id);
  await page.getByText('Could not refresh the job; this is how it was.').waitFor();
  await row(page, 'Transfer').getByText('Running').waitFor();
  const frozen = await figure(page, 'Duration').textContent();
  for (let looks = 0; looks < 3; looks += 1) await page.waitForEvent('requestfailed');
  expect(await figure(page, 'Duration').textContent()).toBe(frozen);
  await page.context().setOffline(false);
  await state(page, 'Succeeded').waitFor();
  await page.getByText('Connection to the engine lost').waitFor({ state: 'detached' });
  const job = await migrations.ended(id);
  expect(await readingCount(page)).toBe(job.samples.length);
});

test('two browsers see the same, and the list has it first', async () => {
  const id = await migrations.beginSlowly('web-1');
  const [one, other] = [await openJob(id), await openJob(id)];
  const list = await stage.signedInPage({ path: '/jobs' });
  const first = list.getByRole('row').nth(1);
  await first.getByText(/Transfer \(7 of 10\)/).waitFor();
  await list.getByRole('button', { name: 'Live' }).click();
  await list.waitForURL('**/jobs?show=live');
  await list.reload();
  await first.getByText('Running').waitFor();
  expect(await list.getByRole('row').count()).toBe(2);
  await migrations.endAll();
  await migrations.whole();
  for (const page of [one, other]) await state(page, 'Cancelled').waitFor();
  for (const part of [picture, (page: Page) => page.getByRole('list', { name: 'Steps' })]) {
    expect(await part(one).innerText()).toBe(await part(other).innerText());
  }
  await list.getByRole('heading', { name: 'Nothing is being migrated' }).waitFor();
  await list.getByRole('button', { name: 'All' }).click();
  await first.getByText(/^The VM stayed on host-[ab]\.$/).waitFor();
  await first.getByRole('link', { name: /Cancelled\s+migration of web-1/ }).click();
  await list.waitForURL(`**/jobs/${id}`);
});

test('the pages keep nobody out, light and dark, wide and narrow', async () => {
  const id = await migrations.beginSlowly('web-1');
  for (const theme of ['light', 'dark'] as const) await looksOf(`/jobs/${id}`, theme, 'job-running', 'Steps');
  await migrations.endAll();
  await migrations.whole();
  const done = await migrations.begin('web-1');
  await migrations.ended(done);
  for (const theme of ['light', 'dark'] as const) {
    await looksOf(`/jobs/${done}`, theme, 'job', 'Steps');
    await looksOf('/jobs', theme, 'jobs', 'Jobs');
  }
});

async function looksOf(path: string, theme: 'light' | 'dark', name: string, label: string): Promise<void> {
  const page = await stage.signedInPage({ path, theme });
  await page.getByLabel(label, { exact: true }).first().waitFor();
  await page.setViewportSize({ width: 1280, height: 1900 });
  await screenshot(page, `${name}-${theme}-1280`);
  await expectNoViolations(page);
  await page.setViewportSize({ width: 400, height: 3200 });
  await screenshot(page, `${name}-${theme}-400`);
  await expectNoSidewaysScroll(page);
  await expectNoViolations(page);
}

const PROMPT = { type: 'answer', minMs: 200, maxMs: 700 };

/** How the guest of web-2 answers from now on when it is asked for its VFs. */
async function guestAnswers(unplug: object): Promise<void> {
  await stage.hosts.control({ do: 'act', act: { do: 'setGuest', domain: 'web-2', unplug } });
}
