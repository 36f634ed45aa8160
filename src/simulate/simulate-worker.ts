import { answerTasks } from '../platform/answer-tasks.ts';
import { simulateApart } from './simulate-apart.ts';

// A worker process, so that pulls are answered meanwhile: one simulation over connections of its own.
answerTasks(simulateApart);
