import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCluster } from '../support/cluster.ts';
import { summary } from './checks.ts';
import { checkLife } from './life.ts';
import { checkOffline } from './offline.ts';
import { checkServerSide } from './server-side.ts';

/** The Helm chart of the guard, with the real Helm and a real API server. The last line says `N passed, N failed`. */
const folder = await mkdtemp(join(tmpdir(), 'breakwater-helm-'));
try {
  await checkOffline(folder);
  const cluster = await startCluster();
  try {
    await checkServerSide(cluster);
    for (const serverSide of [true, false]) await checkLife(cluster, folder, serverSide);
  } finally {
    await cluster.stop();
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
process.exitCode = summary() ? 0 : 1;
