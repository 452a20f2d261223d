import { describe, expect, test } from '@jest/globals';
import axios from 'axios';
import { inspect } from 'node:util';
import { PermanentError } from '../../../src/errors.js';
import { createLog } from '../../../src/log.js';
import { Secret } from '../../../src/secret.js';

const CANARY = 'c4n4ry';

function logTo(settings: Partial<{ level: 'info' | 'debug'; pretty: boolean }> = {}) {
  const lines: string[] = [];
  const { logger } = createLog(
    { level: 'info', pretty: false, ...settings },
    { write: (line: string) => lines.push(line) },
  );
  return { logger, lines };
}

async function axiosError(): Promise<Error> {
  const error = await axios
    .post(
      `http://127.0.0.1:9/api/v1/cti/${CANARY}`,
      { a: CANARY },
      {
        adapter: () =>
          Promise.reject(new axios.AxiosError('refused', 'ECONNREFUSED', { url: `http://z/${CANARY}` } as never)),
      },
    )
    .catch((thrown: unknown) => thrown);
  // The danger is real: the error itself does show it.
  expect(JSON.stringify(error)).toContain(CANARY);
  return error as Error;
}

describe('the log', () => {
  test('is JSON lines with level, time and message', () => {
    const { logger, lines } = logTo();
    logger.child({ pbx: 'office' }).warn({ retryIn: 5 }, 'lost');
    logger.debug('not at this level');
    expect(lines).toHaveLength(1);
    const { time, ...rest } = JSON.parse(lines[0]!) as Record<string, unknown>;
    expect(rest).toEqual({ level: 'warn', pbx: 'office', retryIn: 5, msg: 'lost' });
    expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  test('writes of an error its name, code, message, stack and causes', () => {
    const { logger, lines } = logTo();
    logger.error({ error: new PermanentError('ZPB_X', 'outer', { cause: new Error('inner') }) }, 'failed');
    logger.error(new TypeError('bare'));
    const [first, second] = lines.map((line) => JSON.parse(line) as { msg: string; error: Record<string, unknown> });
    expect(first?.error).toMatchObject({
      name: 'PermanentError',
      code: 'ZPB_X',
      message: 'outer',
      cause: { message: 'inner' },
    });
    expect(Object.keys(first!.error).sort()).toEqual(['cause', 'code', 'message', 'name', 'stack']);
    expect(second).toMatchObject({ msg: 'bare', error: { name: 'TypeError' } });
  });

  test.each([false, true])('shows no secret, wherever it stands (pretty: %s)', async (pretty) => {
    const { logger, lines } = logTo({ pretty });
    const secret = new Secret(CANARY);
    const error = await axiosError();
    logger.info({ secret, deep: { list: [secret] } }, `text ${String(secret)} ${inspect({ secret })}`);
    logger.child({ secret }).info('child');
    logger.error({ error }, 'a');
    logger.error({ err: error }, 'b');
    logger.error({ failure: error, deep: { list: [error], cause: { error } } }, 'c');
    logger.error(error);
    logger.error({ error: new Error('outer', { cause: error }) }, 'd');
    expect(lines).toHaveLength(7);
    expect(lines.join('')).not.toContain(CANARY);
    expect(lines.join('')).toContain('[secret]');
  });

  test('is readable where that is asked for', () => {
    const { logger, lines } = logTo({ pretty: true });
    logger.info({ pbx: 'office', callId: 'office-1', n: 2, why: 'a b' }, 'newCall\u001b[31m');
    logger.error({ error: new PermanentError('ZPB_X', 'no login') }, 'lost');
    expect(lines[0]).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} INFO {2}\[office\] \[office-1\] newCall\\u001b\[31m {2}n=2 {2}why=a b\n$/,
    );
    expect(lines[1]).toMatch(/ ERROR lost\n {4}PermanentError: no login \[ZPB_X\]\n {4,}at /);
  });
});
