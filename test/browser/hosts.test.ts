/** Hosts from the console: the list, and what can be done with one. */
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { useConsole } from './support/console-stage.ts';
import { expectNoSidewaysScroll, expectNoViolations, screenshot } from './support/looks.ts';

const stage = useConsole();

interface OvirtHost {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly libvirt_uri: string;
  readonly incoming_migrations_max: string;
  readonly migration_address?: string;
}

async function hostNamed(name: string): Promise<OvirtHost> {
  const { body } = await stage.engine.ask<{ host: OvirtHost[] }>('GET', 'hosts');
  const found = body.host.find((host) => host.name === name);
  if (found === undefined) throw new Error(`there is no host ${name}`);
  return found;
}

const pathOf = async (name: string): Promise<string> => `/hosts/${(await hostNamed(name)).id}`;
const row = (page: Page, name: string) => page.getByRole('row', { name: new RegExp(name) });
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

describe('the list', () => {
  test('says of every host how it is, what runs there and what is free', async () => {
    const page = await stage.signedInPage({ path: '/hosts' });
    const first = row(page, 'host-a');
    for (const text of ['Up', '14 of 16 free', 'GiB of 128 GiB free']) await first.getByText(text).waitFor();
    expect(await first.getByRole('cell').nth(2).textContent()).toBe('2');
    expect(await row(page, 'host-c').getByRole('cell').nth(2).textContent()).toBe('1 (1 down)');
    await first.getByRole('link', { name: 'host-a' }).click();
    await page.getByRole('heading', { level: 1, name: 'host-a' }).waitFor();
  });

  test('shows a host that was removed and added again, each after the server took it', async () => {
    const { libvirt_uri: uri } = await hostNamed('host-c');
    const page = await stage.signedInPage({ path: '/hosts' });
    await row(page, 'host-c').getByRole('button', { name: 'Actions of host-c' }).click();
    await page.getByRole('menuitem', { name: 'Remove' }).click();
    const remove = page.getByRole('dialog', { name: 'Remove the host host-c?' });
    await remove.getByText('The VM on it stays as it is').waitFor();
    await expectNoViolations(page);
    await remove.getByRole('button', { name: 'Remove' }).click();
    await row(page, 'host-c').waitFor({ state: 'detached' });

    await button(page, 'Add host').click();
    const add = page.getByRole('dialog', { name: 'Add a host' });
    await add.getByLabel('Name').fill('no host');
    await add.getByLabel('Address or libvirt URI').fill(uri);
    await add.getByRole('button', { name: 'Add' }).click();
    await add.getByText('is no host name').waitFor();
    expect(await add.getByLabel('Name').getAttribute('aria-invalid')).toBe('true');
    await add.getByLabel('Name').fill('host-c');
    await add.getByLabel('Address or libvirt URI').fill('qemu+unix:///system?socket=/nowhere.sock');
    await add.getByRole('button', { name: 'Add' }).click();
    const place = add.getByLabel('Address or libvirt URI');
    await eventually('the refusal', async () => (await place.getAttribute('aria-invalid')) === 'true');
    await expectNoViolations(page);
    await place.fill(uri);
    await add.getByRole('button', { name: 'Add' }).click();
    await row(page, 'host-c').getByText('16 of 16 free').waitFor();
    await page.getByRole('status').getByText('The host host-c was added.').waitFor();
  });

  test('has the dialog to add one in the address, and the back button closes it', async () => {
    const page = await stage.signedInPage({ path: '/hosts' });
    await button(page, 'Add host').click();
    const add = page.getByRole('dialog', { name: 'Add a host' });
    await add.waitFor();
    expect(page.url()).toContain('dialog=add');
    await page.goBack();
    await add.waitFor({ state: 'detached' });
    await page.getByRole('heading', { level: 1, name: 'Hosts' }).waitFor();
  });
});

