#!/usr/bin/env node
// Starts Breakwater on the Node version pinned in package.json, whatever Node runs this file.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NEEDED_MAJOR = 26;
const root = dirname(dirname(fileURLToPath(import.meta.url)));
/**
 * For the server and the guard: a young heap of a few megabytes instead of fifty, an old one that is collected before it has grown by a
 * hundred, and memory that goes back to the system when it is free. All are read when a process starts (options of V8; mallopt(3) of glibc).
 */
const SERVER_PROCESS = join(root, 'bin', 'server-process.json');
const isServer = process.argv[process.argv[2] === 'guard' ? 3 : 2] === 'serve';
const asServer = isServer ? JSON.parse(readFileSync(SERVER_PROCESS, 'utf8')) : { options: [], environment: {} };
const { options } = asServer;
const environment = { ...asServer.environment, ...process.env };

if (Number(process.versions.node.split('.')[0]) >= NEEDED_MAJOR) {
  // Whoever sets one of them by hand means it.
  const started = options.some((option) => process.execArgv.some((given) => nameOf(given) === nameOf(option)));
  if (isServer && !started && process.platform !== 'win32')
    // The same process goes on as the server.
    process.execve(
      process.execPath,
      [process.execPath, ...process.execArgv, ...options, ...process.argv.slice(1)],
      environment,
    );
  if (process.channel) {
    process.channel.unref();
    process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  }
  const { main } = await import(existsSync(join(root, 'dist', 'main.js')) ? '../dist/main.js' : '../src/main.ts');
  await main(process.argv.slice(2));
} else if (process.argv.length === 3 && ['--version', '-V'].includes(process.argv[2])) {
  // Needs no second process.
  console.log(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version);
} else {
  const pinned = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (!existsSync(pinned)) {
    console.error(`breakwater: needs Node ${NEEDED_MAJOR}; run "npm ci" in ${root} first, it brings its own.`);
    process.exit(3);
  }
  const { spawn } = await import('node:child_process');
  const child = spawn(pinned, [...options, fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    // The channel tells the other that this process is gone, however it went.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: environment,
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? (signal ? 128 : 1)));
}

function nameOf(option) {
  return option.split('=', 1)[0];
}
