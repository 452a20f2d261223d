/** The lab itself: a real Asterisk boots, a call rings at a phone, is answered, heard and ended, and the AMI says so. */
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { configSchema } from '../../adapters/asterisk-ami/config.js';
import { probe } from '../../adapters/asterisk-ami/probe.js';
import { systemClock } from '../../src/clock.js';
import { silent } from '../support/whole-bridge.js';
import { installAsterisk, type AsteriskInstallation } from '../lab/asterisk-installation.js';
import { AmiObserver } from '../lab/ami-observer.js';
import { Lab } from '../lab/lab.js';
import { headerOf } from '../lab/sip-message.js';
import { refuses } from '../lab/sip-host.js';

jest.setTimeout(60_000);

const CUSTOMER = '+491711234567';

const describeLab = (installation: AsteriskInstallation): void => {
  describe(`the lab with Asterisk ${installation.version}`, () => {
    let lab: Lab;
    beforeAll(async () => {
      lab = await Lab.start(installation);
    });
    afterEach(async () => {
      expect([...lab.phones.troubles, ...lab.carrier.troubles]).toEqual([]);
      await lab.clear();
    });
    afterAll(async () => {
      await lab.close();
    });

    test('a customer calls a phone, talks and hangs up', async () => {
      const mark = lab.pbx.observer.now;
      const customer = await lab.carrier.place(CUSTOMER, '+49305550100', { name: 'Max Mustermann' });
      const alice = await lab.phones.callTo('100');
      await customer.reaches('ringing');
      expect(headerOf(alice.invite!, 'from')).toContain(CUSTOMER);
      await alice.answer();
      await customer.reaches('up');
      await Promise.all([customer.hears(), alice.hears()]);
      await customer.hangUp();
      await alice.reaches('ended');
      expect(alice.endedBy).toBe('pbx');
      await lab.silence();

      const carrierLeg = lab.pbx.observer
        .eventsSince(mark)
        .filter((event) => event['Channel']?.startsWith('PJSIP/trunk-') === true);
      const told = carrierLeg.map((event) => event['Event']);
      expect(told.indexOf('Newchannel')).toBeGreaterThanOrEqual(0);
      expect(told.indexOf('BridgeEnter')).toBeGreaterThan(told.indexOf('DialBegin'));
      expect(told.filter((name) => name === 'Hangup')).toHaveLength(1);
      expect(carrierLeg[0]).toMatchObject({ Event: 'Newchannel', CallerIDNum: CUSTOMER, Exten: '+49305550100' });
    });

    test('a busy phone is told to the caller as 486, a cancelled call to the phone', async () => {
      lab.phones.behave('100', refuses(486));
      const first = await lab.carrier.place(CUSTOMER, '+49305550100');
      await first.reaches('ended');
      expect(first.status).toBe(486);

      const second = await lab.carrier.place(CUSTOMER, '+49305550101');
      const bob = await lab.phones.callTo('101');
      await second.reaches('ringing');
      await second.hangUp();
      expect(second.status).toBe(487);
      await bob.reaches('ended');
      expect(bob.endedBy).toBe('pbx');
    });

    test('a phone calls out; the carrier sees its direct number', async () => {
      const alice = await lab.phones.place('100', '03012345678');
      const outside = await lab.carrier.callTo('03012345678');
      expect(headerOf(outside.invite!, 'from')).toContain('+49305550100');
      await outside.answer();
      await alice.reaches('up');
      await Promise.all([alice.hears(), outside.hears()]);
      await outside.hangUp();
      await alice.reaches('ended');
    });

    test('hold, consultation and attended transfer connect the customer with the second agent', async () => {
      const mark = lab.pbx.observer.now;
      const customer = await lab.carrier.place(CUSTOMER, '+49305550100');
      const alice = await lab.phones.callTo('100');
      await alice.answer();
      await customer.reaches('up');
      await alice.hold();
      const consultation = await lab.phones.place('100', '101');
      const bob = await lab.phones.callTo('101');
      await bob.answer();
      await consultation.reaches('up');
      await bob.hears();
      await alice.transfer('101', consultation);
      await lab.pbx.observer.sees('AttendedTransfer', mark, (event) => event['Event'] === 'AttendedTransfer');
      await consultation.reaches('ended');
      await Promise.all([customer.hears(), bob.hears()]);
      await bob.hangUp();
      await customer.reaches('ended');
    });

    test('keys of a feature code reach the PBX', async () => {
      const mark = lab.pbx.observer.now;
      const customer = await lab.carrier.place(CUSTOMER, '+49305550100');
      const alice = await lab.phones.callTo('100');
      await alice.answer();
      await alice.hears();
      await alice.press('##101');
      const bob = await lab.phones.callTo('101');
      await bob.answer();
      await customer.hears();
      await lab.pbx.observer.sees('BlindTransfer', mark, (event) => event['Event'] === 'BlindTransfer');
      await customer.hangUp();
      await bob.reaches('ended');
    });

    test('the bridge login hears calls but may not ask for endpoints; the wider one may', async () => {
      const { ami } = lab.pbx.ports;
      const narrow = await AmiObserver.open({ port: ami, user: 'bridge', secret: lab.pbx.secret });
      const wide = await AmiObserver.open({ port: ami, user: 'bridge-system', secret: lab.pbx.secret });
      await expect(narrow.action({ Action: 'PJSIPShowEndpoints' })).rejects.toThrow('Permission denied');
      await wide.action({ Action: 'PJSIPShowEndpoints' });
      const customer = await lab.carrier.place(CUSTOMER, '+49305550100');
      await narrow.sees('Newchannel', 0, (event) => event['Event'] === 'Newchannel');
      await customer.hangUp();
      narrow.close();
      wide.close();
    });

    test('a look at it says what is wrong', async () => {
      const { ami, amiTls, gate } = lab.pbx.ports;
      const { secret, caFile: ca } = lab.pbx;
      const look = async (settings: object): Promise<string> => {
        const config = configSchema.parse({ host: '127.0.0.1', port: ami, username: 'bridge', secret, ...settings });
        const found = await probe(config, { clock: systemClock, log: silent }, new AbortController().signal);
        return found.kind === 'heard' ? found.missing.map((text) => /write=\w+/.exec(text)?.[0]).join() : found.kind;
      };
      const trunks = ['trunk'];
      const dial = { context: 'from-internal' };
      // Asterisk keeps whom it refuses waiting for a second; so all look at once.
      const found = await Promise.all([
        look({ trunks }),
        look({ trunks, dial }),
        look({ trunks, dial, username: 'bridge-dial' }),
        look({ dial, username: 'bridge-deaf' }),
        look({ secret: 'wrong' }),
        look({ username: 'bridge-elsewhere' }),
        look({ port: gate }),
        look({ tls: {} }),
        ...(ca === undefined ? [] : [look({ port: amiTls }), look({ port: amiTls, tls: {} })]),
        ...(ca === undefined ? [] : [look({ port: amiTls, tls: { ca }, trunks })]),
      ]);
      expect(found).toEqual([
        '',
        'write=originate',
        '',
        'write=call,write=originate,write=system',
        'wrong-password',
        'wrong-password',
        'refused',
        'tls',
        ...(ca === undefined ? [] : ['tls', 'tls', '']),
      ]);
    });

    test('it can be killed and started again', async () => {
      await lab.pbx.kill();
      expect(lab.pbx.running).toBe(false);
      await lab.pbx.boot();
      const customer = await lab.carrier.place(CUSTOMER, '+49305550100');
      await lab.phones.callTo('100');
      await customer.hangUp();
    });
  });
};

for (const series of ['22', '16'] as const) {
  const installation = await installAsterisk(series);
  if (installation.kind === 'installed') describeLab(installation);
  else test.skip(`the lab with Asterisk ${series}: ${installation.reason}`, () => undefined);
}
