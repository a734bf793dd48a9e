/** The engine ends and is started again, as with an upgrade, under pages that follow what it does. */
import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { useConsole } from './support/console-stage.ts';
import { MOVING_FLEET, migrationsOn } from './support/migrations.ts';

const stage = useConsole(MOVING_FLEET);
const migrations = migrationsOn(stage);

beforeAll(async () => await migrations.introduce());

const STREAM = '**/api/events/stream?*';
const lost = (page: Page) => page.getByText('Connection to the engine lost, reconnecting');
const messagesOn = async (page: Page): Promise<readonly string[]> =>
  await page.getByRole('table', { name: 'Events' }).locator('[data-label=Message]').allInnerTexts();

/** What the engine has, newest first. */
async function messages(): Promise<readonly string[]> {
  interface Event {
    readonly description: string;
  }
  const { body } = await stage.engine.ask<{ event: readonly Event[] }>('GET', 'events?max=500');
  return body.event.map(({ description }) => description);
}

test('a migration that is followed goes on, and so does its page, without anything missing', async () => {
  const id = await migrations.begin('web-1');
  const page = await stage.signedInPage({ path: `/jobs/${id}` });
  const events = await page.context().newPage();
  await events.goto('/events');
  const transfer = page
    .getByRole('list', { name: 'Steps' })
    .locator('.timeline-row')
    .filter({ has: page.getByText('Transfer', { exact: true }) });
  await transfer.getByText('Running').waitFor();
  await eventually('the events so far', async () => (await messagesOn(events)).length > 0);
  const before = await messages();
  await stage.engine.restart(async () => {
    for (const each of [page, events]) await lost(each).waitFor();
    await page.getByText('Could not refresh the job; this is how it was.').waitFor();
    await transfer.getByText('Running').waitFor();
    expect(await messagesOn(events)).toEqual(expect.arrayContaining([...before]));
    // Its pauses have grown: the line is back later than the engine, which does not wait for it.
    await page.context().route(STREAM, async (route) => await route.abort());
  });
  await migrations.ended(id);
  await page.context().unroute(STREAM);
  await page.locator('.page-head').getByText('Succeeded', { exact: true }).waitFor();
  for (const each of [page, events]) await lost(each).waitFor({ state: 'detached' });
  const { source, target } = await migrations.ended(id);
  await page.getByText(`web-1 ran on ${target} when the job ended.`).waitFor();
  expect([source, target]).toEqual(['host-a', 'host-b']);
  expect(await page.getByText('Could not refresh').count()).toBe(0);
  expect((await messages()).length).toBeGreaterThan(before.length);
  await eventually(
    'the events that came',
    async () => (await messagesOn(events)).length === (await messages()).length,
  );
  expect(await messagesOn(events)).toEqual(await messages());
});
