import { answerTasks } from '../answer-tasks.ts';

/** A worker for the tests of the pool: does what the task says. */
answerTasks((task: string, tell) => {
  const hold: unknown[] = [];
  switch (task) {
    case 'arrays':
      for (;;) hold.push(Array.from({ length: 100_000 }, (_, at) => at + Math.random()));
    case 'json': {
      const text = `[${'{},'.repeat(5_000_000)}0]`;
      for (;;) hold.push(JSON.parse(text));
    }
    case 'one array':
      for (let length = 1_000_000; ; length *= 2) hold.push(new Array(length).fill(1.5));
    case 'texts':
      for (let text = 'x'; ; text = text.length > 1e8 ? 'x' : text + text + hold.length)
        hold.push(Buffer.from(text).toString('latin1'));
    case 'lines': {
      const text = 'a\n'.repeat(20_000_000);
      for (;;) hold.push(text.split('\n'));
    }
    case 'map': {
      const map = new Map();
      for (let at = 0; ; at += 1) map.set(at, { at });
    }
    case 'buffers':
      // As fast as a decompressor fills them.
      for (;;) hold.push(Buffer.alloc(64 * 1024, hold.length % 256));
    case 'tell, then spin':
      tell('spinning');
      for (;;);
    case 'spin':
      for (;;);
    case 'exit':
      return process.exit(3);
    case 'abort':
      return process.abort();
    case 'answer, then die':
      setImmediate(() =>
        setImmediate(() => {
          throw new Error('died while nobody waited');
        }),
      );
      return 'answered';
    case 'progress':
      tell(1);
      tell(2);
      return 'told';
    case 'secrets':
      return JSON.stringify(process.env);
    case 'process':
      return String(process.pid);
    case 'fail':
      throw new Error('no such file');
    default:
      return `done: ${task}`;
  }
});
