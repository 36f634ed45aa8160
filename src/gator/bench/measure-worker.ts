import { answerTasks } from '../../platform/answer-tasks.ts';
import { measure } from './measure.ts';

// One process of a benchmark.
answerTasks(measure);
