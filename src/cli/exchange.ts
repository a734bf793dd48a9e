/**
 * One request and its answer, over HTTP or HTTPS, within a limit. A connection each: an engine that restarts
 * leaves none behind that only looks alive. Not `fetch`: that trusts no authority but the system's.
 */
import { request as overHttp } from 'node:http';
import { request as overHttps } from 'node:https';
import { CliError, EXIT } from './cli-error.ts';

/** Adding a host connects to it and looks at everything on it. */
const REQUEST_LIMIT_MS = 120_000;

/** An engine: its URL without a slash at its end, and the authority to trust beside those of the system. */
export interface EngineAddress {
  readonly url: string;
  /** PEM, from `caFile`; null: the system's alone. */
  readonly ca: string | null;
  readonly caFile: string | null;
}

/** What is asked, below the engine's URL. */
export interface Exchange {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Sends it and returns the answer. `CliError` (unreachable) if there is none within the limit. */
export async function send(
  engine: EngineAddress,
  path: string,
  exchange: Exchange = {},
): Promise<{ status: number; text: string }> {
  const signal = AbortSignal.timeout(REQUEST_LIMIT_MS);
  try {
    return await ask(engine, path, exchange, signal);
  } catch (thrown) {
    if (signal.aborted) throw noAnswer(engine.url, exchange.method);
    const code = (thrown as NodeJS.ErrnoException).code ?? (thrown as Error).message;
    throw new CliError(
      EXIT.unreachable,
      `can not reach Handover at ${engine.url}: ${whyNot(code, engine.caFile)} (another engine: --url or ` +
        `HANDOVER_URL)`,
    );
  }
}

async function ask(engine: EngineAddress, path: string, exchange: Exchange, signal: AbortSignal) {
  const url = new URL(`${engine.url}${path}`);
  const { method = 'GET', headers = {}, body } = exchange;
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  const options = { method, headers: { ...headers, ...length }, agent: false as const, signal };
  return await new Promise<{ status: number; text: string }>((resolve, reject) => {
    const asked =
      url.protocol === 'https:'
        ? overHttps(url, { ...options, ...(engine.ca === null ? {} : { ca: engine.ca }) })
        : overHttp(url, options);
    asked.on('error', reject);
    asked.on('response', (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (piece: string) => {
        text += piece;
      });
      answer.on('error', reject);
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    asked.end(body);
  });
}

/** The commonest reasons in words; the others by their code. */
function whyNot(code: string, caFile: string | null): string {
  switch (code) {
    case 'ECONNREFUSED':
      return 'nothing listens there; is "handover serve" running?';
    case 'EPROTO':
      return 'it does not speak TLS; is its URL http://?';
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return 'its certificate is for other names; use one of those in the URL';
    case 'CERT_HAS_EXPIRED':
      return 'its certificate has expired; start the engine again to have another, or give it one';
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
      return caFile === null
        ? "its certificate is of an authority that is not trusted here; name that one's with --ca-file FILE"
        : `its certificate is not of the authority in ${caFile}`;
    default:
      return code;
  }
}

function noAnswer(url: string, method = 'GET'): CliError {
  const advice =
    method === 'GET' ? '' : '; it may have been carried out all the same: look before you repeat it';
  return new CliError(
    EXIT.unreachable,
    `no answer from Handover at ${url} within ${REQUEST_LIMIT_MS / 1000} s${advice}`,
    'CALL_TIMED_OUT',
  );
}
