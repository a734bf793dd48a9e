/**
 * What must be said first on a connection, in this order: which authentication, that, keepalive, open. Asking
 * for keepalive also switches the daemon's own pings on.
 */
import { HandoverError } from '../base/errors.ts';
import type { CallOptions } from './client.ts';
import { AUTH, FEATURE, procedures } from './procedures/index.ts';
import type { Procedure } from './procedures/procedure.ts';

const READ_ONLY = 1;

interface Caller {
  readonly label: string;
  call<Args, Ret>(procedure: Procedure<Args, Ret>, args: Args, options?: CallOptions): Promise<Ret>;
}

/**
 * Authenticates and opens `driverUri`; true if the daemon knows keepalive. Throws `HOST_REFUSED_CREDENTIALS`
 * if the daemon wants what Handover cannot do.
 */
export async function openSequence(
  connection: Caller,
  driverUri: string,
  limits: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
  readOnly: boolean,
): Promise<boolean> {
  const options: CallOptions = {
    timeoutMs: limits.timeoutMs,
    ...(limits.signal ? { signal: limits.signal } : {}),
  };
  const { types } = await connection.call(procedures.authList, {}, options);
  await authenticate(connection, types, options);
  const { supported } = await connection.call(
    procedures.connectSupportsFeature,
    { feature: FEATURE.keepalive },
    options,
  );
  const flags = readOnly ? READ_ONLY : 0;
  await connection.call(procedures.connectOpen, { name: driverUri, flags }, options);
  return supported;
}

async function authenticate(
  connection: Caller,
  types: readonly number[],
  options: CallOptions,
): Promise<void> {
  if (types.length === 0 || types.includes(AUTH.none)) return;
  if (types.includes(AUTH.polkit)) {
    await connection.call(procedures.authPolkit, {}, options);
    return;
  }
  const wanted = types.includes(AUTH.sasl) ? 'SASL' : `authentication of type ${types.join(', ')}`;
  throw new HandoverError(
    'HOST_REFUSED_CREDENTIALS',
    `${connection.label} asks for ${wanted}, which is not supported: ` +
      'use ssh, TLS certificates or the local socket',
    { detail: { types } },
  );
}
