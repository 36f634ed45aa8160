import { messageOf } from '../../src/platform/errors.ts';
import { startBreakwater } from '../support/breakwater.ts';
import { isLeftOut } from '../support/peers.ts';
import { type Client, done, OPERATIONS, perform } from './client.ts';
import { CLIENTS } from './clients.ts';
import { openWorld } from './world.ts';

/** Tries every client with every operation it has against Breakwater, and prints who can do what. Exit code 1 when one failed. */
const server = await startBreakwater();
const failures: string[] = [];
try {
  done(await server.cli(['project', 'create', 'clients']));
  const opened = await openWorld({ ...server, user: 'admin' });
  const { world, proxy } = opened;
  try {
    const width = Math.max(...CLIENTS.map(({ name }) => name.length));
    console.log(['client'.padEnd(width), ...OPERATIONS.map((name) => name.padEnd(7))].join('  '));
    for (const client of CLIENTS) {
      proxy.cutAgain();
      console.log([client.name.padEnd(width), ...(await row(client))].join('  '));
    }

    async function row(client: Client): Promise<readonly string[]> {
      if (isLeftOut(client.peer)) return ['left out'];
      const open = await client.open(world);
      const cells = [];
      for (const name of OPERATIONS) {
        const result = client.can.includes(name)
          ? await perform(open, name).then(
              () => 'passed',
              (error: unknown) => {
                failures.push(`${client.name}, ${name}: ${messageOf(error)}`);
                return 'FAILED';
              },
            )
          : '-';
        cells.push(result.padEnd(7));
      }
      await open.close?.();
      return cells;
    }
  } finally {
    await opened.close();
  }
} finally {
  await server.stop();
}
console.log(
  '\nagain: pushed anew after the connection broke in the middle of a layer. -: the client has no such command.',
);
for (const failure of failures) console.log(`\n${failure}`);
process.exitCode = failures.length === 0 ? 0 : 1;
