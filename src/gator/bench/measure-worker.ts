import { answerTasks } from '../../platform/answer-tasks.ts';
import { type BenchTask, measure } from './measure.ts';

// One process of a benchmark.
answerTasks<BenchTask>(measure);
