import { afterAll, describe, expect, test } from '@jest/globals';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { COMMANDS } from '../../../src/cli/commands.js';
import { EXIT } from '../../../src/cli/command.js';
import { parseDuration } from '../../../src/config/duration.js';
import { SCALARS } from '../../../src/config/scalars.js';

const root = join(import.meta.dirname, '../../..');
const unitFile = join(root, 'deploy/zammad-pbx-bridge.service');
const unit = readFileSync(unitFile, 'utf8');
const instructions = readFileSync(join(root, 'deploy/README.md'), 'utf8');
/** Every value of an option, in order. */
const values = (option: string): string[] =>
  unit.split('\n').flatMap((line) => (line.startsWith(`${option}=`) ? [line.slice(option.length + 1)] : []));
const value = (option: string): string => values(option).at(-1) ?? '';

const folder = mkdtempSync(join(tmpdir(), 'zpb-unit-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const systemd = spawnSync('systemd-analyze', ['--version'], { encoding: 'utf8' });
const why = systemd.status === 0 ? '' : ' (skipped: no systemd-analyze here)';
const testWithSystemd = why === '' ? test : test.skip;

describe('the systemd unit', () => {
  testWithSystemd(`systemd finds nothing to complain about${why}`, () => {
    // Node may live elsewhere here; everything else is judged as it stands.
    const copy = join(folder, 'zammad-pbx-bridge.service');
    writeFileSync(copy, unit.replace('/usr/bin/node', process.execPath));
    const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', copy], { encoding: 'utf8' });
    const complaints = `${stdout}${stderr}`.split('\n').filter((line) => line.includes('zammad-pbx-bridge'));
    expect([status, complaints]).toEqual([0, []]);
  });

  testWithSystemd(`its exposure is at most 2.0 of 10${why}`, () => {
    const output = execFileSync('systemd-analyze', ['security', '--offline=yes', '--no-pager', unitFile], {
      encoding: 'utf8',
    });
    const level = Number(/exposure level for \S+: ([\d.]+)/.exec(output)?.[1]);
    expect(level).toBeLessThanOrEqual(2);
  });

  test('every path in it is made by the steps of deploy/README.md, or is part of every system', () => {
    const commands = [...instructions.matchAll(/```sh\n(.*?)```/gs)].map(([, text]) => text ?? '').join('\n');
    const settings = unit
      .split('\n')
      .filter((line) => !line.startsWith('#'))
      .map((line) => line.replace('file://', ''));
    const paths = [...new Set(settings.flatMap((line) => line.match(/(?<![\w.])\/[\w./-]+/g) ?? []))];
    expect(paths).toEqual(
      expect.arrayContaining(['/etc/zammad-pbx-bridge/config.yaml', '/etc/zammad-pbx-bridge/ami.secret']),
    );
    const inSystem = ['/usr/bin/node'];
    const inCheckout = (path: string): boolean => path.startsWith('/opt/zammad-pbx-bridge/');
    expect(commands).toContain('/opt/zammad-pbx-bridge');
    expect(commands).toContain('npm run build');
    const unknown = paths.filter((path) => !inSystem.includes(path) && !inCheckout(path) && !commands.includes(path));
    expect(unknown).toEqual([]);
    // What is said to be in the checkout is there, or is what the build makes of a source.
    const program = /\/opt\/zammad-pbx-bridge\/dist\/(\S+)\.js/.exec(value('ExecStart'))?.[1];
    expect(() => readFileSync(join(root, `${program}.ts`))).not.toThrow();
    expect(instructions).toContain('/usr/bin/node');
  });

  test('starts a command that there is', () => {
    const [, command] = /main\.js (\S+) --config/.exec(value('ExecStart')) ?? [];
    expect(COMMANDS.map(({ name }) => name)).toContain(command);
  });

  test('gives a stop more time than it takes, and does not restart what only a person can mend', () => {
    const drain = parseDuration(SCALARS.delivery.drain.default)!;
    expect(Number(value('TimeoutStopSec')) * 1000).toBeGreaterThan(drain + 5_000);
    expect(value('RestartPreventExitStatus').split(' ').map(Number).sort()).toEqual([EXIT.usage, EXIT.config]);
  });

  test('waits for READY only if the program says it', () => {
    const saysReady = readFileSync(join(root, 'src/cli/run.ts'), 'utf8').includes('createServiceNotifier');
    expect([value('Type'), saysReady]).toEqual(['notify', true]);
  });

  test('lets V8 compile', () => {
    expect(values('MemoryDenyWriteExecute')).toEqual([]);
  });

  test('each credential of the unit stands in the example configuration beside it, by the same name', () => {
    const names = values('LoadCredential').map((text) => text.split(':')[0]!);
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) expect(instructions).toContain(`\${CREDENTIALS_DIRECTORY}/${name}`);
  });
});
