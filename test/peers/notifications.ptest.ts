import { expect, it } from 'vitest';
import { notificationDrill } from '../drills/notification-drill.ts';

it('tells of every change of a verdict, however often the server is killed meanwhile', async () => {
  const report = await notificationDrill({ images: 40, changes: 300, kills: 3 }, () => undefined);
  expect(report).toMatchObject({
    kills: 3,
    lost: 0,
    invented: 0,
    unsigned: 0,
    arrived: report.changes,
    summedUp: report.changes,
  });
  expect(report.changes).toBeGreaterThanOrEqual(300);
});
