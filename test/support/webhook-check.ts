import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { requirePeer } from './peers.ts';
import type { SignedMessage } from './verify-webhook.ts';

export interface WebhookCheck {
  /** `ok`, or what is wrong with the message. */
  verify(message: SignedMessage): Promise<string>;
  stop(): void;
}

/** The Standard Webhooks project's own library as a program that answers one message after the other. */
export function startWebhookCheck(): WebhookCheck {
  const child = spawn(requirePeer('webhook-check'), { stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting: ((answer: string) => void)[] = [];
  createInterface(child.stdout).on('line', (line) => waiting.shift()?.(line));
  child.once('close', () => {
    for (const answer of waiting.splice(0)) answer('the library ended');
  });
  child.stdin.on('error', () => undefined);
  return {
    verify(message) {
      return new Promise((resolve) => {
        waiting.push(resolve);
        child.stdin.write(`${JSON.stringify(message)}\n`);
      });
    },
    stop: () => void child.stdin.end(),
  };
}
