/** A call of an Asterisk that waits in `AGI(agi://…)`, as its socket sees it: written down from Asterisk 22. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface AgiCallOptions {
  readonly port: number;
  readonly host?: string;
  /** Stands in the dialplan between the brackets of AGI(); cut at its commas, as Asterisk does. */
  readonly address?: string;
  /** Fields of the request that are other than those of a customer who calls +49305550703. */
  readonly fields?: Readonly<Record<string, string>>;
  /** What GET VARIABLE finds. */
  readonly variables?: Readonly<Record<string, string>>;
  /** What SET VARIABLE is answered with. Default: `200 result=1`. */
  readonly setReply?: string;
  /** Sent before the reply to a command, where the caller has hung up by then. */
  readonly hangUpAt?: number;
  /** Does not read what is said to it, and so answers nothing. */
  readonly deaf?: boolean;
  /** Reads what is said to it, and answers nothing. */
  readonly mute?: boolean;
}

export const CUSTOMER_CALLS: Readonly<Record<string, string>> = {
  channel: 'PJSIP/trunk-000000c2',
  language: 'en',
  type: 'PJSIP',
  uniqueid: '1700000000.1',
  version: '22.10.1',
  callerid: '+491711234567',
  calleridname: 'unknown',
  callingpres: '0',
  callingani2: '0',
  callington: '0',
  callingtns: '0',
  dnid: '+49305550703',
  rdnis: 'unknown',
  context: 'did',
  extension: '49305550703',
  priority: '1',
  enhanced: '0.0',
  accountcode: '',
  threadid: '140000000000000',
};

/** A customer who withholds his number: he is not asked about that any more, so nothing is said before the decision. */
export const WITHHELD: Readonly<Record<string, string>> = { callingpres: '32' };

/** The lines with which Asterisk begins, the empty one included. */
export function requestText(address: string, fields: Readonly<Record<string, string>> = {}): string {
  const [request = '', ...rest] = address.split(',');
  const all = { network: 'yes', network_script: 'gate', request, ...CUSTOMER_CALLS, ...fields };
  const args = rest.map((part, index) => [`arg_${String(index + 1)}`, part] as const);
  return `${[...Object.entries(all), ...args].map(([name, value]) => `agi_${name}: ${value}\n`).join('')}\n`;
}

/** One such call. The socket is closed by the gate, which is how the dialplan goes on, or by `goAway`. */
export class AgiCall {
  /** Every line the gate said, as it was. */
  readonly said: string[] = [];
  /** Variables as they were set. */
  readonly set = new Map<string, string>();
  /** Resolves when the dialplan goes on. */
  readonly over: Promise<void>;
  #rest = '';

  private constructor(
    readonly socket: Socket,
    private readonly options: AgiCallOptions,
  ) {
    this.over = new Promise((resolve) => {
      socket.once('close', () => {
        resolve();
      });
    });
    socket.setEncoding('utf8');
    // A connection that is refused or cut ends the call's waiting like one that is closed.
    socket.on('error', () => undefined);
    if (options.deaf === true) socket.pause();
    else
      socket.on('data', (text: string) => {
        this.#hear(text);
      });
  }

  static async open(options: AgiCallOptions): Promise<AgiCall> {
    const {
      port,
      host = '127.0.0.1',
      address = `agi://127.0.0.1:${port}/gate?users=100&queue=sales`,
      fields,
    } = options;
    const socket = connect({ port, host });
    const call = new AgiCall(socket, options);
    await once(socket, 'connect');
    socket.write(requestText(address, fields));
    return call;
  }

  goAway(): void {
    this.socket.destroy();
  }

  #hear(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#obey(line);
  }

  #obey(line: string): void {
    this.said.push(line);
    if (this.options.mute === true) return;
    if (this.said.length === this.options.hangUpAt) this.socket.write('HANGUP\n');
    this.socket.write(`${this.#replyTo(line)}\n`);
  }

  #replyTo(line: string): string {
    const got = /^GET VARIABLE "(?<name>[^"]*)"$/.exec(line)?.groups?.['name'];
    if (got !== undefined) {
      const value = this.options.variables?.[got];
      return value === undefined ? '200 result=0' : `200 result=1 (${value})`;
    }
    const put = /^SET VARIABLE "(?<name>[^"]*)" "(?<value>[^"]*)"$/.exec(line)?.groups;
    if (put === undefined) return '510 Invalid or unknown command';
    this.set.set(put['name'] ?? '', put['value'] ?? '');
    return this.options.setReply ?? '200 result=1';
  }
}
