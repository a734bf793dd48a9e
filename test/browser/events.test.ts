/** Events as they happen, and what the console says while it can not know of them. */
import { expect, test } from 'vitest';
import { useConsole } from './support/console-stage.ts';

const LIVE_WITHIN_MS = 1_000;

const stage = useConsole();

interface Named {
  readonly id: string;
  readonly name: string;
}

/** Makes an event: a host's maintenance begins or ends. Returns the name of the host. */
async function makeEvent(verb: 'deactivate' | 'activate'): Promise<string> {
  const { body } = await stage.engine.ask<{ host: Named[] }>('GET', 'hosts');
  const host = body.host.at(-1);
  if (host === undefined) throw new Error('there is no host');
  const { status } = await stage.engine.ask('POST', `hosts/${host.id}/${verb}`, {});
  expect(status).toBe(200);
  return host.name;
}

test('an event is shown within a second, without a reload', async () => {
  const page = await stage.signedInPage({ path: '/events' });
  const first = page.getByRole('row').nth(1);
  await first.getByText('was added').waitFor();
  const name = await makeEvent('deactivate');
  await first
    .getByText(name)
    .filter({ hasText: /maintenance/i })
    .waitFor({ timeout: LIVE_WITHIN_MS });
  await makeEvent('activate');
  await first
    .getByText(name)
    .filter({ hasText: /ended the maintenance/ })
    .waitFor({ timeout: LIVE_WITHIN_MS });
  await first.getByRole('link', { name: 'Host' }).click();
  await page.waitForURL('**/hosts/*');
});

test('the filter is in the address, so a link shows the same', async () => {
  await makeEvent('deactivate');
  await makeEvent('activate');
  const page = await stage.signedInPage({ path: '/events' });
  await page.getByRole('row').nth(1).waitFor();
  await page.getByLabel('Text').fill('no event says this');
  await page.getByRole('heading', { name: 'No event is like that' }).waitFor();
  expect(page.url()).toContain('text=no+event+says+this');
  await page.reload();
  await page.getByRole('heading', { name: 'No event is like that' }).waitFor();
  await page.getByRole('button', { name: 'Reset' }).click();
  await page.getByRole('row').nth(1).waitFor();
});

test('a lost line is said, and what happened meanwhile is there when it is back', async () => {
  const page = await stage.signedInPage({ path: '/events' });
  const banner = page.getByText(
    /Connection to the engine lost, reconnecting; what you see is from \d\d:\d\d:\d\d/,
  );
  await page.getByRole('heading', { level: 1, name: 'Events' }).waitFor();
  await page.context().setOffline(true);
  await banner.waitFor();
  const name = await makeEvent('deactivate');
  await page.context().setOffline(false);
  await banner.waitFor({ state: 'detached' });
  await page
    .getByRole('row')
    .nth(1)
    .getByText(name)
    .filter({ hasText: /maintenance/i })
    .waitFor();
  await makeEvent('activate');
});
