/** The SR-IOV map of a host: what it says, how it is gone through, and what can be changed from it. */
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import type { PfUseView } from '../../src/api/types/fleet-view.ts';
import { eventually } from '../support/eventually.ts';
import { useConsole } from './support/console-stage.ts';
import { expectNoViolations, screenshot } from './support/looks.ts';
import { migrationsOn, MOVING_FLEET } from './support/migrations.ts';

const stage = useConsole(MOVING_FLEET);
const migrations = migrationsOn(stage);

/** By name. */
let hosts: Readonly<Record<string, string>>;
beforeAll(async () => {
  await migrations.introduce();
  const { body } = await stage.engine.ask<{ id: string; name: string }[]>('GET', '/api/hosts');
  hosts = Object.fromEntries(body.map(({ id, name }) => [name, id]));
});

async function pfOf(host: string): Promise<PfUseView> {
  const { body } = await stage.engine.ask<PfUseView[]>('GET', `/api/hosts/${hosts[host]}/pfs`);
  return body[0] as PfUseView;
}

const map = async (host: string, query = ''): Promise<Page> => {
  const page = await stage.signedInPage({ path: `/hosts/${hosts[host]}${query}` });
  await page.getByRole('option').first().waitFor();
  return page;
};
const cell = (page: Page, name: string | RegExp) => page.getByRole('option', { name });
const focused = async (page: Page): Promise<string> =>
  await page.evaluate<string>(
    'document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent',
  );

