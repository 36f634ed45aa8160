// node-semver in loose mode.
import { createInterface } from 'node:readline';
import semver from 'semver';

for await (const line of createInterface({ input: process.stdin })) {
  const [a, b] = line.split('\t').map((version) => semver.parse(version, { loose: true }));
  process.stdout.write(`${a && b ? '<=>'[a.compare(b) + 1] : '?'}\n`);
}
