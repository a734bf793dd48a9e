/** How Debian's chromium is started, and a browser that is signed in to the console. */

/** No window, no card, no network but what a test asks for. */
export const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
] as const;

/** What the console keeps in the browser of somebody who signed in. */
export function stateWith(origin: string, token: string) {
  const value = JSON.stringify({ user: 'admin@internal', token });
  return { cookies: [], origins: [{ origin, localStorage: [{ name: 'handover.session', value }] }] };
}
