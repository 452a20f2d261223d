import type { AmiMessage } from '../../adapters/asterisk-ami/message.js';

/** Headers of one message, in the order of the wire. */
export type Fields = Readonly<Record<string, string>>;

/**
 * How events name the channels they speak of. Each of these, put before `Channel`, `Uniqueid`, `ChannelState`, … stands for
 * a whole description of that channel as it was when the event was made.
 */
const ROLES = [
  ...['', 'Dest', 'LocalOne', 'LocalTwo', 'Target', 'Parkee', 'Parker', 'Retriever'],
  ...['Transferer', 'Transferee', 'TransferTarget', 'OrigTransferer', 'SecondTransferer'],
];
/** What Status tells of a channel and events keep telling anew. */
const TOLD = [
  ...['Channel', 'ChannelState', 'ChannelStateDesc', 'CallerIDNum', 'CallerIDName', 'ConnectedLineNum'],
  ...['ConnectedLineName', 'Language', 'AccountCode', 'Context', 'Exten', 'Priority', 'Linkedid'],
] as const;
type Told = Record<(typeof TOLD)[number], string>;

const RING = '4';
/** What one Dial calls, it begins to call within so long. */
const ONE_DIAL_MS = 200;

interface ChannelState {
  readonly uniqueid: string;
  readonly told: Told;
  /** The number dialled, on a channel that came in; else ''. */
  readonly dnid: string;
  bridge: string;
  application: string;
  data: string;
  readonly since: number;
  /** When it last began to dial. */
  dialledAt: number;
}
interface BridgeState {
  readonly type: string;
  technology: string;
  readonly creator: string;
  readonly name: string;
  readonly channels: Set<string>;
}

/**
 * An Asterisk's state, rebuilt from the events of a recording: says at any moment what `Status` and `BridgeList` would
 * answer. Held against 27 real replies of Asterisk 16 and 22 in the middle of recorded calls, it had every field right but
 * the number of channels in a conference, whose announcer no event speaks of. What nobody may build on (codecs, groups) is
 * left out.
 *
 * From a recording trimmed to the events of calls, `Application` is what these show: Dial and AppDial, Queue, VoiceMail,
 * ConfBridge; from a whole one also every other step of the dialplan.
 */
export class AsteriskState {
  readonly #channels = new Map<string, ChannelState>();
  readonly #bridges = new Map<string, BridgeState>();

  /** One event. `at`: its time in ms. */
  push(message: AmiMessage, at = 0): void {
    if (message.event === 'Newchannel') this.#appear(message, at);
    for (const role of ROLES) this.#update(message, role);
    const channel = this.#channels.get(message.get('Uniqueid') ?? '');
    switch (message.event) {
      case 'DialBegin':
        this.#dials(channel, message, at);
        this.#runs(this.#channels.get(message.get('DestUniqueid') ?? ''), 'AppDial', '(Outgoing Line)');
        break;
      case 'QueueCallerJoin':
        this.#runs(channel, 'Queue', message.get('Queue'));
        break;
      case 'ConfbridgeJoin':
        this.#runs(channel, 'ConfBridge', message.get('Conference'));
        break;
      case 'Newexten':
        this.#runs(channel, message.get('Application') ?? '', message.get('AppData'));
        break;
      case 'BridgeEnter':
        this.#enter(channel, message);
        break;
      case 'BridgeLeave':
        if (channel !== undefined && channel.bridge === message.get('BridgeUniqueid')) this.#leave(channel);
        break;
      case 'BridgeDestroy':
        this.#bridges.delete(message.get('BridgeUniqueid') ?? '');
        break;
      case 'Hangup':
        if (channel !== undefined) this.#leave(channel);
        this.#channels.delete(message.get('Uniqueid') ?? '');
        break;
      default:
    }
  }

