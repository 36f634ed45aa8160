import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ConfigError, formatAddress, loadConfig, redactConfig } from './config.ts';

describe('loadConfig', () => {
  const folder = mkdtempSync(join(tmpdir(), 'breakwater-config-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (text: string) => {
    writeFileSync(join(folder, 'settings.yaml'), text);
    return { BREAKWATER_CONFIG: join(folder, 'settings.yaml') };
  };

  it('has defaults that serve on loopback only', () => {
    const config = loadConfig({});
    expect(formatAddress(config.listen)).toBe('127.0.0.1:8080');
    expect(formatAddress(config.webhookListen)).toBe('127.0.0.1:8443');
    expect(formatAddress(config.metricsListen)).toBe('127.0.0.1:9090');
    expect(config.fourEyes).toBe(true);
  });

  it('reads a file, and the environment wins', () => {
    const config = loadConfig({ ...file('listen: "[::1]:1"\nlogLevel: debug\n'), BREAKWATER_LISTEN: '0.0.0.0:2' });
    expect(formatAddress(config.listen)).toBe('0.0.0.0:2');
    expect(config.logLevel).toBe('debug');
  });

  it.each([
    [undefined, false],
    ['true', true],
    ['0', false],
    ['10.0.0.1', ['10.0.0.1']],
    ['10.0.0.1, fd00::/8', ['10.0.0.1', 'fd00::/8']],
  ])('reads whose forwarded addresses are believed: %j', (text, expected) => {
    const environment = text === undefined ? {} : { BREAKWATER_TRUST_PROXY: text };
    expect(loadConfig(environment).trustProxy).toEqual(expected);
  });

  it('keeps an IPv6 address whole', () => {
    expect(formatAddress(loadConfig({ BREAKWATER_LISTEN: '[::1]:8080' }).listen)).toBe('[::1]:8080');
  });

  it.each([
    [{ BREAKWATER_LISTEN: 'nowhere' }, /BREAKWATER_LISTEN: expected host:port/],
    [{ BREAKWATER_LISTEN: '127.0.0.1:99999' }, /BREAKWATER_LISTEN: .*port/],
    [{ BREAKWATER_DATABASE_URL: 'mysql://x' }, /BREAKWATER_DATABASE_URL: expected postgres/],
    [{ BREAKWATER_ADMIN_PASSWORD: 'short' }, /BREAKWATER_ADMIN_PASSWORD: must have at least 8/],
    [{ BREAKWATER_TRUST_PROXY: 'proxy.example.com' }, /BREAKWATER_TRUST_PROXY: expected true, false, or addresses/],
    [{ BREAKWATER_TRUST_PROXY: '10.0.0.1, 10.0.0.0/33' }, /BREAKWATER_TRUST_PROXY: expected/],
    [{ BREAKWATER_LIMIT_PULLS: '-1' }, /BREAKWATER_LIMIT_PULLS: /],
    [{ BREAKWATER_BLOBS: 'bucket' }, /BREAKWATER_BLOBS: expected s3:/],
    [{ BREAKWATER_BLOBS: 's3://bucket/../other' }, /BREAKWATER_BLOBS: expected s3:/],
    [{ BREAKWATER_S3_ENDPOINT: 'https://user:hunter2@s3' }, /BREAKWATER_S3_ENDPOINT: expected an address/],
    [{ BREAKWATER_S3_ACCESS_KEY: 'a' }, /S3_SECRET_KEY: set both or neither/],
    [
      { BREAKWATER_S3_ACCESS_KEY: 'a', BREAKWATER_S3_ACCESS_KEY_FILE: 'a', BREAKWATER_S3_SECRET_KEY: 'b' },
      /set both or neither/,
    ],
    [{ BREAKWATER_S3_PART_SIZE: '4' }, /BREAKWATER_S3_PART_SIZE/],
    [{ BREAKWATER_ANALYSIS_WORKERS: '0', BREAKWATER_LOG_LEVEL: 'loud' }, /LOG_LEVEL[\s\S]*ANALYSIS_WORKERS/],
  ])('names every wrong setting: %j', (environment, message) => {
    expect(() => loadConfig(environment)).toThrow(ConfigError);
    expect(() => loadConfig(environment)).toThrow(message);
  });

  it.each(['- a list', 'unknownKey: 1', '{'])('refuses the file %j', (text) => {
    expect(() => loadConfig(file(text))).toThrow(ConfigError);
  });

  it('never shows secrets', () => {
    const secrets = {
      BREAKWATER_ADMIN_PASSWORD: 'hunter2hunter2',
      BREAKWATER_DATABASE_URL: 'postgres://u:hunter2@h/d',
      BREAKWATER_SECRET_KEY: 'hunter2',
      BREAKWATER_PASSWORD: 'hunter2',
      BREAKWATER_S3_ACCESS_KEY: 'hunter2',
      BREAKWATER_S3_SECRET_KEY: 'hunter2',
    };
    expect(JSON.stringify(redactConfig(loadConfig(secrets)))).not.toContain('hunter2');
  });
});
