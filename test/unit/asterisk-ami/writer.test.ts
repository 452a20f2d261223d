import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { hangUpChannel } from '../../../adapters/asterisk-ami/actions.js';
import { type AmiAction, encodeAction, MAX_HEADERS, MAX_LINE_BYTES } from '../../../adapters/asterisk-ami/writer.js';
import { PermanentError } from '../../../src/errors.js';

const text = (action: AmiAction): string => encodeAction(action, 'zpb-1').toString('utf8');

describe('what is written', () => {
  test('headers in the given order, a list as repeated headers, undefined as nothing', () => {
    const action = { Action: 'Originate', Zulu: 'z', Variable: ['B=2', 'A=1'], Alpha: 1, Nothing: undefined };
    expect(text(action)).toBe(
      'Action: Originate\r\nActionID: zpb-1\r\nZulu: z\r\nVariable: B=2\r\nVariable: A=1\r\nAlpha: 1\r\n\r\n',
    );
  });

  test('a frozen action stays as it is', () => {
    const action = Object.freeze({ Action: 'Ping' });
    text(action);
    expect(action).toEqual({ Action: 'Ping' });
  });

  test('any value either is written as one line or is refused', () => {
    const value = fc
      .string({ unit: 'binary', maxLength: 40 })
      .chain((part) => fc.constantFrom(part, `${part}\r\n\r\nAction: Command`, `${part}\n`, `${part}\0`));
    fc.assert(
      fc.property(value, (header) => {
        let written: string;
        try {
          written = text({ Action: 'Setvar', Value: header });
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(PermanentError);
          expect(header).toMatch(/[\r\n\0]/);
          return;
        }
        expect(written.split(/\r?\n/)).toHaveLength(5);
        expect(written.endsWith('\r\n\r\n')).toBe(true);
      }),
    );
  });
});

describe('what is refused', () => {
  test.each<[string, AmiAction]>([
    ['CR LF in a value', { Action: 'Originate', CallerID: 'x\r\n\r\nAction: Command' }],
    ['a bare LF, which ends a line for Asterisk too', { Action: 'Originate', CallerID: 'x\nAction: Command' }],
    ['a bare CR', { Action: 'Originate', CallerID: 'x\rAction: Command' }],
    ['NUL', { Action: 'Originate', CallerID: 'x\0' }],
    ['a line break in one value of a list', { Action: 'Originate', Variable: ['A=1', 'B=\n'] }],
    ['a line break in a name', { Action: 'Originate', 'X\r\nAction': 'Command' }],
    ['a colon in a name', { Action: 'Originate', 'X: y': 'z' }],
    ['a line break in the action', { Action: 'Ping\r\nAction: Command' }],
    ['an empty action', { Action: '' }],
    ['an ActionID', { Action: 'Ping', actionid: '7' }],
    ['a second action', { Action: 'Ping', action: 'Command' }],
    ['a line that Asterisk would throw away', { Action: 'Setvar', Value: 'ü'.repeat(MAX_LINE_BYTES / 2) }],
    [
      'more headers than Asterisk takes',
      { Action: 'Originate', Variable: Array.from({ length: MAX_HEADERS }, () => 'A=1') },
    ],
  ])('%s', (_what, action) => {
    expect(() => text(action)).toThrow(PermanentError);
  });

  test('the message names the header, not the value', () => {
    let message = '';
    try {
      text({ Action: 'Login', Secret: 'hunter2\n' });
    } catch (thrown) {
      message = String(thrown);
    }
    expect(message).toContain('"Secret"');
    expect(message).not.toContain('hunter2');
  });

  test('a channel name that Asterisk would read as a pattern', () => {
    expect(() => hangUpChannel('/.*/', 17)).toThrow(PermanentError);
    expect(hangUpChannel('PJSIP/100-1', 17)).toEqual({ Action: 'Hangup', Channel: 'PJSIP/100-1', Cause: 17 });
  });

  test('what just fits, fits', () => {
    const value = 'x'.repeat(MAX_LINE_BYTES - 'Value: '.length);
    expect(text({ Action: 'Setvar', Value: value })).toContain(value);
  });
});
