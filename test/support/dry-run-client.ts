import { Agent, request } from 'undici';
import { loadKubeconfig } from '../../src/kubernetes/kubeconfig.ts';

/** What the API server says to a write. */
export interface WriteReply {
  readonly code: number;
  /** Of its Status, empty for a success. */
  readonly message: string;
  /** Texts of its warnings. */
  readonly warnings: readonly string[];
  readonly object: unknown;
}

/** Writes to an API server and shows the warnings that came with the reply. */
export interface WriteClient {
  write(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, object?: unknown): Promise<WriteReply>;
  close(): Promise<void>;
}

export function createWriteClient(kubeconfig: string): WriteClient {
  const { server, ca, token } = loadKubeconfig(kubeconfig);
  const dispatcher = new Agent({ connections: 16, connect: ca === undefined ? {} : { ca } });
  return {
    async write(method, path, object) {
      const reply = await request(`${server}${path}`, {
        dispatcher,
        method,
        headers: {
          authorization: `Bearer ${token ?? ''}`,
          'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
        },
        ...(object === undefined ? {} : { body: JSON.stringify(object) }),
        headersTimeout: 120_000,
        bodyTimeout: 120_000,
      });
      const body: unknown = await reply.body.json();
      const failed = reply.statusCode >= 300;
      return {
        code: reply.statusCode,
        message: failed && typeof body === 'object' && body !== null && 'message' in body ? String(body.message) : '',
        warnings: [reply.headers['warning'] ?? []].flat().flatMap(warningTexts),
        object: body,
      };
    },
    close: () => dispatcher.destroy(),
  };
}

/** The texts of `299 - "…"` values, which a server may also join by commas. */
function warningTexts(header: string): string[] {
  return [...header.matchAll(/\b\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) => unquote(text));
}

/** Header values are bytes; the API server writes UTF-8 and escapes quotes and backslashes. */
function unquote(text: string): string {
  return Buffer.from(text.replaceAll(/\\(.)/g, '$1'), 'latin1').toString('utf8');
}
