import { describe, expect, it } from 'vitest';
import { loadConfig } from '../config.ts';
import { silentLogger } from '../platform/logger.ts';
import { createPublicServer } from './http-server.ts';

describe('where a request comes from', () => {
  it.each([
    ['false', '198.51.100.7', '203.0.113.9', '203.0.113.9'],
    ['203.0.113.0/24', '198.51.100.7', '203.0.113.9', '198.51.100.7'],
    ['203.0.113.0/24', '198.51.100.7', '192.0.2.1', '192.0.2.1'],
    // What the client itself wrote stands before what the proxy saw.
    ['203.0.113.0/24', '1.1.1.1, 198.51.100.7', '203.0.113.9', '198.51.100.7'],
    ['203.0.113.9,10.0.0.0/8', '1.1.1.1, 198.51.100.7, 10.2.3.4', '203.0.113.9', '198.51.100.7'],
    ['fd00::/8', '2001:db8::1', 'fd00::1', '2001:db8::1'],
    ['true', '1.1.1.1, 198.51.100.7', '192.0.2.1', '1.1.1.1'],
  ])('trusting %s, forwarded for %s by %s: %s', async (trusted, forwarded, remoteAddress, expected) => {
    const app = createPublicServer(loadConfig({ BREAKWATER_TRUST_PROXY: trusted }), silentLogger);
    app.get('/', async ({ ip }) => ip);
    const reply = await app.inject({ url: '/', remoteAddress, headers: { 'x-forwarded-for': forwarded } });
    expect(reply.body).toBe(expected);
    await app.close();
  });
});