describe('a host', () => {
  test('is switched to maintenance after its VMs were named, and back', async () => {
    const page = await stage.signedInPage({ path: await pathOf('host-a') });
    await button(page, 'Maintenance').click();
    const dialog = page.getByRole('dialog', { name: 'Switch host-a to maintenance?' });
    await dialog.getByText('They are not moved by themselves').waitFor();
    expect(await dialog.getByRole('listitem').allTextContents()).toEqual(['db-1', 'web-1']);
    expect(await dialog.getByRole('link', { name: 'web-1' }).getAttribute('href')).toMatch(/^\/vms\//);
    await expectNoViolations(page);
    await screenshot(page, 'host-maintenance-dialog-light-1280');
    await dialog.getByRole('button', { name: 'Switch to maintenance' }).click();
    await page.getByText('No VM is placed on host-a any more, but 2 still run there.').waitFor();
    const toThem = page.getByRole('link', { name: 'migrate them' });
    expect(await toThem.getAttribute('href')).toBe(`/vms?host=${(await hostNamed('host-a')).id}`);
    await page.getByRole('status').getByText('host-a: Preparing for maintenance.').waitFor();
    expect((await hostNamed('host-a')).status).toBe('preparing_for_maintenance');
    await button(page, 'Activate').click();
    await button(page, 'Maintenance').waitFor();
    await page.getByRole('status').getByText('host-a: Up.').waitFor();
    expect((await hostNamed('host-a')).status).toBe('up');
  });

  test('without VMs that run is in maintenance at once', async () => {
    const page = await stage.signedInPage({ path: await pathOf('host-c') });
    await button(page, 'Maintenance').click();
    const dialog = page.getByRole('dialog', { name: 'Switch host-c to maintenance?' });
    await dialog.getByText('No VM runs there, so it is in maintenance at once.').waitFor();
    await dialog.getByRole('button', { name: 'Switch to maintenance' }).click();
    await page.getByText('host-c is in maintenance: no VM is placed on it.').waitFor();
    await button(page, 'Activate').click();
    await button(page, 'Maintenance').waitFor();
  });

  test('is edited, and what the server refuses is said at its field', async () => {
    const page = await stage.signedInPage({ path: `${await pathOf('host-b')}?tab=facts` });
    await button(page, 'Edit').click();
    const edit = page.getByRole('dialog', { name: 'Edit the host host-b' });
    const incoming = edit.getByLabel('Incoming migrations, at most');
    await incoming.fill('0');
    await edit.getByRole('button', { name: 'Save' }).click();
    await edit.getByText('it must be a whole number from 1 to 100').waitFor();
    expect(await incoming.getAttribute('aria-invalid')).toBe('true');
    await edit.getByLabel('Peer URI').fill('nonsense');
    await incoming.fill('3');
    await edit.getByRole('button', { name: 'Save' }).click();
    await edit.getByText('is no URI that another host').waitFor();
    expect(await edit.getByLabel('Peer URI').getAttribute('aria-invalid')).toBe('true');
    await edit.getByLabel('Peer URI').fill('qemu+ssh://root@host-b/system');
    await edit.getByLabel('Migration address').fill('10.77.1.12');
    await expectNoViolations(page);
    await edit.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('tabpanel').getByText('10.77.1.12').waitFor();
    expect(await hostNamed('host-b')).toMatchObject({
      incoming_migrations_max: '3',
      migration_address: '10.77.1.12',
    });
  });

  test('tells its facts, and tests the ways to the others again', async () => {
    const { id } = await hostNamed('host-b');
    const page = await stage.signedInPage({ path: `/hosts/${id}` });
    await page.getByRole('tab', { name: 'Facts' }).click();
    expect(page.url()).toContain('tab=facts');
    const facts = page.getByRole('tabpanel');
    for (const text of ['Cascadelake-Server, Intel', '11.3.0', '128 GiB'])
      await facts.getByText(text).first().waitFor();
    await facts.getByRole('row', { name: /ovirtmgmt.*eno1/ }).waitFor();
    await button(page, 'Test again').click();
    await page.getByRole('status').getByText('were tested').waitFor();
    await facts.getByRole('row', { name: /host-a Reached/ }).waitFor();
    await page.reload();
    await facts.getByRole('row', { name: /host-a Reached/ }).waitFor();
  });

  test('lists its VMs, whose VFs lead to their place in the map', async () => {
    const page = await stage.signedInPage({ path: `${await pathOf('host-a')}?tab=vms` });
    const vm = row(page, 'web-1');
    await vm.getByText('4 GiB').waitFor();
    await vm.getByRole('link', { name: '0000:3b:0a.0' }).click();
    await page.getByRole('option', { name: /attached to web-1/, selected: true }).waitFor();
    await page.getByRole('group', { name: 'VF 0 of ens1f1' }).waitFor();
  });

  test('shows what happens on it as it happens', async () => {
    const { id } = await hostNamed('host-c');
    const page = await stage.signedInPage({ path: `/hosts/${id}?tab=events` });
    await page.getByRole('tabpanel').waitFor();
    await stage.engine.ask('POST', `hosts/${id}/deactivate`, {});
    await page
      .getByRole('row', { name: /switched host host-c to maintenance/ })
      .first()
      .waitFor();
    await stage.engine.ask('POST', `hosts/${id}/activate`, {});
    await page
      .getByRole('row', { name: /ended the maintenance of host host-c/ })
      .first()
      .waitFor();
  });

  test('that is not there is said, and the way back to the list is at hand', async () => {
    const page = await stage.signedInPage({ path: '/hosts/00000000-0000-4000-8000-000000000000' });
    await page.getByRole('heading', { name: 'Could not load the host' }).waitFor();
    await page.getByLabel('Breadcrumb').getByRole('link', { name: 'Hosts' }).click();
    await row(page, 'host-a').waitFor();
  });
});

describe('the pages of hosts', () => {
  const PLACES = [
    ['hosts', async () => '/hosts', 'row', /host-a/],
    ['host-vfs', async () => await pathOf('host-a'), 'option', /VF 0.*attached to web-1/],
    ['host-vms', async () => `${await pathOf('host-a')}?tab=vms`, 'row', /web-1/],
    ['host-facts', async () => `${await pathOf('host-a')}?tab=facts`, 'row', /ovirtmgmt/],
    ['host-events', async () => `${await pathOf('host-c')}?tab=events`, 'row', /host-c/],
  ] as const;

  test.each(PLACES)(
    'keep nobody out, light and dark, wide and narrow: %s',
    async (name, path, role, what) => {
      for (const theme of ['light', 'dark'] as const) {
        const page = await stage.signedInPage({ path: await path(), theme });
        await page.getByRole(role, { name: what }).first().waitFor();
        await expectNoViolations(page);
        await screenshot(page, `${name}-${theme}-1280`);
        await page.setViewportSize({ width: 400, height: 900 });
        await page.getByRole('link', { name: 'Networks', exact: true }).waitFor({ state: 'hidden' });
        await expectNoSidewaysScroll(page);
        await expectNoViolations(page);
        await screenshot(page, `${name}-${theme}-400`);
      }
    },
  );
});
