import { parentPort } from 'node:worker_threads';

/** A worker for the tests of the pool: does what the task says. */
parentPort?.on('message', ({ id, task }: { readonly id: number; readonly task: string }) => {
  switch (task) {
    case 'exhaust': {
      const hold: number[][] = [];
      for (;;) hold.push(Array.from({ length: 100_000 }, (_, at) => at + Math.random()));
    }
    case 'exhaust buffers': {
      const hold: Buffer[] = [];
      // As fast as a decompressor fills them.
      for (;;) hold.push(Buffer.alloc(64 * 1024, hold.length % 256));
    }
    case 'spin':
      for (;;);
    case 'exit':
      return process.exit(3);
    case 'answer, then die':
      parentPort?.postMessage({ id, result: 'answered' });
      setImmediate(() => {
        throw new Error('died while nobody waited');
      });
      return;
    case 'secrets':
      parentPort?.postMessage({ id, result: JSON.stringify(process.env) });
      return;
    case 'fail':
      parentPort?.postMessage({ id, error: 'no such file' });
      return;
    default:
      parentPort?.postMessage({ id, result: `done: ${task}` });
  }
});
