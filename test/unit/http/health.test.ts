import { describe, expect, test } from '@jest/globals';
import { type HealthReport, readiness } from '../../../src/http/health.js';

const well: HealthReport = {
  pbx: [{ name: 'office', state: 'hearing', since: Date.UTC(2026, 10, 23, 9, 30) }],
  zammad: [{ name: 'main', state: 'ok', waiting: 0, oldestMs: 0 }],
  problems: [],
};

describe('readiness', () => {
  test('is ready when every PBX is heard and every Zammad takes posts', () => {
    expect(readiness(well, '1.2.3')).toEqual({
      status: 'ready',
      version: '1.2.3',
      because: [],
      notes: [],
      pbx: [{ name: 'office', state: 'hearing', since: '2026-11-23T09:30:00.000Z' }],
      zammad: [{ name: 'main', state: 'ok', waiting: 0, oldestMs: 0 }],
      problems: [],
    });
  });

  test.each(['connecting', 'deaf'] as const)(
    'a PBX that is %s makes it not ready, and is named with the reason',
    (state) => {
      const pbx = [...well.pbx, { name: 'branch', state, reason: 'nothing listens on 192.0.2.1:5038', since: 0 }];
      const page = readiness({ ...well, pbx }, '1');
      expect(page.status).toBe('not ready');
      expect(page.because).toEqual([`PBX branch is ${state}: nothing listens on 192.0.2.1:5038`]);
    },
  );

  test('what a look at a PBX has found is shown, with what to do about it', () => {
    const pbx = [{ name: 'branch', state: 'deaf' as const, reason: 'nothing listens', mend: 'Start it.', since: 0 }];
    const page = readiness({ ...well, pbx }, '1');
    expect(page.because).toEqual(['PBX branch is deaf: nothing listens. Start it.']);
    expect(page.pbx[0]).toMatchObject({ reason: 'nothing listens', mend: 'Start it.' });
  });

  test('a Zammad that is down or held is named with what waits for it', () => {
    const zammad = [
      { name: 'main', state: 'down' as const, waiting: 1, oldestMs: 10 },
      { name: 'second', state: 'held' as const, reason: 'wrong token', waiting: 7, oldestMs: 1000 },
    ];
    expect(readiness({ ...well, zammad }, '1').because).toEqual([
      'Zammad main is down, 1 post waits',
      'Zammad second is held, 7 posts wait: wrong token',
    ]);
  });

  test('an error makes it not ready, a warning is only shown', () => {
    const warning = { code: 'ZPB_A', message: 'The login may not see queues.', severity: 'warning' as const };
    const error = { code: 'ZPB_B', message: 'The outbox is full.', severity: 'error' as const };
    const warned = readiness({ ...well, problems: [warning] }, '1');
    expect([warned.status, warned.problems]).toEqual(['ready', [warning]]);
    const broken = readiness({ ...well, problems: [warning, error] }, '1');
    expect([broken.status, broken.because]).toEqual(['not ready', ['The outbox is full.']]);
  });

  test('says nothing but the fields of the report: what else hangs on an object stays inside', () => {
    const pbx = [{ name: 'office', state: 'hearing' as const, since: 0, secret: 'hunter2' }];
    const zammad = [{ name: 'main', state: 'ok' as const, waiting: 0, oldestMs: 0, url: 'https://z/api/v1/cti/TOKEN' }];
    expect(JSON.stringify(readiness({ pbx, zammad, problems: [] }, '1'))).not.toMatch(/hunter2|TOKEN/);
  });

  test('bounds a reason that never ends', () => {
    const pbx = [{ name: 'office', state: 'deaf' as const, reason: 'x'.repeat(100_000), since: 0 }];
    expect(JSON.stringify(readiness({ ...well, pbx }, '1')).length).toBeLessThan(2000);
  });
});
