import { afterEach, describe, expect, test } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { holderText, judgeHolder, shortHolder } from '../../../src/store/holder.js';

const mine = holderText('here', 'a');
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** The text that a process of that number, which began when this one did, would have. */
const ofPid = (pid: number): string => mine.replace(/ pid \d+/, ` pid ${pid}`).replace(/store a$/, 'store b');

test('we ourselves, and another store of this process', () => {
  expect(judgeHolder(mine, mine)).toBe('self');
  expect(judgeHolder(holderText('here', 'b'), mine)).toBe('alive');
});

test('another machine, another start of the machine, another container: not to be judged', () => {
  expect(judgeHolder(holderText('there', 'b'), mine)).toBe('elsewhere');
  for (const word of ['boot', 'space']) {
    expect(judgeHolder(ofPid(1).replace(new RegExp(`${word} \\S+`), `${word} other`), mine)).toBe('elsewhere');
  }
  expect(judgeHolder('something else', mine)).toBe('elsewhere');
});

test('where the start of the machine is not shown, two of one name cannot be told apart', () => {
  const blind = (text: string): string => text.replace(/boot \S+/, 'boot -');
  expect(judgeHolder(blind(ofPid(1)), blind(mine))).toBe('elsewhere');
});

test('a process that has ended is gone', async () => {
  const child = spawn(process.execPath, ['-e', '0']);
  await once(child, 'exit');
  expect(judgeHolder(ofPid(child.pid!), mine)).toBe('gone');
});

const proc = existsSync('/proc/self/stat') ? describe : describe.skip;
proc('where there is /proc', () => {
  test('the number of a process that has ended may be given to another one', () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    children.push(child);
    // It lives, but began later than the text says.
    expect(judgeHolder(ofPid(child.pid!), mine.replace(/started \d+/, 'started 1'))).toBe('gone');
    expect(judgeHolder(ofPid(process.pid), mine)).toBe('alive');
  });
});

test('people are told the machine and the process', () => {
  expect(shortHolder(mine)).toBe(`here pid ${process.pid}`);
  expect(shortHolder(holderText('two words', 'a'))).toBe(`two-words pid ${process.pid}`);
});
