/**
 * oVirt's sign-on: `POST /ovirt-engine/sso/oauth/token` and `POST /ovirt-engine/services/sso-logout`. Forms
 * in, JSON out. A refusal is 400 with `error` and `error_code`, whatever the reason (the SDKs look for the
 * key `error` only).
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { UseCases } from '../../app/use-cases.ts';
import { asHandoverError, isCode, messageOf } from '../../base/errors.ts';
import { placeOf } from '../remote-place.ts';
import { basicOf } from '../sign-on.ts';
import { faultOf } from './fault.ts';

const SCOPE = 'ovirt-app-api';
const HTTP_GRANT = 'urn:ovirt:params:oauth:grant-type:http';
/** Longer names and passwords are refused before anything is hashed. */
const CREDENTIAL_LENGTH_MAX = 1_000;

type Refusal =
  | 'access_denied'
  | 'invalid_request'
  | 'unsupported_grant_type'
  | 'server_error'
  | 'invalid_grant';

/** Form fields of the body and the query; the body wins. */
function formOf(request: FastifyRequest): URLSearchParams {
  const query = new URLSearchParams(request.url.split('?')[1] ?? '');
  const body = new URLSearchParams(typeof request.body === 'string' ? request.body : '');
  for (const [name, value] of body) query.set(name, value);
  return query;
}

async function answerJson(reply: FastifyReply, status: number, body: object): Promise<void> {
  await reply
    .code(status)
    .header('content-type', 'application/json')
    .header('cache-control', 'no-store')
    .send(JSON.stringify(body));
}

async function refuse(reply: FastifyReply, code: Refusal, error: string, status = 400): Promise<void> {
  // `error_description` is OAuth's own key for the text, which other scopes' clients read.
  await answerJson(reply, status, { error_code: code, error, error_description: error });
}

async function token(useCases: UseCases, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const form = formOf(request);
  const grant = form.get('grant_type') ?? '';
  let user = form.get('username') ?? '';
  let password = form.get('password') ?? '';
  if (grant === HTTP_GRANT) {
    const basic = basicOf(request.headers.authorization);
    if (basic === null) {
      void reply.header('www-authenticate', 'Basic realm="RESTAPI"');
      await refuse(reply, 'access_denied', 'this grant needs a Basic authorization header', 401);
      return;
    }
    ({ user, password } = basic);
  } else if (grant !== 'password') {
    const error = `grant_type must be password or ${HTTP_GRANT}, not ${JSON.stringify(grant.slice(0, 60))}`;
    await refuse(reply, grant === '' ? 'invalid_request' : 'unsupported_grant_type', error);
    return;
  }
  if (user === '' || user.length > CREDENTIAL_LENGTH_MAX || password.length > CREDENTIAL_LENGTH_MAX) {
    await refuse(reply, 'invalid_request', 'username and password are required');
    return;
  }
  try {
    const session = await useCases.signOn(user, password, placeOf(request.ip));
    await answerJson(reply, 200, {
      access_token: session.token,
      // Milliseconds since 1970, as text: so the engine writes it.
      exp: String(session.expiresAt),
      scope: form.get('scope') || SCOPE,
      token_type: 'bearer',
    });
  } catch (thrown) {
    if (isCode(thrown, 'SIGN_ON_REFUSED')) {
      await refuse(reply, 'access_denied', messageOf(thrown));
      return;
    }
    await refuse(reply, 'server_error', asHandoverError(thrown).message, faultOf(thrown).status);
  }
}

async function logout(useCases: UseCases, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const given = formOf(request).get('token') ?? '';
  if (given === '') {
    await refuse(reply, 'invalid_request', 'token is required');
    return;
  }
  await useCases.signOut(given);
  await answerJson(reply, 200, {});
}

/** Registers the sign-on routes; they need no authorisation. */
export function registerSso(app: FastifyInstance, useCases: UseCases): void {
  for (const path of ['/ovirt-engine/sso/oauth/token', '/ovirt-engine/sso/oauth/token-http-auth']) {
    app.route({
      method: ['GET', 'POST'],
      url: path,
      handler: async (request, reply) => {
        await token(useCases, request, reply);
        return reply;
      },
    });
  }
  app.post('/ovirt-engine/services/sso-logout', async (request, reply) => {
    await logout(useCases, request, reply);
    return reply;
  });
}
