import { answerTasks } from '../../platform/answer-tasks.ts';
import { fixedClock } from '../../platform/clock.ts';
import { buildAdvisoryDatabase } from './build.ts';
import type { BuildTask } from './build-apart.ts';

// A worker process: builds one database and tells how it goes.
answerTasks(({ now, ...options }: BuildTask, tell) =>
  buildAdvisoryDatabase({ ...options, clock: fixedClock(now), onProgress: tell }),
);
