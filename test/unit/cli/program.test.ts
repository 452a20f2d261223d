import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { parseOptions, readRequest } from '../../../src/cli/args.js';
import { configFile, configOption, jsonOption, type Command, type CommandContext } from '../../../src/cli/command.js';
import { COMMANDS, type CommandEntry } from '../../../src/cli/commands.js';
import { runProgram } from '../../../src/cli/program.js';
import { ConfigError } from '../../../src/config/problems.js';
import { RetriableError } from '../../../src/errors.js';
import { VERSION } from '../../../src/version.js';

const write = (text: string[]) => ({ write: (part: string) => text.push(part) });

/** A program with one command, `try`, that does what the test says. */
async function run(argv: readonly string[], does: (context: CommandContext) => number | Error = () => 0, env = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const command: Command = {
    summary: 'Try something.',
    usage: 'try [options] FILE',
    options: { config: configOption, json: jsonOption },
    args: { min: 0, max: 1 },
    details: 'More about it.',
    run: (context) => {
      const result = does(context);
      return result instanceof Error ? Promise.reject(result) : Promise.resolve(result);
    },
  };
  const entries: CommandEntry[] = ['run', 'try'].map((name) => ({
    name,
    summary: `The ${name}.`,
    load: () => Promise.resolve({ command }),
  }));
  const status = await runProgram(
    { argv, stdout: write(out), stderr: write(err), env, signal: new AbortController().signal },
    entries,
  );
  return { status, out: out.join(''), err: err.join('') };
}

describe('the command line', () => {
  const commands = ['run', 'check'];
  test.each([
    [[], { kind: 'command', command: 'run', rest: [] }],
    [['--config', 'x'], { kind: 'command', command: 'run', rest: ['--config', 'x'] }],
    [['check', '--json'], { kind: 'command', command: 'check', rest: ['--json'] }],
    [['--help'], { kind: 'help' }],
    [['-h'], { kind: 'help' }],
    [['help'], { kind: 'help' }],
    [['help', 'check'], { kind: 'help', command: 'check' }],
    [['check', '--json', '--help'], { kind: 'help', command: 'check' }],
    [['check', '--', '--help'], { kind: 'command', command: 'check', rest: ['--', '--help'] }],
    [['--version'], { kind: 'version' }],
    [['-V'], { kind: 'version' }],
  ])('%j', (argv, request) => {
    expect(readRequest(argv, commands)).toEqual(request);
  });

  test('options and arguments', () => {
    const command = { options: { config: configOption, json: jsonOption }, args: { min: 1, max: 2 } };
    expect(parseOptions('try', command, ['a', '-c', 'x', '--json', '--', '-b'])).toEqual({
      args: ['a', '-b'],
      options: { config: 'x', json: true },
    });
    expect(parseOptions('try', command, ['--config=-x', '-']).options['config']).toBe('-x');
  });

  test.each([
    [['--colour'], 'there is no option --colour'],
    [['-x'], 'there is no option -x'],
    [['--toString'], 'there is no option --toString'],
    [['--no-json'], 'there is no option --no-json'],
    [['--json=1'], '--json takes no value'],
    [['--config'], '--config needs a value (FILE)'],
    [['--config='], '--config needs a value (FILE)'],
    [['--config', '--json'], '--config needs a value (FILE)'],
    [['-c', 'x', '--config', 'y'], '--config stands there twice'],
    [['a', 'b'], '"b" is one argument too many'],
  ])('%j is refused in one line, with status 64', async (rest, what) => {
    const { status, out, err } = await run(['try', ...rest]);
    expect(err).toBe(`zammad-pbx-bridge: try: ${what}; see zammad-pbx-bridge try --help [ZPB_USAGE]\n`);
    expect([status, out]).toEqual([64, '']);
  });

  test('an unknown command', async () => {
    expect(await run(['chekc'])).toEqual({
      status: 64,
      out: '',
      err: 'zammad-pbx-bridge: there is no command "chekc"; there are run, try (see zammad-pbx-bridge --help) [ZPB_USAGE]\n',
    });
  });

  test('the configuration file: option, environment, default', () => {
    expect(configFile({ options: { config: 'a' }, env: { ZPB_CONFIG: 'b' } })).toBe('a');
    expect(configFile({ options: {}, env: { ZPB_CONFIG: 'b' } })).toBe('b');
    expect(configFile({ options: {}, env: { ZPB_CONFIG: '' } })).toBe('/etc/zammad-pbx-bridge/config.yaml');
  });
});

describe('the program', () => {
  test('gives a command its options, and its status to the caller', async () => {
    const { status, out } = await run(['try', '-c', 'x', 'F'], ({ args, options, stdout }) => {
      stdout.write(JSON.stringify({ args, options }));
      return 7;
    });
    expect(status).toBe(7);
    expect(JSON.parse(out)).toEqual({ args: ['F'], options: { config: 'x' } });
  });

  test('prints its version, that of the package', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(VERSION).toBe(version);
    expect(await run(['--version'])).toEqual({ status: 0, out: `${version}\n`, err: '' });
  });

  test('prints its help, and that of a command, on stdout', async () => {
    const all = await run(['--help']);
    expect(all).toMatchObject({ status: 0, err: '' });
    for (const text of [
      '  run  The run.',
      '  try  The try.',
      'Exit statuses: 0 done; 1 it failed',
      '64 wrong command line',
      '78 wrong',
    ]) {
      expect(all.out).toContain(text);
    }
    const one = await run(['try', '--help']);
    expect(one).toMatchObject({ status: 0, err: '' });
    for (const text of [
      'zammad-pbx-bridge try [options] FILE',
      'Try something.',
      'More about it.',
      '-c, --config FILE',
      '    --json',
      '-h, --help',
    ]) {
      expect(one.out).toContain(text);
    }
  });

  test('tells an error in one line, by its kind', async () => {
    expect(await run(['try'], () => new RetriableError('ZPB_X', 'it is late'))).toEqual({
      status: 1,
      out: '',
      err: 'zammad-pbx-bridge: it is late [ZPB_X]\n',
    });
    const config = await run(['try'], () => new ConfigError('/c.yaml', [{ path: ['pbx', 0], text: 'is odd' }]));
    expect(config).toEqual({ status: 78, out: '', err: 'zammad-pbx-bridge: /c.yaml: pbx[0]: is odd [ZPB_CONFIG]\n' });
    const fault = () => new TypeError('x is not a function\nsecond line');
    expect(await run(['try'], fault)).toEqual({
      status: 1,
      out: '',
      err: 'zammad-pbx-bridge: fault in the program: TypeError: x is not a function (please report it)\n',
    });
    expect((await run(['try'], fault, { ZPB_LOG_LEVEL: 'debug' })).err).toContain('program.test');
  });

  test.each(COMMANDS.map((entry) => [entry.name, entry] as const))(
    '%s is a command like the others',
    async (name, entry) => {
      const { command } = await entry.load();
      expect(command.summary).toBe(entry.summary);
      expect(command.usage.split(' ')[0]).toBe(name);
      expect(Object.keys(command.options)).not.toContain('help');
    },
  );
});
