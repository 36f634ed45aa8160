import { Agent, request } from 'node:https';

/** What a webhook said, reduced to what an API server makes of it. */
export interface Answer {
  /** Of the HTTP reply; anything but 200 leaves the decision to the failure policy. */
  readonly http: number;
  readonly allowed: boolean;
  /** Of the review; 200 when it says none. */
  readonly code: number;
  readonly reason: string;
  /** Only of a refusal: nobody sees another. */
  readonly message: string;
  readonly warnings: readonly string[];
}

export interface Asker {
  ask(body: string): Promise<Answer>;
  close(): void;
}

interface Reply {
  readonly response?: {
    readonly allowed?: boolean;
    readonly status?: { readonly code?: number; readonly reason?: string; readonly message?: string };
    readonly warnings?: readonly string[];
  };
}

/** Sends reviews to one webhook over kept TLS connections; its certificate is not checked. */
export function createAsker(url: string, connections = 4): Asker {
  const agent = new Agent({ keepAlive: true, maxSockets: connections, rejectUnauthorized: false });
  return {
    async ask(body) {
      const { status, text } = await post(url, agent, body);
      const reply = (status === 200 ? JSON.parse(text) : {}) as Reply;
      const { allowed = false, status: outcome = {}, warnings = [] } = reply.response ?? {};
      return {
        http: status,
        allowed,
        code: outcome.code ?? 200,
        reason: allowed ? '' : (outcome.reason ?? ''),
        message: allowed ? '' : (outcome.message ?? ''),
        warnings,
      };
    },
    close: () => agent.destroy(),
  };
}

function post(url: string, agent: Agent, body: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', agent, headers: { 'content-type': 'application/json' } }, (reply) => {
      let text = '';
      reply.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      reply.once('end', () => resolve({ status: reply.statusCode ?? 0, text }));
      reply.once('error', reject);
    });
    sent.once('error', reject);
    sent.end(body);
  });
}
