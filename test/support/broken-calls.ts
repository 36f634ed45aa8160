import { requirePeer } from './peers.ts';
import { type Service, startService, until } from './program.ts';

const ATTACH_MS = 10_000;

/**
 * Makes system calls of a running process fail as told, as `fdatasync:error=EIO` (strace(1), "Tampering"), until `stop`. Needs strace
 * and the right to trace.
 */
export async function breakCalls(pid: number, faults: readonly string[]): Promise<{ stop(): Promise<void> }> {
  const calls = faults.map((fault) => fault.split(':', 1)[0]).join(',');
  const inject = faults.flatMap((fault) => ['-e', `inject=${fault}`]);
  const tracer: Service = await startService(requirePeer('strace'), [
    '-f',
    '-e',
    `trace=${calls}`,
    ...inject,
    '-p',
    String(pid),
  ]);
  await until(() => /attached/.test(tracer.output()), {
    limitMs: ATTACH_MS,
    describe: () => 'strace does not attach',
    service: tracer,
  });
  return { stop: async () => void (await tracer.stop()) };
}
