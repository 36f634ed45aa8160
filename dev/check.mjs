// The gate: runs the checks of package.json side by side, prints what failed, exits 1 when one did.
import { spawn } from 'node:child_process';

/** The longest first; each group runs one after another, the groups at once. */
const GROUPS = [['test:unit'], ['lint', 'types', 'format:check', 'knip']];

const results = await Promise.all(GROUPS.map(async (names) => {
  const failed = [];
  for (const name of names) if (!(await passes(name))) failed.push(name);
  return failed;
}));
const failed = results.flat();
console.log(failed.length === 0 ? 'check: clean' : `check: failed in ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;

/** @param {string} name */
function passes(name) {
  return new Promise((resolve) => {
    const child = spawn('npm', ['run', '-s', name], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.on('close', (code) => {
      if (code !== 0) console.log(`${output}\ncheck: ${name} failed`);
      resolve(code === 0);
    });
  });
}
