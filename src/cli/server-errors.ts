import { problem } from '../api/contract/common.ts';
import type { HttpError } from '../platform/http-client.ts';
import { oneLine } from '../platform/one-line.ts';
import type { Login } from './credentials.ts';
import { CliError } from './exit.ts';

const LONGEST_DETAIL = 2000;

/** The error of a server that could not be asked at all, and what to start or to set. */
export function unreachable(error: HttpError, { url }: Pick<Login, 'url'>): CliError {
  const way = 'start it with "breakwater serve", or say where yours is with BREAKWATER_URL or "breakwater login URL"';
  const what =
    error.code === 'timeout'
      ? `the server at ${url} does not answer in time`
      : error.code === 'redirect_refused'
        ? error.message
        : `no server answers at ${url} (${lastWord(error.message)})`;
  return new CliError('unreachable', `${what}; ${way}`, { cause: error });
}

/** The error of an answer with another status than the one hoped for: what the server says, in one line, and what to do. */
export function failureOf(status: number, body: string, login: Login, wanted: string): CliError {
  const detail = detailOf(body);
  if (status === 401) return new CliError('server', isMistyped(body) ? (detail ?? refused(login)) : refused(login));
  if (detail === undefined)
    return new CliError(
      'server',
      `${login.url} answered ${status} (${wanted.toLowerCase()}) and does not say why; is it a Breakwater of this version?`,
    );
  if (status === 403)
    return new CliError('server', `${detail} (as ${login.password === undefined ? 'nobody' : login.user})`);
  return new CliError('server', status >= 500 ? `the server failed: ${detail} (see its log)` : detail);
}

/** The server can tell that a robot's secret was cut off before it looks for the robot. */
function isMistyped(body: string): boolean {
  return body.includes('"secret_mistyped"');
}

function refused({ url, user, password }: Login): string {
  return password === undefined
    ? `${url} wants to know who you are: run "breakwater login ${url}", or set BREAKWATER_USER and BREAKWATER_PASSWORD`
    : `${url} does not accept user "${user}" with this password: run "breakwater login ${url}", or check BREAKWATER_USER and BREAKWATER_PASSWORD`;
}

/** The sentence of a problem document (RFC 9457); undefined when it is none. */
function detailOf(body: string): string | undefined {
  try {
    const { detail, title } = problem.partial().parse(JSON.parse(body));
    const text = oneLine(detail ?? title ?? '').slice(0, LONGEST_DETAIL);
    return text === '' ? undefined : text;
  } catch {
    return undefined;
  }
}

/** `ECONNREFUSED` of `http://… cannot be reached: ECONNREFUSED`. */
function lastWord(message: string): string {
  return message.slice(message.lastIndexOf(': ') + 2);
}
