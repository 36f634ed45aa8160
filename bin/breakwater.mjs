#!/usr/bin/env node
// Starts Breakwater on the Node version pinned in package.json, whatever Node runs this file.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NEEDED_MAJOR = 26;
const root = dirname(dirname(fileURLToPath(import.meta.url)));

if (Number(process.versions.node.split('.')[0]) >= NEEDED_MAJOR) {
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
  const child = spawn(pinned, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? (signal ? 128 : 1)));
}
