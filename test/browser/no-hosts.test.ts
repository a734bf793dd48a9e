/** The lists of hosts and events before there is anything in them. */
import { expect, test } from 'vitest';
import { useConsole } from './support/console-stage.ts';
import { expectNoViolations } from './support/looks.ts';

const stage = useConsole('none');

test('an empty list of events says so', async () => {
  const page = await stage.signedInPage({ path: '/events' });
  await page.getByRole('heading', { name: 'Nothing has happened yet' }).waitFor();
  await expectNoViolations(page);
});

test('an empty list of hosts says how to add one, and does', async () => {
  const page = await stage.signedInPage({ path: '/hosts' });
  await page.getByRole('heading', { name: 'There are no hosts' }).waitFor();
  await page.getByText('Add a machine that runs libvirtd').waitFor();
  await expectNoViolations(page);
  await page.getByRole('button', { name: 'Add host' }).last().click();
  const name = page.getByRole('dialog', { name: 'Add a host' }).getByLabel('Name');
  await name.waitFor();
  expect(await page.evaluate<string>('document.activeElement.id')).toBe(await name.getAttribute('id'));
});
