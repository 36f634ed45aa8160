import { argumentsOf, wrongUse } from '../support/usage.ts';
import { notificationDrill } from './notification-drill.ts';

const USAGE = 'usage: npm run drill:notifications -- [--images N] [--changes N] [--kills N]';

const { values } = argumentsOf('drill:notifications', {
  options: {
    images: { type: 'string', default: '250' },
    changes: { type: 'string', default: '10000' },
    kills: { type: 'string', default: '10' },
  },
});
const [images, wanted, kills] = [values.images, values.changes, values.kills].map(Number) as [number, number, number];
if (![images, wanted, kills].every((count) => Number.isInteger(count) && count >= 0) || images < 1 || wanted < 1)
  wrongUse('drill:notifications', USAGE);

const began = performance.now();
const report = await notificationDrill({ images, changes: wanted, kills }, (text) => console.log(`  ${text}`));
console.log(`kills -9        ${report.kills}`);
console.log(`verdict changes ${report.changes}`);
console.log(`events arrived  ${report.arrived}, ${report.repeated} of them more than once, under the same id`);
console.log(`summed up       ${report.summedUp} changes in ${report.sums} messages`);
console.log(`bad signatures  ${report.unsigned}`);
console.log(`invented        ${report.invented}`);
console.log(`lost            ${report.lost}`);
console.log(`in              ${Math.round((performance.now() - began) / 1000)} s`);
const { lost, invented, unsigned, arrived, changes, summedUp } = report;
process.exitCode = lost + invented + unsigned === 0 && arrived === changes && summedUp === changes ? 0 : 1;