  /** Uniqueids of the channels there are, oldest first. */
  channels(): readonly string[] {
    return [...this.#channels.keys()];
  }

  /** This channel called in; the PBX did not dial it. */
  cameIn(uniqueid: string): boolean {
    return (this.#channels.get(uniqueid)?.dnid ?? '') !== '';
  }

  /** The items of `Action: Status`, without the response before and `StatusComplete` behind. `at`: now, in ms. */
  status(at = 0, actionId?: string): readonly Fields[] {
    return [...this.#channels.values()].map(({ uniqueid, told, dnid, bridge, application, data, since }) => ({
      Event: 'Status',
      Privilege: 'Call',
      Channel: told.Channel,
      ChannelState: told.ChannelState,
      ChannelStateDesc: told.ChannelStateDesc,
      CallerIDNum: told.CallerIDNum,
      CallerIDName: told.CallerIDName,
      ConnectedLineNum: told.ConnectedLineNum,
      ConnectedLineName: told.ConnectedLineName,
      Language: told.Language,
      AccountCode: told.AccountCode,
      Context: told.Context,
      Exten: told.Exten,
      Priority: told.Priority,
      Uniqueid: uniqueid,
      Linkedid: told.Linkedid,
      Type: told.Channel.split('/')[0] ?? '',
      DNID: dnid,
      TimeToHangup: '0',
      BridgeID: bridge,
      Application: application,
      Data: data,
      Seconds: String(Math.floor((at - since) / 1000)),
      ...(actionId === undefined ? {} : { ActionID: actionId }),
    }));
  }

  /** The items of `Action: BridgeList`. */
  bridgeList(actionId?: string): readonly Fields[] {
    return [...this.#bridges].map(([id, { type, technology, creator, name, channels }]) => ({
      Event: 'BridgeListItem',
      ...(actionId === undefined ? {} : { ActionID: actionId }),
      BridgeUniqueid: id,
      BridgeType: type,
      BridgeTechnology: technology,
      BridgeCreator: creator,
      BridgeName: name,
      BridgeNumChannels: String(channels.size),
    }));
  }

  #appear(message: AmiMessage, at: number): void {
    const uniqueid = message.get('Uniqueid') ?? '';
    if (uniqueid === '' || this.#channels.has(uniqueid)) return;
    // Local channels have the state Ring too, but no DNID (seen in both versions).
    const cameIn = message.get('ChannelState') === RING && message.get('Channel')?.startsWith('Local/') !== true;
    const told = Object.fromEntries(TOLD.map((field) => [field, ''])) as Told;
    const dnid = cameIn ? (message.get('Exten') ?? '') : '';
    this.#channels.set(uniqueid, {
      uniqueid,
      told,
      dnid,
      bridge: '',
      application: '',
      data: '',
      since: at,
      dialledAt: 0,
    });
  }

  #update(message: AmiMessage, role: string): void {
    const channel = this.#channels.get(message.get(`${role}Uniqueid`) ?? '');
    if (channel === undefined) return;
    for (const field of TOLD) channel.told[field] = message.get(`${role}${field}`) ?? channel.told[field];
  }

  /** Dial is told what to call at once, joined by `&`; each of it begins an event of its own. */
  #dials(channel: ChannelState | undefined, message: AmiMessage, at: number): void {
    const tech = (message.get('DestChannel') ?? '').split('/')[0] ?? '';
    const target = `${tech}/${message.get('DialString') ?? ''}`;
    const beside = channel?.application === 'Dial' && at - channel.dialledAt < ONE_DIAL_MS;
    this.#runs(channel, 'Dial', beside ? `${channel.data}&${target}` : target);
    if (channel !== undefined) channel.dialledAt = at;
  }

  #runs(channel: ChannelState | undefined, application: string, data: string | undefined): void {
    if (channel === undefined) return;
    // A queue dials its members itself, and stays what the channel does.
    if (application === 'Dial' && channel.application === 'Queue') return;
    channel.application = application;
    channel.data = data ?? '';
  }

  #enter(channel: ChannelState | undefined, message: AmiMessage): void {
    const id = message.get('BridgeUniqueid') ?? '';
    const technology = message.get('BridgeTechnology') ?? '';
    const bridge = this.#bridges.get(id) ?? {
      type: message.get('BridgeType') ?? 'basic',
      technology,
      creator: message.get('BridgeCreator') ?? '<unknown>',
      name: message.get('BridgeName') ?? '<unknown>',
      channels: new Set<string>(),
    };
    bridge.technology = technology;
    this.#bridges.set(id, bridge);
    if (channel === undefined) return;
    this.#leave(channel);
    channel.bridge = id;
    bridge.channels.add(channel.uniqueid);
  }

  #leave(channel: ChannelState): void {
    this.#bridges.get(channel.bridge)?.channels.delete(channel.uniqueid);
    channel.bridge = '';
  }
}
