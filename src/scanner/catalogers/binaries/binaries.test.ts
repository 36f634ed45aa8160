import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeElf, makeFat, makeMachO } from '../../executables/make-executable.testing.ts';
import { viewOf } from '../../file-view.ts';
import { binaryCataloger } from './cataloger.ts';
import { mayBeExecutable } from './paths.ts';
import { releaseFileCataloger } from './release-files.ts';
import { RUNTIMES } from './runtimes.ts';
import { searchTexts } from './search.ts';

const withTexts = (...texts: readonly string[]): Buffer =>
  makeElf([
    { name: '.text', content: Buffer.alloc(64), code: true },
    { name: '.rodata', content: Buffer.from(`\0${texts.join('\0')}\0`, 'latin1') },
  ]);

const catalog = (path: string, bytes: Buffer) => binaryCataloger.catalog(path, viewOf(bytes));
const listed = (path: string, bytes: Buffer) =>
  (catalog(path, bytes).packages ?? []).map(({ type, name, version }) => `${type} ${name} ${version}`);

describe('binaryCataloger', () => {
  it.each([
    ['usr/local/bin/node', 'node.js/v20.11.1', 'node 20.11.1'],
    ['usr/lib/libnode.so.108', 'node.js/v18.20.4', 'node 18.20.4'],
    ['usr/local/bin/python3.12', '3.12.1', 'python 3.12.1'],
    ['usr/local/lib/libpython3.13.so.1.0', '/src/Python-3.13.0rc1', 'python 3.13.0rc1'],
    ['usr/lib/libpython3.6m.so.1.0', '3.6.15+', 'python 3.6.15'],
    ['usr/sbin/nginx', 'nginx version: nginx/1.25.3\n', 'nginx 1.25.3'],
    ['usr/local/openresty/nginx/sbin/nginx', 'nginx version: openresty/1.21.4.1\n', 'openresty 1.21.4.1'],
    ['usr/local/bin/redis-server', '7.2.4buildkitsandbox-1704849123000000000', 'redis 7.2.4'],
    ['usr/local/bin/redis-server', '7.0.151790282056000000000', 'redis 7.0.15'],
    ['usr/local/bin/redis-server', '7.0.11790282056000000000', 'redis 7.0.1'],
    ['usr/local/bin/redis-server', '7.0.111790282056000000000', 'redis 7.0.11'],
    ['usr/local/bin/redis-server', '6.2.44d3a2b1c0de1-1704849123000000000', 'redis 6.2.4'],
    ['usr/bin/valkey-server', 'valkey9.1.21789267002000000000', 'valkey 9.1.2'],
    ['usr/lib/postgresql/16/bin/postgres', 'postgres (PostgreSQL) 16.1 (Debian 16.1-1)\n', 'postgresql 16.1'],
    ['usr/local/bin/postgres', 'postgres (PostgreSQL) 9.6.24\n', 'postgresql 9.6.24'],
    ['usr/local/bin/postgres', 'postgres (PostgreSQL) 18beta1\n', 'postgresql 18beta1'],
    ['usr/sbin/mariadbd', '10.11.6-MariaDB', 'mariadb 10.11.6'],
    ['usr/sbin/mysqld', 'MySQL 8.0.35', 'mysql 8.0.35'],
    ['usr/local/apache2/bin/httpd', 'Apache/2.4.58', 'apache 2.4.58'],
    ['usr/local/bin/memcached', 'memcached 1.6.23', 'memcached 1.6.23'],
    ['usr/local/sbin/haproxy', '2.9.4-4e071ad', 'haproxy 2.9.4'],
    ['usr/local/bin/php', 'X-Powered-By: PHP/8.3.2', 'php 8.3.2'],
    ['usr/lib/apache2/modules/libphp.so', 'X-Powered-By: PHP/8.3.0RC1', 'php 8.3.0RC1'],
    ['usr/local/bin/perl', 'v5.38.2', 'perl 5.38.2'],
    ['usr/local/lib/libruby.so.3.3.0', 'ruby 3.3.0 (2023-12-25 revision 5124f9ac75) [x86_64-linux]', 'ruby 3.3.0'],
    ['usr/lib/libruby-3.1.so.3.1.2', 'ruby 3.1.2p20 (2022-04-12 revision 4491bb740a) [x86_64]', 'ruby 3.1.2'],
    ['toolchain/lib/librustc_driver-6108105cd7e839cf.so', '1.95.0 (59807616e 2026-04-14)x', 'rust 1.95.0'],
    ['usr/sbin/varnishd', 'varnish-7.4.2 revision e1c1a45', 'varnish 7.4.2'],
    ['usr/bin/pgbouncer', 'PgBouncer 1.21.0', 'pgbouncer 1.21.0'],
    ['usr/sbin/slapd', '@(#) $OpenLDAP: slapd 2.6.6 (Aug 1 2023) $', 'openldap 2.6.6'],
    ['usr/local/bin/git', 'git/2.43.0', 'git 2.43.0'],
    ['usr/local/bin/lua5.4', '$LuaVersion: Lua 5.4.6  Copyright (C)', 'lua 5.4.6'],
    ['usr/lib/libsqlite3.so.0.8.6', '3.44.2', 'sqlite 3.44.2'],
  ])('knows %s with %j as %s', (path, text, expected) => {
    expect(listed(path, withTexts('before', text, 'after'))).toEqual([`generic ${expected}`]);
  });

  it.each([
    ['usr/bin/mentions', 'node.js/v20.11.1'],
    ['usr/local/bin/node', 'node version 20.11.1'],
    ['usr/local/bin/python3', '3.12.1'],
    ['usr/local/bin/python3.12', '3.1.12'],
    ['usr/local/bin/python3.1', '3.12.1'],
    ['usr/bin/redis-cli', '7.2.4buildkitsandbox-1704849123000000000'],
    ['usr/bin/redis-server', '7.2.4'],
    ['usr/bin/perl', 'needs v5.38.2 at least'],
    ['usr/sbin/haproxy', 'OpenSSL 3.0.2'],
  ])('does not take %s with %j for a runtime', (path, text) => {
    expect(catalog(path, withTexts(text))).toEqual({ packages: [] });
  });

  it('does not guess between versions', () => {
    expect(catalog('bin/git', withTexts('git/2.43.0', 'git/2.39.5'))).toEqual({
      packages: [],
      problems: ['it looks like git, and names several versions of it'],
    });
    expect(listed('bin/perl', withTexts('v5.8.0', 'v5.42.3', 'v5.42.0'))).toEqual(['generic perl 5.42.3']);
  });

  it('looks at data, not at code', () => {
    const code = makeElf([
      { name: '.text', content: Buffer.from('node.js/v20.11.1\0'), code: true },
      { name: '.rodata', content: Buffer.from('nothing') },
    ]);
    expect(catalog('bin/node', code)).toEqual({ packages: [] });
  });

  it('finds Go, Rust and a runtime in the same file, and twins once', () => {
    const info = Buffer.alloc(32);
    info.write('\xff Go buildinf:\x08\x02', 'latin1');
    const crates = deflateSync('{"packages":[{"name":"a","version":"1.0.0"}]}');
    const program = makeMachO([
      { name: '__go_buildinfo', content: Buffer.concat([info, Buffer.from('\x08go1.22.1\0')]), writable: true },
      { name: '.dep-v0', content: crates },
      { name: '__const', content: Buffer.from('node.js/v20.11.1\0') },
    ]);
    expect(listed('bin/node', makeFat([program, program]))).toEqual([
      'golang stdlib 1.22.1',
      'cargo a 1.0.0',
      'generic node 20.11.1',
    ]);
  });

  it.each([
    ['bin/app', true],
    ['app', true],
    ['usr/lib/libx.so.6', true],
    ['usr/lib/x.cpython-311-x86_64-linux-gnu.so', true],
    ['usr/bin/python3.11', true],
    ['opt/app-v1.2.3', true],
    ['opt/app.exe', true],
    ['opt/app.linux-amd64', false],
    ['opt/app-linux.amd64', true],
    ['erts-13.1.5/bin/beam.smp', true],
    ['usr/share/doc/app/copyright', false],
    ['usr/share/zoneinfo/Europe/Zurich', false],
    ['usr/lib/a.py', false],
    ['usr/lib/a.tar.gz', false],
    ['usr/lib/', false],
  ])('may want %s: %s', (path, wanted) => {
    expect(mayBeExecutable(path)).toBe(wanted);
  });

  it('searches every path and every text in linear time', () => {
    for (const piece of ['a', '/', '.', '.1', '/a.', '1.', '1', 'v5.', '\0', '3.1', 'a-', '9.9.9a', '1.1.1-a']) {
      mayBeExecutable(piece.repeat(1_000_000));
      const view = viewOf(Buffer.from(piece.repeat(1_000_000 / piece.length)));
      for (const { text } of RUNTIMES) searchTexts(view, [{ at: 0, size: view.size }], new RegExp(text, 'g'));
    }
  });

  it.each([1024 * 1024 - 8, 1024 * 1024, 1024 * 1024 + 500])(
    'finds a text over the border of two pieces at %i',
    (at) => {
      const bytes = Buffer.alloc(2 * 1024 * 1024);
      bytes.write('node.js/v20.11.1', at);
      expect(searchTexts(viewOf(bytes), [{ at: 0, size: bytes.length }], /node\.js\/v(\S+?)\0/g)).toEqual(['20.11.1']);
    },
  );

  it('survives any bytes', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 4096 }),
        fc.constantFrom('\x7fELF\x02\x01', 'MZ', '\xcf\xfa\xed\xfe', ''),
        (bytes, magic) => {
          catalog('bin/node', Buffer.concat([Buffer.from(magic, 'latin1'), bytes]));
        },
      ),
    );
  });
});

