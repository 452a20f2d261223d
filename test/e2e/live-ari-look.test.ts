/** A look at a real Asterisk over ARI, beside whoever is connected: what it is, what the login may not do, and why it is not heard. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { configSchema } from '../../adapters/asterisk-ari/config.js';
import { probe } from '../../adapters/asterisk-ari/probe.js';
import { openSession, type AriSession } from '../../adapters/asterisk-ari/session.js';
import { asPbxName } from '../../src/call/vocabulary.js';
import { systemClock } from '../../src/clock.js';
import type { ProbeFinding } from '../../src/pbx/adapter.js';
import { installAsterisk, type AsteriskInstallation } from '../lab/asterisk-installation.js';
import { Lab } from '../lab/lab.js';
import { silent } from '../support/whole-bridge.js';

jest.setTimeout(60_000);

function describeAt(installation: AsteriskInstallation): void {
  describe(`a look over ARI, Asterisk ${installation.version}`, () => {
    let lab: Lab;
    beforeAll(async () => {
      lab = await Lab.start(installation);
    });
    afterAll(async () => {
      await lab.close();
    });
    const config = (settings: object = {}): ReturnType<typeof configSchema.parse> =>
      configSchema.parse({ port: lab.pbx.ports.ari, username: 'bridge', secret: lab.pbx.secret, ...settings });
    const look = (settings: object = {}): Promise<ProbeFinding> =>
      probe(
        config(settings),
        { name: asPbxName('office'), clock: systemClock, log: silent },
        false,
        new AbortController().signal,
      );
    const missing = async (settings: object = {}): Promise<string> => {
      const found = await look(settings);
      if (found.kind !== 'heard') throw new Error(found.reason);
      return found.missing.join();
    };

    test('finds its version, and its trunks', async () => {
      const product = expect.stringContaining(`Asterisk ${installation.version.split('.')[0] ?? ''}.`);
      expect(await look()).toEqual({ kind: 'heard', product, missing: [] });
    });
    test('says what a login that may only read lacks', async () => {
      expect(await missing({ username: 'bridge-read-only' })).toMatch(/read_only = no/);
    });
    test('says that another program has the application, and leaves it to that', async () => {
      let session: AriSession | undefined;
      const ended = new AbortController();
      try {
        const { host, port, path, username, secret, app } = config();
        const place = { host, port, path, username, secret, app, clock: systemClock, log: silent };
        session = await openSession({ ...place, signal: ended.signal, onEvent: () => undefined });
        let lost = false;
        void session.closed.then(() => (lost = true));
        expect(await missing()).toContain('the application zammad');
        expect(lost).toBe(false);
      } finally {
        await session?.close();
      }
    });
    test.each([
      ['a wrong password', () => ({ secret: 'wrong' }), 'wrong-password'],
      ['another path', () => ({ path: '/asterisk/ari' }), 'other'],
      ['the port of AMI', () => ({ port: lab.pbx.ports.ami }), 'wrong-port'],
      ['TLS where there is none', () => ({ tls: {} }), 'tls'],
      ['no TLS where there is', () => ({ port: lab.pbx.ports.ariTls }), 'tls'],
    ])('finds %s', async (_, settings, kind) => {
      expect(await look(settings())).toMatchObject({ kind });
    });
  });
}

for (const series of ['22', '16'] as const) {
  const installation = await installAsterisk(series);
  if (installation.kind === 'installed') describeAt(installation);
  else test.skip(`a look over ARI, Asterisk ${series}: ${installation.reason}`, () => undefined);
}