describe('the map', () => {
  test('names every VF by place, address and who has it, and shows that by a letter too', async () => {
    const page = await map('host-a');
    const cells = page.getByRole('option');
    const names = await page.evaluate<string[]>(
      '[...document.querySelectorAll("[role=option]")].map((one) => one.ariaLabel)',
    );
    expect(names).toEqual([
      'VF 0, 0000:3b:02.0, attached to web-1',
      'VF 1, 0000:3b:02.1, attached to web-1',
      'VF 2, 0000:3b:02.2, attached to web-2',
      'VF 3, 0000:3b:02.3, free',
    ]);
    expect(await cells.allTextContents()).toEqual(['A', 'A', 'A', 'F']);
    const { name, driver } = await pfOf('host-a');
    const section = page.getByRole('region', { name });
    for (const text of [
      'Link up',
      driver ?? '',
      'NUMA node 0',
      '1 free, 3 attached',
      'May serve all networks',
    ]) {
      await section.getByText(text).first().waitFor();
    }
    const legend = page.getByRole('list', { name: 'What the letters mean' });
    await legend.getByText('Attached 3').waitFor();
    await legend.getByText('Free 1').waitFor();
  });

  test('is one tab stop, gone through with the arrow keys, with the VM of a VF the next stop', async () => {
    const page = await map('host-a');
    const stops = page.locator('[role=option][tabindex="0"]');
    expect(await stops.count()).toBe(1);
    await page.getByRole('button', { name: /^Networks of/ }).focus();
    await page.keyboard.press('Tab');
    expect(await focused(page)).toContain('VF 0');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    expect(await focused(page)).toContain('VF 2');
    await page.keyboard.press('End');
    expect(await focused(page)).toContain('VF 3');
    await page.keyboard.press('ArrowRight');
    expect(await focused(page)).toContain('VF 3');
    await page.keyboard.press('Home');
    expect(await focused(page)).toContain('VF 0');
    expect(await stops.count()).toBe(1);
    await page
      .getByRole('group', { name: /^VF 0 of/ })
      .getByText('52:54:00')
      .waitFor();
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('web-1');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/vms/*');
  });

  test('shows what the mouse is over, and again what was pressed when it leaves', async () => {
    const page = await map('host-a');
    await cell(page, /VF 3/).click();
    expect(page.url()).toContain(`vf=${encodeURIComponent('0000:3b:02.3')}`);
    await page.getByRole('group', { name: /^VF 3 of/ }).waitFor();
    await cell(page, /VF 1/).hover();
    await page
      .getByRole('group', { name: /^VF 1 of/ })
      .getByText('attached to web-1')
      .waitFor();
    await page.getByRole('heading', { level: 1 }).hover();
    await page
      .getByRole('group', { name: /^VF 3 of/ })
      .getByText('It can be given to a VM now')
      .waitFor();
    await page.reload();
    await page.getByRole('group', { name: /^VF 3 of/ }).waitFor();
  });

  test('says without a reload that a VF is reserved for a VM that comes, and then attached', async () => {
    const page = await map('host-b');
    const job = await migrations.begin('web-2');
    const reserved = cell(page, /reserved for web-2, which is being moved/);
    await reserved.first().waitFor();
    expect(await reserved.first().textContent()).toBe('R');
    await reserved.first().click();
    const link = page.getByRole('link', { name: 'which is being moved' });
    expect(await link.getAttribute('href')).toBe(`/jobs/${job}`);
    await screenshot(page, 'vf-map-reserved-light-1280');
    await cell(page, /attached to web-2/).waitFor();
    await page
      .getByRole('status')
      .getByText('VFs of this host: 3 free, 1 attached.')
      .waitFor({ state: 'attached' });
    expect((await migrations.ended(job)).state).toBe('succeeded');
  });
});

describe('the number of VFs', () => {
  test('is refused at its field while one is used, after that was said beforehand', async () => {
    const { name } = await pfOf('host-a');
    const page = await map('host-a');
    await page.getByRole('button', { name: `Number of VFs of ${name}` }).click();
    const dialog = page.getByRole('dialog', { name: `Number of VFs of ${name}` });
    await dialog.getByText(`The link of ${name} goes down for some seconds`).waitFor();
    await dialog.getByText('VF 0: attached to web-1').waitFor();
    const field = dialog.getByLabel('Number of VFs');
    await field.fill('2');
    await dialog.getByRole('button', { name: 'Change' }).click();
    await dialog.getByText('has VFs that are in use').waitFor();
    expect(await field.getAttribute('aria-invalid')).toBe('true');
    await expectNoViolations(page);
    await screenshot(page, 'vf-count-dialog-light-1280');
    await field.fill('900');
    await dialog.getByRole('button', { name: 'Change' }).click();
    await dialog.getByText('the valid range is 0 -').waitFor();
    expect((await pfOf('host-a')).vfs).toHaveLength(4);
  });

  test('is changed on a PF none of whose VFs is used, and the map follows', async () => {
    const back = await migrations.begin('web-2');
    await migrations.ended(back);
    await eventually('no VF of host-b to be in use', async () =>
      (await pfOf('host-b')).vfs.every(({ state }) => state === 'free'),
    );
    const { name, vfCountMax } = await pfOf('host-b');
    const page = await map('host-b');
    for (const count of [0, vfCountMax, 4]) {
      await page.getByRole('button', { name: `Number of VFs of ${name}` }).click();
      const dialog = page.getByRole('dialog', { name: `Number of VFs of ${name}` });
      await dialog.getByText('No VF of it is in use, as it has to be').waitFor();
      await dialog.getByLabel('Number of VFs').fill(String(count));
      await dialog.getByRole('button', { name: 'Change' }).click();
      await dialog.waitFor({ state: 'detached' });
      await page.getByText(`${count} of ${vfCountMax} VFs exist`).waitFor();
      expect(await page.getByRole('option').count()).toBe(count);
    }
  });
});

describe('the networks a PF may serve', () => {
  test('are all, or some by name and label, and none is warned of', async () => {
    const { name, nicId } = await pfOf('host-b');
    const page = await map('host-b');
    const open = async () => {
      await page.getByRole('button', { name: `Networks of ${name}` }).click();
      const dialog = page.getByRole('dialog', { name: `Networks of ${name}` });
      await dialog.waitFor();
      return dialog;
    };
    const first = await open();
    await first.getByLabel('Only these').check();
    await first.getByText('None is chosen: no VM could use a VF of this PF.').waitFor();
    await first.getByLabel('prod (VLAN 42)').check();
    await first.getByLabel('Labels').fill('blue, red');
    await expectNoViolations(page);
    await screenshot(page, 'allowed-networks-dialog-light-1280');
    await first.getByRole('button', { name: 'Save' }).click();
    await page.getByText('May serve prod and networks with the labels blue, red.').waitFor();
    const config = await pfOf('host-b');
    expect([config.allNetworksAllowed, config.networkIds.length, [...config.labels].sort()]).toEqual([
      false,
      1,
      ['blue', 'red'],
    ]);

    const second = await open();
    expect(await second.getByLabel('prod (VLAN 42)').isChecked()).toBe(true);
    await second.getByLabel('prod (VLAN 42)').uncheck();
    await second.getByLabel('Labels').fill('red');
    await second.getByRole('button', { name: 'Save' }).click();
    await page.getByText('May serve networks with the label red.').waitFor();

    const third = await open();
    await third.getByLabel('All networks').check();
    await third.getByRole('button', { name: 'Save' }).click();
    await page.getByText('May serve all networks.').waitFor();
    expect(await pfOf('host-b')).toMatchObject({
      nicId,
      allNetworksAllowed: true,
      networkIds: [],
      labels: [],
    });
  });
});
