/** `handover login`: gets a token and keeps it. */
import { readPassword } from './ask-password.ts';
import { CliError, EXIT } from './cli-error.ts';
import { engineAt } from './client.ts';
import { storeCredential } from './credentials.ts';
import { type EngineAddress, send } from './exchange.ts';
import { type OutputFormat, print, printJson } from './output.ts';

interface TokenAnswer {
  readonly access_token?: string;
  readonly exp?: string;
  readonly error?: string;
}

/** Signs on and says so. `CliError` (not permitted) for a wrong name or password. */
export async function login(options: {
  readonly url?: string;
  readonly caFile?: string;
  readonly user: string;
  readonly passwordStdin?: boolean;
  readonly output: OutputFormat;
}): Promise<void> {
  const engine = engineAt(options);
  const { url } = engine;
  const password = await readPassword(options.passwordStdin ?? false, options.user);
  const expiresAt = await signOnAt(engine, options.user, password);
  if (options.output === 'json') {
    printJson({ url, user: options.user, expiresAt: new Date(expiresAt).toISOString() });
  } else {
    print(`Signed in at ${url} as ${options.user}.`);
  }
}

/** Signs on at an engine and keeps the token. Returns when that expires if it is not used. */
export async function signOnAt(engine: EngineAddress, user: string, password: string): Promise<number> {
  const { url, caFile } = engine;
  const body = new URLSearchParams({
    grant_type: 'password',
    scope: 'ovirt-app-api',
    username: user,
    password,
  }).toString();
  const { status, text } = await send(engine, '/ovirt-engine/sso/oauth/token', {
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
  const trusted = caFile === null ? {} : { caFile };
  storeCredential(url, { user, token: answer.access_token, expiresAt, ...trusted });
  return expiresAt;
}

function parse(text: string): TokenAnswer | null {
  try {
    return JSON.parse(text) as TokenAnswer;
  } catch {
    return null;
  }
}
