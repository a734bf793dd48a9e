/** Signing in and out, and a session that ends while somebody works. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { useConsole } from './support/console-stage.ts';
import { eventually } from '../support/eventually.ts';

const stage = useConsole();

async function signIn(page: Page, password: string): Promise<void> {
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

const heading = async (page: Page, name: string) =>
  await page.getByRole('heading', { level: 1, name, exact: true }).waitFor();

/** As when it ran out, or its user signed out elsewhere. */
async function endSession(page: Page): Promise<void> {
  const { token } = await page.evaluate<{ token: string }>('JSON.parse(localStorage["handover.session"])');
  await fetch(`${stage.engine.url}/ovirt-engine/services/sso-logout`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ scope: 'ovirt-app-api', token }).toString(),
  });
}

test('a wrong password is refused, and the right one leads to the page that was asked for', async () => {
  const page = await stage.freshPage({ path: '/events?severity=error' });
  await heading(page, 'Sign in to Handover');
  expect(await page.getByLabel('User').inputValue()).toBe('admin@internal');
  await signIn(page, 'wrong');
  await page.getByRole('alert').getByText('Cannot authenticate user').waitFor();
  await signIn(page, stage.engine.password);
  await heading(page, 'Events');
  expect(page.url()).toBe(`${stage.engine.url}/events?severity=error`);
  expect(await page.getByLabel('Severity').inputValue()).toBe('error');
});

test('a new tab is signed in, and signing out in one signs out in all', async () => {
  const first = await stage.signedInPage({ path: '/networks' });
  await heading(first, 'Networks');
  const second = await first.context().newPage();
  await second.goto('/hosts');
  await heading(second, 'Hosts');
  await first.getByRole('button', { name: 'Signed in as admin@internal' }).click();
  await first.getByRole('menuitem', { name: 'Sign out' }).click();
  await heading(first, 'Sign in to Handover');
  await heading(second, 'Sign in to Handover');
});

test('a session that ends keeps what was typed, and signing in again goes on from there', async () => {
  const page = await stage.signedInPage({ path: '/networks' });
  await page.getByRole('button', { name: 'Add network' }).click();
  const form = page.getByRole('dialog', { name: 'Add a network' });
  await form.getByLabel('Name').fill('kept');
  await form.getByLabel('Description').fill('typed before the session ended');
  await endSession(page);
  await form.getByRole('button', { name: 'Add' }).click();
  const dialog = page.getByRole('dialog', { name: 'Your session has ended' });
  await dialog.getByLabel('Password').fill(stage.engine.password);
  await dialog.getByRole('button', { name: 'Sign in' }).click();
  await dialog.waitFor({ state: 'detached' });
  expect(await form.getByLabel('Description').inputValue()).toBe('typed before the session ended');
  await form.getByRole('button', { name: 'Add' }).click();
  await form.waitFor({ state: 'detached' });
  await page.getByRole('cell', { name: 'kept', exact: true }).waitFor();
});

test('a reload with a session that has ended asks for the password over the page', async () => {
  const page = await stage.signedInPage({ path: '/networks' });
  await heading(page, 'Networks');
  await endSession(page);
  await page.reload();
  const dialog = page.getByRole('dialog', { name: 'Your session has ended' });
  await dialog.getByLabel('Password').fill(stage.engine.password);
  await dialog.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('row').nth(1).waitFor();
  const rows = await eventually('networks', async () => await page.getByRole('row').count());
  expect(rows).toBeGreaterThan(1);
});
