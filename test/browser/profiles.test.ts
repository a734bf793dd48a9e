/** The vNIC profile dialog: each of its rules as somebody sees it, and what the engine keeps of it. */
import type { Locator, Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { useConsole } from './support/console-stage.ts';
import { expectNoSidewaysScroll, expectNoViolations, screenshot } from './support/looks.ts';

const stage = useConsole();

interface Profile {
  readonly id: string;
  readonly name: string;
  readonly migratable?: string;
  readonly pass_through: { readonly mode: string };
  readonly failover?: { readonly id: string };
  readonly port_mirroring: string;
}

const profileNamed = async (name: string): Promise<Profile | undefined> => {
  const { body } = await stage.engine.ask<{ vnic_profile: Profile[] }>('GET', 'vnicprofiles');
  return body.vnic_profile.find((profile) => profile.name === name);
};

async function newDialog(page: Page): Promise<Locator> {
  await page.getByRole('button', { name: 'New profile' }).click();
  const dialog = page.getByRole('dialog', { name: 'New vNIC profile' });
  await dialog.getByRole('combobox', { name: 'Network', exact: true }).selectOption({ label: 'prod' });
  return dialog;
}

async function editDialog(page: Page, name: string): Promise<Locator> {
  await page.getByRole('button', { name: `Actions of ${name}`, exact: true }).click();
  await page.getByRole('menuitem', { name: 'Edit' }).click();
  return page.getByRole('dialog', { name: `Edit the vNIC profile ${name}` });
}

const tick = (dialog: Locator, label: string) => dialog.getByRole('checkbox', { name: label });

/** The text that belongs to a control. */
async function reasonOf(control: Locator): Promise<string> {
  const id = await control.getAttribute('aria-describedby');
  return (await control.page().locator(`[id="${id}"]`).textContent()) ?? '';
}

describe('a new profile', () => {
  test('without Passthrough shows Migratable ticked and greyed, and says why', async () => {
    const page = await stage.signedInPage({ path: '/vnic-profiles' });
    const dialog = await newDialog(page);
    const migratable = tick(dialog, 'Migratable');
    expect([await migratable.isChecked(), await migratable.isDisabled()]).toEqual([true, true]);
    expect(await reasonOf(migratable)).toContain('Ordinary vNICs always migrate');
    expect(await dialog.getByLabel('Failover vNIC profile').isDisabled()).toBe(true);
    expect(await tick(dialog, 'Port mirroring').isDisabled()).toBe(false);
    await screenshot(page, 'profiles-new-ordinary');
    await expectNoViolations(page);
  });

  test('with Passthrough has Migratable free; mirroring, QoS and filter are greyed', async () => {
    const page = await stage.signedInPage({ path: '/vnic-profiles' });
    const dialog = await newDialog(page);
    await tick(dialog, 'Port mirroring').check();
    await tick(dialog, 'Passthrough').check();
    const migratable = tick(dialog, 'Migratable');
    expect([await migratable.isChecked(), await migratable.isDisabled()]).toEqual([true, false]);
    const mirroring = tick(dialog, 'Port mirroring');
    expect([await mirroring.isChecked(), await mirroring.isDisabled()]).toEqual([false, true]);
    for (const greyed of [
      mirroring,
      dialog.getByLabel('QoS'),
      dialog.getByRole('combobox', { name: 'Network filter' }),
    ]) {
      expect(await greyed.isDisabled()).toBe(true);
      expect(await reasonOf(greyed)).toContain('cannot be set for a passthrough profile');
    }
    await screenshot(page, 'profiles-new-passthrough');
    await expectNoViolations(page);
  });

  test('takes a failover only while both are on, and is kept as it was shown', async () => {
    const page = await stage.signedInPage({ path: '/vnic-profiles' });
    const dialog = await newDialog(page);
    await dialog.getByRole('textbox', { name: 'Name' }).fill('fast');
    await tick(dialog, 'Passthrough').check();
    const failover = dialog.getByLabel('Failover vNIC profile');
    await failover.selectOption({ label: 'prod (prod)' });
    await tick(dialog, 'Migratable').uncheck();
    expect([await failover.isDisabled(), await failover.inputValue()]).toEqual([true, '']);
    await tick(dialog, 'Migratable').check();
    await dialog.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByRole('row', { name: /fast/ }).waitFor();
    const standby = await profileNamed('prod');
    expect(await profileNamed('fast')).toMatchObject({
      migratable: 'true',
      pass_through: { mode: 'enabled' },
      failover: { id: standby?.id },
    });
  });

  test('of a name that is taken is refused at its name, and nothing that was typed is lost', async () => {
    const page = await stage.signedInPage({ path: '/vnic-profiles' });
    const dialog = await newDialog(page);
    const name = dialog.getByRole('textbox', { name: 'Name' });
    await name.fill('prod-vf');
    await dialog.getByLabel('Description').fill('typed');
    await dialog.getByRole('button', { name: 'Add', exact: true }).click();
    await dialog.getByText(/named prod-vf|name is already/i).waitFor();
    expect(await name.getAttribute('aria-invalid')).toBe('true');
    expect(await dialog.getByLabel('Description').inputValue()).toBe('typed');
  });
});

test('what somebody else adds, changes and removes is shown without a reload', async () => {
  const page = await stage.signedInPage({ path: '/vnic-profiles' });
  const row = (name: string) => page.getByRole('row', { name: new RegExp(name) });
  await row('prod-vf-pinned').waitFor();
  const [network] = (await stage.engine.ask<{ network: { id: string }[] }>('GET', 'networks')).body.network;
  const added = await stage.engine.ask<Profile>('POST', 'vnicprofiles', {
    name: 'elsewhere',
    network: { id: network?.id },
  });
  await row('elsewhere').waitFor();
  await stage.engine.ask('PUT', `vnicprofiles/${added.body.id}`, { name: 'renamed' });
  await row('renamed').waitFor();
  await stage.engine.ask('DELETE', `vnicprofiles/${added.body.id}`);
  await row('renamed').waitFor({ state: 'detached' });
});

describe('a profile that VMs use', () => {
  test('has Passthrough greyed, naming the VMs; Migratable is free and says what follows', async () => {
    const page = await stage.signedInPage({ path: '/vnic-profiles' });
    const dialog = await editDialog(page, 'prod-vf');
    const passThrough = tick(dialog, 'Passthrough');
    expect([await passThrough.isChecked(), await passThrough.isDisabled()]).toEqual([true, true]);
    expect(await reasonOf(passThrough)).toContain('web-1');
    expect(await dialog.getByRole('combobox', { name: 'Network', exact: true }).isDisabled()).toBe(true);
    const migratable = tick(dialog, 'Migratable');
    expect(await migratable.isDisabled()).toBe(false);
    await migratable.uncheck();
    await dialog.getByText('can not be migrated while such a vNIC is plugged').waitFor();
    await screenshot(page, 'profiles-edit-used');
    await expectNoViolations(page);
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.waitFor({ state: 'detached' });
    expect(await profileNamed('prod-vf')).toMatchObject({ migratable: 'false' });
  });

  test('says who uses it before it is removed, and stays', async () => {
    const page = await stage.signedInPage({ path: '/vnic-profiles' });
    await page.getByRole('button', { name: 'Actions of prod-vf', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Remove' }).click();
    const dialog = page.getByRole('dialog', { name: 'Remove the vNIC profile prod-vf?' });
    await dialog.getByText(/The engine will refuse: .*web-1/).waitFor();
    await dialog.getByRole('button', { name: 'Remove' }).click();
    await dialog.getByRole('alert').getByText('web-1').waitFor();
    expect(await profileNamed('prod-vf')).toBeDefined();
  });
});

test('the list is for narrow windows too, and a link to a dialog opens it', async () => {
  const { id = '' } = (await profileNamed('prod')) ?? {};
  const page = await stage.signedInPage({ path: '/vnic-profiles', width: 400, theme: 'dark' });
  await page.getByText('prod-vf-pinned').waitFor();
  await screenshot(page, 'profiles-400-dark');
  await expectNoSidewaysScroll(page);
  await page.goto(`/vnic-profiles?edit=${id}`);
  await page.getByRole('dialog', { name: 'Edit the vNIC profile prod', exact: true }).waitFor();
  await expectNoSidewaysScroll(page);
  await screenshot(page, 'profiles-edit-400-dark');
});

test('everything is done with the keyboard alone', async () => {
  const page = await stage.signedInPage({ path: '/vnic-profiles' });
  await page.getByRole('button', { name: 'New profile' }).focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'New vNIC profile' });
  await dialog.getByRole('textbox', { name: 'Name' }).waitFor();
  await dialog.getByRole('combobox', { name: 'Network', exact: true }).focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Tab');
  await page.keyboard.type('typed-by-keyboard');
  await tick(dialog, 'Passthrough').focus();
  await page.keyboard.press('Space');
  await page.keyboard.press('Enter');
  await page.getByRole('row', { name: /typed-by-keyboard/ }).waitFor();
  expect(await profileNamed('typed-by-keyboard')).toMatchObject({ pass_through: { mode: 'enabled' } });
});
