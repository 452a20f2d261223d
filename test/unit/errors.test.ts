import { describe, expect, test } from '@jest/globals';
import { runInNewContext } from 'node:vm';
import { asError, BridgeError, isBridgeError, PermanentError, RetriableError } from '../../src/errors.js';

/** An Error that is no `instanceof` ours, as `node:vm` and other copies of a package make them. */
const foreign = (fields: string): unknown => runInNewContext(`Object.assign(new Error('from afar'), ${fields})`);

describe('isBridgeError', () => {
  test.each([new PermanentError('ZPB_X', 'x'), new RetriableError('ZPB_X', 'x')])('$name', (error) => {
    expect(isBridgeError(error)).toBe(true);
  });
  test('an error of another copy of the class, even of another realm', () => {
    const error = foreign(`{ code: 'ZPB_X', retriable: true }`);
    expect(error).not.toBeInstanceOf(BridgeError);
    expect(isBridgeError(error)).toBe(true);
  });
  test.each([
    ['an error of Node', foreign(`{ code: 'ENOENT' }`)],
    ['an error of a package that knows retries too', foreign(`{ code: 'ELSE', retriable: true }`)],
    ['no word on retries', foreign(`{ code: 'ZPB_X' }`)],
    ['a code that is no text', foreign(`{ code: 7, retriable: true }`)],
    ['an object that is no error', { code: 'ZPB_X', retriable: true, message: 'x' }],
    ['nothing', undefined],
    ['null', null],
  ])('not %s', (_, thrown) => {
    expect(isBridgeError(thrown)).toBe(false);
  });
});

describe('asError', () => {
  test('an Error stays what it is, also one of another realm', () => {
    const ours = new TypeError('x');
    const theirs = foreign('{}');
    expect(asError(ours)).toBe(ours);
    expect(asError(theirs)).toBe(theirs);
  });
  test('what is an Error by its prototype only (as DOMException is) stays what it is', () => {
    const error: unknown = Object.create(Error.prototype);
    expect(asError(error)).toBe(error);
  });
  test.each([
    ['text', 'text'],
    [undefined, 'undefined'],
    [null, 'null'],
  ])('%j becomes one', (thrown, message) => {
    expect(asError(thrown)).toMatchObject({ message });
  });
});
