import { readFileSync } from 'node:fs';
import { Agent, type Dispatcher, request } from 'undici';
import type { z } from 'zod';
import {
  factsPage,
  type guardFacts,
  LONGEST_WAIT_SECONDS,
  type reportFindings,
} from '../../api/contract/guard-feed.ts';
import type { FactsPage } from '../../facts/page.ts';
import { messageOf } from '../../platform/errors.ts';
import { readBounded } from '../../platform/streams.ts';
import { LinkError } from './errors.ts';

export interface ServerAccess {
  /** Address of the server without `/api`, as people open it. */
  readonly server: string;
  /** A file with `NAME:SECRET` of the guard's account; read again for each request. */
  readonly tokenFile: string;
  /** A PEM file of the authorities to trust instead of those of the system; read again when it changes. */
  readonly caFile?: string | undefined;
}

export type FactsQuestion = z.input<(typeof guardFacts)['body']>;
export type FindingsReport = z.input<(typeof reportFindings)['body']>;

/** What a guard asks and tells its server. All throw `LinkError`. */
export interface ServerClient {
  facts(question: FactsQuestion, signal: AbortSignal): Promise<FactsPage>;
  /** An audit as lines of JSON. */
  reportAudit(lines: Buffer, signal: AbortSignal): Promise<void>;
  reportFindings(report: FindingsReport, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

const CONNECT_MS = 10_000;
/** Beyond what the server was told to wait. */
const REPLY_MS = 15_000;
/** Storing what runs in a very large cluster takes its time. */
const REPORT_MS = 120_000;
const LARGEST_REPLY = 16 * 1024 * 1024;
const LARGEST_ERROR = 64 * 1024;
const LONGEST_ACCOUNT = 1024;
const LONGEST_RETRY_MS = 60_000;

/** A client for one server. Connections are kept; redirects are not followed. */
export function createServerClient(access: ServerAccess): ServerClient {
  const base = access.server.replace(/\/+$/, '');
  let connected: { readonly ca: string | undefined; readonly agent: Agent } | undefined;

  function agent(): Agent {
    const ca = access.caFile === undefined ? undefined : readText(access.caFile, 'the certificates of the server');
    if (connected && connected.ca === ca) return connected.agent;
    // What is under way ends over the old connections.
    void connected?.agent.close();
    const connect = { timeout: CONNECT_MS, ...(ca === undefined ? {} : { ca }) };
    connected = { ca, agent: new Agent({ connections: 4, keepAliveTimeout: 60_000, connect }) };
    return connected.agent;
  }

  async function post(
    path: string,
    body: Buffer | string,
    type: string,
    options: { readonly replyMs: number; readonly signal: AbortSignal },
  ): Promise<Dispatcher.ResponseData> {
    const account = readText(access.tokenFile, 'the account of the guard').trim();
    if (!/^[^:\s]+:\S+$/.test(account) || account.length > LONGEST_ACCOUNT)
      throw new LinkError('file_unusable', `${access.tokenFile} must hold one line: NAME:SECRET`);
    const dispatcher = agent();
    let reply: Dispatcher.ResponseData;
    try {
      reply = await request(`${base}/api/v1${path}`, {
        dispatcher,
        method: 'POST',
        body,
        headers: {
          accept: 'application/json',
          'content-type': type,
          'user-agent': 'breakwater-guard',
          authorization: `Basic ${Buffer.from(account).toString('base64')}`,
        },
        headersTimeout: options.replyMs,
        bodyTimeout: REPLY_MS,
        signal: options.signal,
      });
    } catch (error) {
      throw new LinkError('unreachable', `${base} cannot be reached: ${messageOf(error)}`, { cause: error });
    }
    if (reply.statusCode === 200 || reply.statusCode === 204) return reply;
    throw await refusalOf(reply, base);
  }

  return {
    async facts(question, signal) {
      const replyMs = (question.waitSeconds ?? 0) * 1000 + REPLY_MS;
      const reply = await post('/guard/facts', JSON.stringify(question), 'application/json', { replyMs, signal });
      try {
        return factsPage.parse(JSON.parse((await readBounded(reply.body, LARGEST_REPLY, 'facts')).toString('utf8')));
      } catch (error) {
        reply.body.destroy();
        throw new LinkError('unexpected_reply', `${base} answered what is no page of facts: ${briefly(error)}`, {
          cause: error,
        });
      }
    },
    async reportAudit(lines, signal) {
      const options = { replyMs: REPORT_MS, signal };
      const reply = await post('/guard/audit', lines, 'application/octet-stream', options);
      await reply.body.dump();
    },
    async reportFindings(report, signal) {
      const options = { replyMs: REPLY_MS, signal };
      const reply = await post('/guard/findings', JSON.stringify(report), 'application/json', options);
      await reply.body.dump();
    },
    async close() {
      await connected?.agent.destroy();
    },
  };
}

/** Most waits of a guard, seconds. */
export const WAIT_SECONDS = LONGEST_WAIT_SECONDS;

function readText(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new LinkError('file_unusable', `${what} cannot be read from ${path}: ${messageOf(error)}`, { cause: error });
  }
}

async function refusalOf(reply: Dispatcher.ResponseData, base: string): Promise<LinkError> {
  const text = (await readBounded(reply.body, LARGEST_ERROR, 'an error').catch(() => Buffer.alloc(0))).toString();
  const { statusCode } = reply;
  const message = `${base} answered ${statusCode}: ${detailOf(text)}`;
  if (statusCode === 401 || statusCode === 403) return new LinkError('denied', message);
  if (statusCode !== 429 && statusCode < 500) return new LinkError('unexpected_reply', message);
  const seconds = Number(reply.headers['retry-after']);
  const retryAfterMs = seconds > 0 ? Math.min(seconds * 1000, LONGEST_RETRY_MS) : undefined;
  return new LinkError('busy', message, { retryAfterMs });
}

/** What a problem document says, or the beginning of whatever it is. */
function detailOf(text: string): string {
  try {
    const problem: unknown = JSON.parse(text);
    if (typeof problem === 'object' && problem !== null && 'detail' in problem)
      return printable(String(problem.detail));
  } catch {
    // Not JSON: a proxy in front, most likely.
  }
  return printable(text);
}

function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ').slice(0, 300);
}

function briefly(error: unknown): string {
  return messageOf(error).slice(0, 300);
}
