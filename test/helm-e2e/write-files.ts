import { writeChartFiles } from './chart-files.ts';

// Has the chart say again what the program says, after its definitions, webhooks or rights were changed.
await writeChartFiles();
