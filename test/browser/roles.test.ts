/**
 * What users see who may not do everything: all there is to see, and at whatever they may not do the engine's
 * sentence that says so and which role it needs.
 */
import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import type { Role } from '../../src/model/access.ts';
import { useConsole } from './support/console-stage.ts';
import { expectNoViolations, screenshot } from './support/looks.ts';
import { demoVms } from './support/demo-vms.ts';
import { MOVING_FLEET, migrationsOn } from './support/migrations.ts';

const stage = useConsole(MOVING_FLEET);
const migrations = migrationsOn(stage);
const vms = demoVms(stage);

const PASSWORD = 'simulated-2';
const USERS = { eve: 'ReadOnlyAdmin', kim: 'UserVmManager' } as const satisfies Record<string, Role>;
const MAY_NOT_USE_VMS =
  'eve@internal may not move or change VMs: that needs the role SuperUser or UserVmManager, which any user ' +
  'with the role SuperUser can give';
const mayNotConfigure = (user: keyof typeof USERS): string =>
  `${user}@internal may not change hosts, networks, vNIC profiles or users, define VMs or give up jobs: ` +
  'that needs the role SuperUser, which any user with the role SuperUser can give';

beforeAll(async () => {
  await migrations.introduce();
  for (const [user_name, role] of Object.entries(USERS)) {
    await vms.post('users', { user_name, password: PASSWORD, roles: { role: [{ name: role }] } });
  }
});

/** A page of one of the users, who signed in on it. */
async function pageOf(user: keyof typeof USERS, path: string): Promise<Page> {
  const page = await stage.freshPage({ path });
  await page.getByLabel('User').fill(`${user}@internal`);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: `Signed in as ${user}@internal` }).waitFor();
  return page;
}

/** Presses the button of the dialog that is open, reads the refusal there, and closes it. */
async function expectRefused(page: Page, verb: string, why: string): Promise<void> {
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: verb, exact: true }).click();
  await dialog.getByRole('alert').getByText(why).waitFor();
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await dialog.waitFor({ state: 'detached' });
}
const press = async (page: Page, name: string) =>
  await page.getByRole('button', { name, exact: true }).click();

test('who may only look sees every page', async () => {
  const page = await pageOf('eve', '/');
  const { id } = await vms.vm('web-1');
  const host = await vms.hostId('host-a');
  const paths = ['/', '/vms', `/vms/${id}`, '/jobs', '/hosts', '/networks', '/vnic-profiles', '/events'];
  const tabs = ['vfs', 'vms', 'facts', 'events'].map((tab) => `/hosts/${host}?tab=${tab}`);
  for (const path of [...paths, ...tabs]) {
    await page.goto(path);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.locator('[aria-busy=true]').first().waitFor({ state: 'detached' });
    expect(await page.getByText(/Could not (load|refresh)/).count(), path).toBe(0);
  }
});

test('who may only look is refused whatever they try with a VM, with the reason', async () => {
  const page = await pageOf('eve', `/vms/${(await vms.vm('web-1')).id}`);
  await press(page, 'Migrate...');
  await page.getByRole('dialog').getByRole('radio', { name: 'host-b' }).check();
  await expectRefused(page, 'Start migration', MAY_NOT_USE_VMS);
  for (const verb of ['Shut down', 'Stop']) {
    await press(page, verb);
    await expectRefused(page, verb, MAY_NOT_USE_VMS);
  }
  const act = async (item: string) => {
    await press(page, 'Actions of nic2');
    await page.getByRole('menuitem', { name: item }).click();
  };
  await act('Unplug');
  await expectRefused(page, 'Unplug', MAY_NOT_USE_VMS);
  await act('Change profile');
  await page.getByRole('dialog').getByLabel('vNIC profile').waitFor();
  await expectRefused(page, 'Save', MAY_NOT_USE_VMS);
  await page.goto('/vms');
  await page.getByRole('checkbox', { name: 'Select all VMs of this page' }).check();
  await press(page, 'Migrate...');
  await press(page, 'Start 2 migrations');
  await expect.poll(async () => await page.getByRole('dialog').getByText(MAY_NOT_USE_VMS).count()).toBe(2);
  await expectNoViolations(page);
  await screenshot(page, 'refused-many-1280');
});

test('who may only look is refused whatever they try with hosts and networks, with the reason', async () => {
  const page = await pageOf('eve', `/hosts/${await vms.hostId('host-a')}`);
  const why = mayNotConfigure('eve');
  await press(page, 'Refresh');
  await page.getByRole('alert').getByText(why).waitFor();
  await press(page, 'Maintenance');
  await expectRefused(page, 'Switch to maintenance', why);
  await press(page, 'Edit');
  await expectRefused(page, 'Save', why);
  await press(page, 'Number of VFs of ens1f0');
  await page.getByRole('dialog').getByLabel('Number of VFs').fill('3');
  await expectRefused(page, 'Change', why);
  await press(page, 'Networks of ens1f0');
  await page.getByRole('dialog').getByRole('radio', { name: 'Only these' }).check();
  await expectRefused(page, 'Save', why);
  await page.goto('/vnic-profiles');
  await press(page, 'Actions of prod-vf');
  await page.getByRole('menuitem', { name: 'Edit' }).click();
  await expectRefused(page, 'Save', why);
  await page.goto('/networks');
  await press(page, 'Add network');
  await page.getByRole('dialog').getByLabel('Name').fill('lab');
  await expectRefused(page, 'Add', why);
});

test('who may use VMs moves one and cancels it, but changes no host', async () => {
  const page = await pageOf('kim', `/hosts/${await vms.hostId('host-a')}`);
  await press(page, 'Maintenance');
  await expectRefused(page, 'Switch to maintenance', mayNotConfigure('kim'));
  await page.goto(`/vms/${(await vms.vm('web-2')).id}`);
  await press(page, 'Migrate...');
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('radio', { name: 'host-b' }).check();
  await press(page, 'More');
  await dialog.getByLabel('Bandwidth, in MiB/s').fill('15');
  await press(page, 'Start migration');
  await page.waitForURL('**/jobs/*');
  await press(page, 'Cancel migration');
  await dialog.getByRole('button', { name: 'Cancel migration' }).click();
  await page.locator('.page-head').getByText('Cancelled', { exact: true }).waitFor();
});
