import { answerTasks } from '../platform/answer-tasks.ts';
import { createComputer } from './compute.ts';

// A worker process: what is judged again is computed here, so that pulls are answered meanwhile and both cores have work.
answerTasks(createComputer());
