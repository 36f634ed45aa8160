import { SingleBar } from 'cli-progress';
import { bytes } from './output.ts';

/** Shows how far something is. */
export interface Progress {
  update(done: number, total: number): void;
  /** May be called more than once. */
  stop(): void;
}

const LINE_EVERY_PERCENT = 10;

/** A bar on a terminal; elsewhere one line for each tenth, so that logs stay readable. Amounts are bytes. */
export function createProgress(screen: NodeJS.WriteStream, what: string): Progress {
  return screen.isTTY ? bar(screen) : lines(screen, what);
}

function bar(screen: NodeJS.WriteStream): Progress {
  const shown = new SingleBar({
    stream: screen,
    format: '{bar} {percentage} %  {done} of {all}  {eta_formatted} left',
    hideCursor: true,
    clearOnComplete: true,
  });
  let started = false;
  return {
    update(done, total) {
      const payload = { done: bytes(done), all: bytes(total) };
      if (started) shown.update(done, payload);
      else shown.start(total, done, payload);
      started = true;
    },
    stop() {
      if (started) shown.stop();
      started = false;
    },
  };
}

function lines(screen: NodeJS.WriteStream, what: string): Progress {
  let shownPercent = -LINE_EVERY_PERCENT;
  return {
    update(done, total) {
      const percent = total === 0 ? 100 : Math.floor((done / total) * 100);
      if (percent < shownPercent + LINE_EVERY_PERCENT && (percent < 100 || shownPercent >= 100)) return;
      shownPercent = percent;
      screen.write(`${what}: ${percent} % (${bytes(done)} of ${bytes(total)})\n`);
    },
    stop: () => undefined,
  };
}
