import { waitFor } from '../support/wait-for.js';
import type { AsteriskInstallation } from './asterisk-installation.js';
import { AsteriskProcess } from './asterisk-process.js';
import { freePort } from './free-ports.js';
import { SipHost } from './sip-host.js';

const PHONES = '127.0.0.1';
const CARRIER = '127.0.0.2';

/** A real PBX with phones 100 … 105 and a carrier that brings and takes calls with the outside. */
export class Lab {
  private constructor(
    readonly pbx: AsteriskProcess,
    readonly phones: SipHost,
    readonly carrier: SipHost,
  ) {}

  static async start(installation: AsteriskInstallation): Promise<Lab> {
    const phonePort = await freePort([PHONES, CARRIER]);
    const pbx = await AsteriskProcess.start(installation, phonePort);
    const options = { port: phonePort, pbx: { address: '127.0.0.1', port: pbx.ports.sip } };
    const phones = await SipHost.open({ ...options, address: PHONES });
    const carrier = await SipHost.open({ ...options, address: CARRIER });
    return new Lab(pbx, phones, carrier);
  }

  /** Waits until the PBX has no channel any more. */
  async silence(): Promise<void> {
    await waitFor('the last channel to go', async () => (await this.pbx.observer.channels()).length === 0);
  }

  /** Hangs up whatever is left and forgets what the phones know: between two tests. */
  async clear(): Promise<void> {
    if (!this.pbx.running) await this.pbx.boot();
    const { observer } = this.pbx;
    for (const channel of await observer.channels()) {
      await observer.action({ Action: 'Hangup', Channel: channel['Channel'] ?? '' }).catch(() => undefined);
    }
    await this.silence();
    this.phones.reset();
    this.carrier.reset();
  }

  async close(): Promise<void> {
    this.phones.close();
    this.carrier.close();
    await this.pbx.close();
  }
}
