/** Networks from the console: added, changed, removed, and refused at the field that is wrong. */
import { expect, test } from 'vitest';
import { useConsole } from './support/console-stage.ts';

const stage = useConsole();

interface Network {
  readonly name: string;
  readonly vlan?: { readonly id: string };
  readonly mtu: string;
}

const networkNamed = async (name: string) => {
  const { body } = await stage.engine.ask<{ network: Network[] }>('GET', 'networks');
  return body.network.find((network) => network.name === name);
};

test('a network is added, changed and removed, each said by the page and seen in the API', async () => {
  const page = await stage.signedInPage({ path: '/networks' });
  await page.getByRole('button', { name: 'Add network' }).click();
  const add = page.getByRole('dialog', { name: 'Add a network' });
  await add.getByLabel('Name').fill('backup');
  await add.getByLabel('VLAN').fill('77');
  await add.getByLabel('Label').fill('blue');
  await add.getByRole('button', { name: 'Add' }).click();
  const row = page.getByRole('row', { name: /backup/ });
  await row.getByRole('cell', { name: 'blue' }).waitFor();
  await page.getByRole('status').getByText('The network backup was added.').waitFor();
  expect(await networkNamed('backup')).toMatchObject({ vlan: { id: '77' } });

  await row.getByRole('button', { name: 'Actions of backup' }).click();
  await page.getByRole('menuitem', { name: 'Edit' }).click();
  const edit = page.getByRole('dialog', { name: 'Edit the network backup' });
  expect(await edit.getByLabel('Label').inputValue()).toBe('blue');
  await edit.getByLabel('VLAN').fill('');
  await edit.getByLabel('Label').fill('');
  await edit.getByLabel('MTU').fill('9000');
  await edit.getByRole('button', { name: 'Save' }).click();
  await row.getByRole('cell', { name: '9000' }).waitFor();
  await row.getByRole('cell', { name: 'untagged' }).waitFor();
  const changed = await networkNamed('backup');
  expect([changed?.mtu, changed?.vlan]).toEqual(['9000', undefined]);

  await row.getByRole('button', { name: 'Actions of backup' }).click();
  await page.getByRole('menuitem', { name: 'Remove' }).click();
  const remove = page.getByRole('dialog', { name: 'Remove the network backup?' });
  await remove.getByText('No vNIC profile belongs to it').waitFor();
  await remove.getByRole('button', { name: 'Remove' }).click();
  await row.waitFor({ state: 'detached' });
  expect(await networkNamed('backup')).toBeUndefined();
});

test('a refusal is shown at the field it is about, which gets the focus', async () => {
  const page = await stage.signedInPage({ path: '/networks' });
  await page.getByRole('button', { name: 'Add network' }).click();
  const add = page.getByRole('dialog', { name: 'Add a network' });
  await add.getByLabel('Name').fill('wrong');
  await add.getByLabel('VLAN').fill('5000');
  await add.getByRole('button', { name: 'Add' }).click();
  const field = add.getByLabel('VLAN');
  await add.getByText('VLAN 5000 of network wrong is out of range').waitFor();
  expect(await field.getAttribute('aria-invalid')).toBe('true');
  const helpId = await field.getAttribute('aria-describedby');
  expect(await add.locator(`[id="${helpId}"]`).textContent()).toContain('it must be from 1 to 4094');
  expect(await page.evaluate<string>('document.activeElement.id')).toBe(await field.getAttribute('id'));
  expect(await networkNamed('wrong')).toBeUndefined();
});

test('a network that is needed says by what before it is removed, and stays', async () => {
  const page = await stage.signedInPage({ path: '/networks' });
  await page.getByRole('button', { name: 'Actions of prod' }).click();
  await page.getByRole('menuitem', { name: 'Remove' }).click();
  const remove = page.getByRole('dialog', { name: 'Remove the network prod?' });
  await remove.getByText('These vNIC profiles of it have to be removed first').waitFor();
  await remove.getByRole('button', { name: 'Remove' }).click();
  await remove.getByRole('alert').getByText('Cannot remove Network').waitFor();
  await remove.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('row', { name: /^prod / }).waitFor();
});
