/** The overview: migrations that go on, what needs somebody, VFs that are left. */
import type { Page } from 'playwright-core';
import { afterEach, beforeAll, expect, test } from 'vitest';
import type { PfUseView } from '../../src/api/types/fleet-view.ts';
import { useConsole } from './support/console-stage.ts';
import { expectNoSidewaysScroll, expectNoViolations, screenshot } from './support/looks.ts';
import { MOVING_FLEET, migrationsOn } from './support/migrations.ts';

const stage = useConsole(MOVING_FLEET);
const migrations = migrationsOn(stage);

beforeAll(async () => await migrations.introduce());
afterEach(async () => await migrations.endAll());

const part = (page: Page, name: string) => page.getByRole('region', { name });

async function hostIds(): Promise<Readonly<Record<string, string>>> {
  const { body } = await stage.engine.ask<{ host: { id: string; name: string }[] }>('GET', 'hosts');
  return Object.fromEntries(body.host.map(({ name, id }) => [name, id]));
}

/** VFs that could be given to a VM now. */
async function freeVfs(): Promise<readonly { readonly host: string; readonly vf: string }[]> {
  const found = Object.entries(await hostIds()).map(async ([host, id]) => {
    const { body } = await stage.engine.ask<readonly PfUseView[]>('GET', `/api/hosts/${id}/pfs`);
    const vfs = body.flatMap((pf) => pf.vfs).filter(({ state }) => state === 'free');
    return vfs.map(({ pciAddress: vf }) => ({ host, vf }));
  });
  return (await Promise.all(found)).flat();
}

test('a migration that goes on is followed, and is gone when it has ended', async () => {
  const page = await stage.signedInPage();
  await part(page, 'Migrations now').getByText('Nothing is being migrated.').waitFor();
  await part(page, 'Needs attention').getByText('Nothing needs you').waitFor();
  await part(page, 'Hosts and VMs').getByText('2', { exact: true }).first().waitFor();
  const id = await migrations.begin('web-1');
  const live = part(page, 'Migrations now').getByRole('listitem');
  await live.getByText('web-1 host-a to host-b').waitFor();
  await live.getByText(/^Transfer \(7 of 10\), [1-9]\d? % of the memory sent$/).waitFor();
  const bar = live.getByRole('progressbar', { name: 'Progress of the migration of web-1' });
  expect(Number(await bar.getAttribute('aria-valuenow'))).toBeGreaterThanOrEqual(60);
  await migrations.ended(id);
  await part(page, 'Migrations now').getByText('Nothing is being migrated.').waitFor();
  await part(page, 'Latest events').getByText('Migration completed (VM: web-1').waitFor();
  const other = await migrations.begin('web-2');
  await live.getByRole('link', { name: 'web-2' }).click();
  await page.waitForURL(`**/jobs/${other}`);
  await migrations.ended(other);
});

test('it keeps nobody out while something goes on, light and dark, wide and narrow', async () => {
  await migrations.beginSlowly('web-1');
  for (const theme of ['light', 'dark'] as const) {
    const page = await stage.signedInPage({ theme });
    await part(page, 'Migrations now').getByRole('listitem').waitFor();
    await part(page, 'Latest events').getByRole('row').nth(1).waitFor();
    await page.setViewportSize({ width: 1280, height: 1100 });
    await screenshot(page, `overview-live-${theme}-1280`);
    await expectNoViolations(page);
    await page.setViewportSize({ width: 400, height: 2400 });
    await screenshot(page, `overview-live-${theme}-400`);
    await expectNoSidewaysScroll(page);
    await expectNoViolations(page);
  }
});

test('a host that is not up needs attention, with what to do and where', async () => {
  const { 'host-a': id } = await hostIds();
  const page = await stage.signedInPage();
  await part(page, 'Needs attention').getByText('Nothing needs you').waitFor();
  await stage.engine.ask('POST', `hosts/${id}/deactivate`, {});
  const concern = part(page, 'Needs attention').getByRole('listitem');
  await concern.getByText('host-a is in maintenance').waitFor();
  await concern.getByText('No VM moves to it until it is activated.').waitFor();
  await part(page, 'Hosts and VMs').getByText('Maintenance').waitFor();
  await concern.getByRole('link', { name: 'host-a' }).click();
  await page.waitForURL(`**/hosts/${id}`);
  await stage.engine.ask('POST', `hosts/${id}/activate`, {});
});

test('the last VF of a network, and none, are marked', async () => {
  const free = await freeVfs();
  const steal = async (all: typeof free) => {
    for (const { host, vf } of all)
      await stage.hosts.control({ do: 'act', act: { do: 'stealVf', host, vf } });
    for (const id of Object.values(await hostIds()))
      await stage.engine.ask('POST', `hosts/${id}/refresh`, {});
  };
  const page = await stage.signedInPage();
  const vfs = part(page, 'VFs by network');
  await vfs.getByText('5 of 8 free').waitFor();
  await steal(free.slice(1));
  await page.reload();
  await vfs.getByText('1 of 8 free').waitFor();
  await vfs.getByText('Last one').waitFor();
  await steal(free.slice(0, 1));
  await page.reload();
  await vfs.getByText('None left').waitFor();
  await page.setViewportSize({ width: 400, height: 1800 });
  await expectNoSidewaysScroll(page);
  await expectNoViolations(page);
  await screenshot(page, 'overview-none-left-light-400');
});
