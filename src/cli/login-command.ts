/** `handover login`: gets a token and keeps it. */
import { readPassword } from './ask-password.ts';
import { CliError, EXIT } from './cli-error.ts';
import { engineUrl, send } from './client.ts';
import { storeCredential } from './credentials.ts';
import { type OutputFormat, print, printJson } from './output.ts';

interface TokenAnswer {
  readonly access_token?: string;
  readonly exp?: string;
  readonly error?: string;
}

/** Signs on at the engine. `CliError` (not permitted) for a wrong name or password. */
export async function login(options: {
  readonly url?: string;
  readonly user: string;
  readonly passwordStdin?: boolean;
  readonly output: OutputFormat;
}): Promise<void> {
  const url = engineUrl(options.url);
  const password = await readPassword(options.passwordStdin ?? false, options.user);
  const body = new URLSearchParams({
    grant_type: 'password',
    scope: 'ovirt-app-api',
    username: options.user,
    password,
  }).toString();
  const { status, text } = await send(url, '/ovirt-engine/sso/oauth/token', {
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
    body,
  });
  const answer = parse(text);
  if (answer === null) {
    throw new CliError(EXIT.failed, `${url} is no Handover engine (status ${status}); check --url`);
  }
  if (answer.access_token === undefined) {
    const said = answer.error ?? `sign-on failed with status ${status}`;
    if (status >= 500) throw new CliError(EXIT.unreachable, said);
    throw new CliError(EXIT.notPermitted, said, 'SIGN_ON_REFUSED');
  }
  const expiresAt = Number(answer.exp ?? 0);
  storeCredential(url, { user: options.user, token: answer.access_token, expiresAt });
  if (options.output === 'json') {
    printJson({ url, user: options.user, expiresAt: new Date(expiresAt).toISOString() });
  } else {
    print(`Signed in at ${url} as ${options.user}.`);
  }
}

function parse(text: string): TokenAnswer | null {
  try {
    return JSON.parse(text) as TokenAnswer;
  } catch {
    return null;
  }
}