describe('releaseFileCataloger', () => {
  it.each([
    ['opt/java/release', 'IMPLEMENTOR="Eclipse Adoptium"\nJAVA_VERSION="17.0.9"\nMODULES="a b"\n', 'java 17.0.9'],
    ['opt/java/release', 'JAVA_VERSION="1.8.0_392"\r\n', 'java 8.0.392'],
    ['opt/java/release', 'JAVA_VERSION="1.8.0"\n', 'java 8.0.0'],
    ['usr/local/go/VERSION', 'go1.22.1\ntime 2024-02-29T18:18:48Z\n', 'golang 1.22.1'],
    ['usr/lib/go-1.19/VERSION', 'go1.19.8', 'golang 1.19.8'],
    ['usr/local/lib/erlang/releases/26/OTP_VERSION', '26.2.1\n', 'erlang 26.2.1'],
  ])('reads %s: %j', (path, text, expected) => {
    expect(releaseFileCataloger.wants(path)).toBe(true);
    const { packages = [] } = releaseFileCataloger.catalog(path, viewOf(Buffer.from(text)));
    expect(packages.map(({ type, name, version }) => `${type} ${name} ${version}`)).toEqual([`generic ${expected}`]);
  });

  it.each([
    ['etc/release', 'NAME="Alpine"\n'],
    ['usr/local/go/VERSION', 'devel +123\n'],
    ['releases/26/OTP_VERSION', 'x'],
    ['opt/java/release', ''],
  ])('finds nothing in %s: %j', (path, text) => {
    expect(releaseFileCataloger.catalog(path, viewOf(Buffer.from(text)))).toEqual({ packages: [] });
  });

  it.each(['opt/app/VERSION', 'etc/os-release', 'releases/a/OTP_VERSION'])('does not want %s', (path) => {
    expect(releaseFileCataloger.wants(path)).toBe(false);
  });
});
