/**
 * Who is signed in: a token of oVirt's sign-on, kept in the browser's storage so that new tabs have it, too.
 * Other tabs follow: signed out in one is signed out in all, signed in again in one is in all. A session that
 * the engine no longer knows is `expired`: its user is asked again, and the page stays.
 */
import { EngineUnreachable, faultOf } from '../server/fault.ts';

const KEY = 'handover.session';

/** A session. `expired`: the engine refused its token. */
export interface Session {
  readonly user: string;
  readonly token: string;
  readonly expired: boolean;
}

let session: Session | null = stored();
const listeners = new Set<() => void>();

/** The session; null: nobody is signed in. The same object until it changes. */
export const currentSession = (): Session | null => session;

/** The token to send; null: none. */
export const currentToken = (): string | null => session?.token ?? null;

/** Calls `listener` after every change; returns how to stop. */
export function onSessionChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** The engine refused this token; nothing happens if it is not the session's any more. */
export function noteExpired(token: string | null): void {
  if (session !== null && session.token === token && !session.expired) set({ ...session, expired: true });
}

/** Signs in. Throws `ServerFault` with the engine's reason, or `EngineUnreachable`. */
export async function signIn(user: string, password: string): Promise<void> {
  const { status, body } = await postForm('/ovirt-engine/sso/oauth/token', {
    grant_type: 'password',
    scope: 'ovirt-app-api',
    username: user,
    password,
  });
  const { access_token: token } = (body ?? {}) as { readonly access_token?: string };
  if (status !== 200 || token === undefined) throw faultOf(status, body);
  set({ user, token, expired: false });
  store(JSON.stringify({ user, token }));
}

/** Signs out, here at once; that the engine can not be told is no reason to stay. */
export async function signOut(): Promise<void> {
  const token = currentToken();
  set(null);
  store(null);
  if (token === null) return;
  await postForm('/ovirt-engine/services/sso-logout', { scope: 'ovirt-app-api', token }).catch(
    () => undefined,
  );
}

async function postForm(path: string, fields: Readonly<Record<string, string>>) {
  const answer = await fetch(path, {
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(fields).toString(),
    credentials: 'omit',
  }).catch(() => {
    throw new EngineUnreachable();
  });
  // Something between here and the engine may answer in another form; the status then says it alone.
  const body: unknown = await answer.json().catch(() => undefined);
  return { status: answer.status, body };
}

function set(next: Session | null): void {
  session = next;
  for (const listener of listeners) listener();
}

function stored(): Session | null {
  try {
    const { user, token } = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Session>;
    return typeof user === 'string' && typeof token === 'string' ? { user, token, expired: false } : null;
  } catch {
    // Storage is switched off, or holds something else: sign in for this tab.
    return null;
  }
}

function store(text: string | null): void {
  try {
    if (text === null) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, text);
  } catch {
    // Storage is switched off: the session is this tab's alone.
  }
}

window.addEventListener('storage', ({ key }) => {
  if (key === KEY || key === null) set(stored());
});
