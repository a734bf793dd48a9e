/** More VMs than fit on a page. */
import { expect, test } from 'vitest';
import { simVmFleet } from '../support/sim-vms.ts';
import { useConsole } from './support/console-stage.ts';

const vms = Array.from({ length: 35 }, (_unused, index) => ({
  name: `vm-${String(index).padStart(2, '0')}`,
  vfs: [],
}));
const stage = useConsole(simVmFleet({ vms, hostCount: 2, vfCount: 1 }));

test('pages are turned at the engine, and the back button turns them back', async () => {
  const page = await stage.signedInPage({ path: '/vms' });
  await page.getByRole('link', { name: 'vm-00' }).waitFor();
  expect(await page.getByRole('row').count()).toBe(26);
  await page.getByText('1 - 25 of 35 VMs').waitFor();
  await page.getByRole('checkbox', { name: 'Select vm-00' }).check();
  await page.getByRole('button', { name: 'Go to next page' }).click();
  await page.getByRole('link', { name: 'vm-25' }).waitFor();
  expect(await page.getByRole('row').count()).toBe(11);
  expect(new URL(page.url()).searchParams.get('page')).toBe('2');
  await page.getByRole('checkbox', { name: 'Select all VMs of this page' }).check();
  // What was chosen on the other page still is.
  await page.getByText('11 selected').waitFor();
  await page.goBack();
  await page.getByRole('link', { name: 'vm-00' }).waitFor();
  await page.getByRole('button', { name: 'Clear', exact: true }).click();
  await page.getByText('0 selected').waitFor();
});

test('a search begins at its first page, and a link to a page leads there', async () => {
  const page = await stage.signedInPage({ path: '/vms?page=2' });
  await page.getByRole('link', { name: 'vm-25' }).waitFor();
  await page.getByRole('textbox', { name: 'Name' }).fill('vm-1');
  await page.getByRole('link', { name: 'vm-10' }).waitFor();
  await page.getByText('1 - 10 of 10 VMs').waitFor();
});
