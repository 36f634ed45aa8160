import { answerTasks } from '../platform/answer-tasks.ts';
import { analyseLayer } from './analyse-layer.ts';
import type { AnalysisTask } from './analyser.ts';

// A worker process: reads one layer from a file and gives its evidence.
answerTasks(({ path, ...options }: AnalysisTask) => analyseLayer({ path }, options));
