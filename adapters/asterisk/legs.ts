import { asLegId, type LegEvent, type LegId } from '../../src/call/vocabulary.js';
import { Bridges, type Change } from './bridges.js';
import { dialledNumber, lineOf, parseChannelName, type ChannelName } from './channel-name.js';
import { CHANNEL_STATE, isNumber, isWithheld } from './channel-fields.js';
import { Channels, isFolded, type Channel } from './channels.js';
import { Diallers } from './diallers.js';
import type { AsteriskEvent } from './event.js';
import { Dials, dialOfStatus, isBeingMade, originOfStatus } from './status-item.js';

const ANSWERED_ELSEWHERE = 26;
const MOST_STRANGERS = 10_000;
/** SoftHangupRequest's Cause when Asterisk stops: AST_SOFTHANGUP_SHUTDOWN, which a login with read=call hears too. */
const SHUTTING_DOWN = '4';

/** The events that legs are made of; all but the last three come with `read=call`. */
export const LEG_EVENTS: ReadonlySet<string> = new Set([
  'Newchannel',
  'Newstate',
  'NewCallerid',
  'LocalBridge',
  'DialBegin',
  'HangupRequest',
  'SoftHangupRequest',
  'BridgeEnter',
  'BridgeLeave',
  'BridgeDestroy',
  'Hangup',
  'QueueCallerJoin',
  'Newexten',
  'Shutdown',
]);

/**
 * What Asterisk's events mean for legs. Pure: messages in, leg events out. Local channels are folded away here, and nothing
 * of Asterisk is known behind this point. The facts it rests on are measured (docs/guide-asterisk.md, "What the bridge listens to").
 */
export class AsteriskLegs {
  readonly #channels = new Channels();
  readonly #bridges = new Bridges(this.#channels);
  readonly #diallers = new Diallers(this.#channels, this.#bridges);
  /** Channels whose dialler is behind a Local channel that has not been dialled itself yet. */
  readonly #owed = new Set<Channel>();
  /** Of channels from before this run, whose far end has hung up. */
  readonly #strangersHungUp = new Set<LegId>();
  #snapshot: { readonly old: Set<LegId>; readonly ended: Set<LegId>; readonly dials: Dials } | undefined;

  /**
   * @param presentation `asked`: whether a caller withholds his number is asked of the PBX and told by `learn`; `heard`: only
   * what the events say is known.
   */
  constructor(
    private readonly isTrunk: (name: ChannelName) => boolean,
    private readonly presentation: 'heard' | 'asked' = 'heard',
  ) {}

  /** The legs there are, also those that are still to be told: an earlier run may have told them. */
  legs(): LegId[] {
    return [...this.#channels.all()].filter((channel) => !isFolded(channel)).map(({ id }) => id);
  }
  channelOf(leg: LegId): string | undefined {
    return this.#channels.get(leg)?.channel;
  }
  /** Where this channel comes from is known: nothing of it need be asked for a list. */
  isPlaced(id: string): boolean {
    const channel = this.#channels.get(id);
    return channel !== undefined && (channel.origin !== undefined || channel.dialledBy !== undefined);
  }
  /** The leg of the person who took this channel: itself, or the one behind a Local channel. */
  legBehind(leg: LegId): LegId {
    const channel = this.#channels.get(leg);
    return (channel === undefined ? undefined : this.#diallers.behind(channel)) ?? leg;
  }
  /** The number that a caller has dialled; undefined: that is not known. */
  dialledOf(leg: LegId): string | undefined {
    const channel = this.#channels.get(leg);
    return channel?.origin === 'incoming' && /\d/u.test(channel.dialled ?? '') ? channel.dialled : undefined;
  }
  /** It is not known yet whether this caller withholds his number. */
  isAsked(leg: LegId): boolean {
    const channel = this.#channels.get(leg);
    return channel?.origin === 'incoming' && channel.withheld === 'asked';
  }
  /** A customer who called and is connected with nobody but the PBX: worth asking what answers him. */
  isAlone(leg: LegId): boolean {
    const channel = this.#channels.get(leg);
    return (
      channel?.line.kind === 'trunk' &&
      channel.origin === 'incoming' &&
      channel.up &&
      this.#bridges.bridgeOf(channel) === undefined
    );
  }
  /** Whether the end of this leg, when it comes, is our doing. */
  markOurs(leg: LegId, ours: boolean): void {
    const channel = this.#channels.get(leg);
    if (channel !== undefined) channel.ours = ours;
  }

  /** One event of the wire. */
  push(message: AsteriskEvent): LegEvent[] {
    switch (message.event) {
      case 'Newchannel':
        return this.#newChannel(message);
      case 'Newstate':
        return this.#newState(message);
      case 'NewCallerid':
        return this.#newCallerId(message);
      case 'LocalBridge':
        return this.#localBridge(message);
      case 'DialBegin':
        return this.#dialBegin(message);
      case 'HangupRequest':
        return this.#hangupRequest(message);
      case 'BridgeEnter':
        return this.#bridgeEnter(message);
      case 'BridgeLeave':
        return this.#bridgeLeave(message);
      case 'BridgeDestroy':
        this.#bridges.forget(message.get('BridgeUniqueid') ?? '');
        return [];
      case 'Hangup':
        return this.#hangup(message);
      case 'QueueCallerJoin':
        return this.#about(message, (channel) => [
          { type: 'queued', leg: channel.id, queue: message.get('Queue') ?? '' },
        ]);
      case 'Newexten':
        return message.get('Application') === 'VoiceMail' ? this.#about(message, voicemail) : [];
      case 'SoftHangupRequest':
        return message.get('Cause') === SHUTTING_DOWN ? [{ type: 'stopping' }] : [];
      case 'Shutdown':
        return [{ type: 'stopping' }];
      default:
        return [];
    }
  }

  // ------------------------------------------------------------------ the snapshot after a connect

  /** The PBX is about to be asked for all channels. */
  beginSnapshot(): void {
    const old = new Set([...this.#channels.all()].map(({ id }) => id));
    this.#snapshot = { old, ended: new Set(), dials: new Dials() };
  }
  /** An item of BridgeList: it alone says which bridges are waiting places. */
  bridgeItem(message: AsteriskEvent): void {
    this.#bridges.setTechnology(message.get('BridgeUniqueid') ?? '', message.get('BridgeTechnology'));
  }
  /** An item of Status: a channel as it is now. */
  statusItem(message: AsteriskEvent): LegEvent[] {
    const id = message.get('Uniqueid');
    if (id === undefined || this.#snapshot === undefined || this.#snapshot.ended.has(asLegId(id))) return [];
    const events = this.#removeNamesakes(message);
    const channel = this.#channels.get(id) ?? this.#add(message);
    if (channel === undefined) return events;
    this.#snapshot.old.delete(channel.id);
    const application = message.get('Application') ?? '';
    const dial = dialOfStatus(message);
    if (dial !== undefined) this.#snapshot.dials.add(dial);
    if (channel.origin === undefined) {
      channel.linked = message.get('Linkedid');
      channel.hint = originOfStatus(message);
      if (!isBeingMade(message, channel.hint)) this.#useHint(channel);
    }
    events.push(...this.#tell(channel));
    if (message.get('ChannelState') === CHANNEL_STATE.up && !channel.up) events.push(...this.#up(channel));
    if (application === 'Queue')
      events.push(
        ...this.#withLeg(channel, {
          type: 'queued',
          leg: channel.id,
          queue: (message.get('Data') ?? '').split(',')[0] ?? '',
        }),
      );
    if (application === 'VoiceMail') events.push(...this.#withLeg(channel, ...voicemail(channel)));
    const bridge = message.get('BridgeID');
    events.push(...this.#changes(this.#bridges.move(channel, bridge === '' ? undefined : bridge)));
    return [...events, ...this.#payOwed(false)];
  }
  /** Ids of the channels that were there before the list, and that it lacks so far. */
  unlisted(): readonly LegId[] {
    return [...(this.#snapshot?.old ?? [])].filter((id) => this.#channels.get(id) !== undefined);
  }
  /** This channel has ended since the list was asked for. */
  hasEnded(id: string): boolean {
    return this.#snapshot?.ended.has(asLegId(id)) === true;
  }
  /** All channels were listed: what was not among them is over. */
  endSnapshot(): LegEvent[] {
    const { old: gone = new Set<LegId>(), dials = new Dials() } = this.#snapshot ?? {};
    this.#snapshot = undefined;
    for (const channel of this.#channels.all()) {
      // It was being made when it was listed. Its DialBegin may have been before, and none may follow until the far end answers.
      const isMade = channel.line.kind === 'trunk' && channel.origin === undefined;
      if (isMade && dials.of(channel) !== undefined) this.#useHint(channel);
    }
    for (const channel of this.#owed) {
      if (channel.hint === undefined) continue;
      const dial = dials.of(channel);
      if (dial === undefined) continue;
      channel.dialled = dial.number;
      // Better than the first channel of its story: an agent may consult somebody while his customer waits.
      channel.dialledBy = dial.by;
    }
    const events = this.#payOwed(true);
    for (const id of gone) {
      const channel = this.#channels.get(id);
      if (channel !== undefined) events.push(...this.#remove(channel));
    }
    for (const channel of this.#channels.all()) channel.listed ||= !isFolded(channel);
    return [...events, { type: 'snapshot', legs: this.legs() }];
  }
  /**
   * The list was refused or cut: it says nothing about what is not in it.
   * @param isHeard false: the connection has ended, and nobody hears what is owed; so the next list tells it.
   */
  abandonSnapshot(isHeard = true): LegEvent[] {
    this.#snapshot = undefined;
    return isHeard ? this.#payOwed(true) : [];
  }

  /** A PBX that was restarted gives the names of before anew: who bore this one is gone, and so is his other half. */
  #removeNamesakes(message: AsteriskEvent): LegEvent[] {
    const namesake = this.#channels.named(message.get('Channel') ?? '');
    if (namesake === undefined || namesake.id === message.get('Uniqueid')) return [];
    const gone = [namesake, this.#channels.pair(namesake)];
    return gone.flatMap((channel) =>
      channel !== undefined && this.#snapshot?.old.has(channel.id) === true ? this.#remove(channel) : [],
    );
  }

  #useHint(channel: Channel, number?: string): void {
    if (channel.origin !== undefined || channel.hint === undefined || isFolded(channel)) return;
    const { hint } = channel;
    Object.assign(channel, hint);
    if (hint.origin === 'incoming') return;
    if (!isNumber(hint.dialled) && hint.dialledBy !== 'nobody') channel.dialled = number;
    channel.owed = true;
    this.#owed.add(channel);
  }

  // ------------------------------------------------------------------ events

  #add(message: AsteriskEvent): Channel | undefined {
    const id = message.get('Uniqueid');
    const name = message.get('Channel');
    if (id === undefined || id === '' || name === undefined || name === '') return undefined;
    const parsed = parseChannelName(name);
    const channel: Channel = {
      id: asLegId(id),
      channel: name,
      name: parsed,
      line: lineOf(parsed, this.isTrunk),
      origin: undefined,
      from: undefined,
      dialled: undefined,
      withheld: this.presentation === 'asked' ? 'asked' : false,
      dialledBy: undefined,
      up: false,
      farHungUp: false,
      ours: false,
      told: false,
      listed: false,
      owed: false,
      linked: undefined,
      hint: undefined,
    };
    this.#channels.add(channel);
    return channel;
  }

  #newChannel(message: AsteriskEvent): LegEvent[] {
    if (this.#channels.get(message.get('Uniqueid')) !== undefined) return [];
    const channel = this.#add(message);
    if (channel === undefined) return [];
    return [...this.#stateOf(channel, message), ...(channel.line.kind === 'virtual' ? this.#payOwed(false) : [])];
  }

  #newState(message: AsteriskEvent): LegEvent[] {
    const channel = this.#channels.get(message.get('Uniqueid'));
    return channel === undefined ? [] : this.#stateOf(channel, message);
  }

  #stateOf(channel: Channel, message: AsteriskEvent): LegEvent[] {
    const state = message.get('ChannelState');
    const events: LegEvent[] = [];
    if (state === CHANNEL_STATE.ring && channel.origin === undefined && channel.dialledBy === undefined) {
      channel.origin = 'incoming';
      channel.from = message.get('CallerIDNum');
      channel.dialled = message.get('Exten');
      if (isWithheld(message)) channel.withheld = true;
      events.push(...this.#tell(channel));
    }
    // Ringing may be told before DialBegin; what a trunk was asked to dial is worth waiting for.
    if (state === CHANNEL_STATE.up || (state !== CHANNEL_STATE.down && channel.line.kind === 'agent')) {
      this.#useHint(channel, message.get('CallerIDNum'));
      events.push(...this.#payOwed(false));
    }
    if (state === CHANNEL_STATE.up && !channel.up) events.push(...this.#up(channel));
    return events;
  }

  #newCallerId(message: AsteriskEvent): LegEvent[] {
    const channel = this.#channels.get(message.get('Uniqueid'));
    if (channel?.origin !== 'incoming') return [];
    const late = isNumber(channel.from) ? undefined : message.get('CallerIDNum');
    const withheld = isWithheld(message);
    if (!isNumber(late) && !withheld) return [];
    channel.from = isNumber(late) ? late : channel.from;
    return this.learn(channel.id, withheld || channel.withheld);
  }

  /** It became known whether the caller wants his number shown. Once he does not, a dialplan that allows it changes nothing. */
  learn(leg: LegId, withheld: boolean | 'asked'): LegEvent[] {
    const channel = this.#channels.get(leg);
    if (channel === undefined) return [];
    channel.withheld = channel.withheld === true || withheld;
    channel.told = false;
    return this.#tell(channel);
  }

  #localBridge(message: AsteriskEvent): LegEvent[] {
    const one = this.#channels.get(message.get('LocalOneUniqueid'));
    return one === undefined ? [] : [...this.#changes(this.#bridges.paired(one)), ...this.#payOwed(false)];
  }

  #dialBegin(message: AsteriskEvent): LegEvent[] {
    const channel = this.#channels.get(message.get('DestUniqueid'));
    if (channel === undefined) return [];
    const by = message.get('Uniqueid');
    channel.origin = 'outgoing';
    channel.dialledBy = by === undefined || by === '' ? 'nobody' : asLegId(by);
    if (channel.line.kind === 'virtual') return this.#payOwed(false);
    channel.dialled = dialledNumber(message.get('DialString')) ?? message.get('DestCallerIDNum');
    channel.from = isNumber(message.get('DestConnectedLineNum'))
      ? message.get('DestConnectedLineNum')
      : message.get('CallerIDNum');
    channel.owed = true;
    channel.hint = undefined;
    this.#owed.add(channel);
    return this.#payOwed(false);
  }

  #hangupRequest(message: AsteriskEvent): LegEvent[] {
    const id = message.get('Uniqueid');
    const channel = this.#channels.get(id);
    if (channel !== undefined) channel.farHungUp = true;
    else if (id !== undefined && this.#strangersHungUp.size < MOST_STRANGERS) this.#strangersHungUp.add(asLegId(id));
    return [];
  }

  #bridgeEnter(message: AsteriskEvent): LegEvent[] {
    const channel = this.#channels.get(message.get('Uniqueid'));
    const bridge = message.get('BridgeUniqueid');
    if (channel === undefined || bridge === undefined) return [];
    this.#bridges.setTechnology(bridge, message.get('BridgeTechnology'));
    const events = this.#stateOf(channel, message);
    if (channel.owed) events.push(...this.#payOwed(false));
    return [...events, ...this.#changes(this.#bridges.move(channel, bridge)), ...this.#payOwed(false)];
  }

  #bridgeLeave(message: AsteriskEvent): LegEvent[] {
    const channel = this.#channels.get(message.get('Uniqueid'));
    if (channel === undefined || this.#bridges.bridgeOf(channel) !== message.get('BridgeUniqueid')) return [];
    return this.#changes(this.#bridges.move(channel, undefined));
  }

  #hangup(message: AsteriskEvent): LegEvent[] {
    const id = message.get('Uniqueid');
    if (id !== undefined) this.#snapshot?.ended.add(asLegId(id));
    const channel = this.#channels.get(id);
    if (channel === undefined) return this.#strangerGone(message);
    const events = channel.owed ? this.#tellOwed(channel) : [];
    events.push(...this.#remove(channel));
    if (!channel.told && !channel.listed) return events;
    const q850 = Number.parseInt(message.get('Cause') ?? '', 10);
    const by = channel.ours ? 'us' : channel.farHungUp ? 'far' : 'pbx';
    return [
      ...events,
      {
        type: 'ended',
        leg: channel.id,
        ...(Number.isNaN(q850) ? {} : { q850 }),
        by,
        ...(q850 === ANSWERED_ELSEWHERE ? { elsewhere: true } : {}),
      },
    ];
  }

  /**
   * A channel that no list and no event has spoken of: it is from before this run, and perhaps the bridge knows it from its journal. Who
   * hung up is not known; the cause is.
   */
  #strangerGone(message: AsteriskEvent): LegEvent[] {
    const id = message.get('Uniqueid');
    const name = parseChannelName(message.get('Channel') ?? '');
    if (id === undefined || id === '' || isFolded({ line: lineOf(name, this.isTrunk) })) return [];
    const q850 = Number.parseInt(message.get('Cause') ?? '', 10);
    const far = this.#strangersHungUp.delete(asLegId(id));
    return [{ type: 'ended', leg: asLegId(id), ...(Number.isNaN(q850) ? {} : { q850 }), by: far ? 'far' : 'pbx' }];
  }

  // ------------------------------------------------------------------ what the brain is told

  /** `appeared`, once a channel's origin is known. */
  #tell(channel: Channel): LegEvent[] {
    if (channel.told || channel.owed || channel.origin === undefined || isFolded(channel)) return [];
    channel.told = true;
    const by = this.#diallers.of(channel, this.#snapshot !== undefined);
    return [
      {
        type: 'appeared',
        leg: channel.id,
        line: channel.line,
        origin: channel.origin,
        from: channel.from,
        dialled: channel.dialled,
        ...(channel.origin === 'incoming' ? { withheld: channel.withheld } : {}),
        ...(by === undefined || by === 'nobody' ? {} : { by }),
      },
    ];
  }

  #tellOwed(channel: Channel): LegEvent[] {
    this.#owed.delete(channel);
    channel.owed = false;
    const by = this.#diallers.of(channel, this.#snapshot !== undefined);
    const events = this.#tell(channel);
    return [...events, { type: 'called', leg: channel.id, ...(by === undefined || by === 'nobody' ? {} : { by }) }];
  }

  /** Tells of the called channels whose dialler has become known; with `all`, of the others too. */
  #payOwed(all: boolean): LegEvent[] {
    const events: LegEvent[] = [];
    for (const channel of this.#owed) {
      // In the middle of a list, what a trunk was asked to dial may still come, unless an event has said it.
      const wait = this.#snapshot !== undefined && channel.line.kind === 'trunk' && channel.hint !== undefined;
      if (all || (!wait && this.#diallers.of(channel, this.#snapshot !== undefined) !== undefined))
        events.push(...this.#tellOwed(channel));
    }
    return events;
  }

  #up(channel: Channel): LegEvent[] {
    channel.up = true;
    if (isFolded(channel)) return [];
    const events = channel.owed && this.#snapshot === undefined ? this.#tellOwed(channel) : [];
    // An outgoing channel that no DialBegin spoke of.
    channel.origin ??= 'outgoing';
    return [...events, ...this.#withLeg(channel, { type: 'up', leg: channel.id })];
  }

  #withLeg(channel: Channel, ...events: LegEvent[]): LegEvent[] {
    return isFolded(channel) ? [] : [...this.#tell(channel), ...events];
  }

  #about(message: AsteriskEvent, what: (channel: Channel) => LegEvent[]): LegEvent[] {
    const channel = this.#channels.get(message.get('Uniqueid')) ?? this.#channels.named(message.get('Channel') ?? '');
    return channel === undefined ? [] : this.#withLeg(channel, ...what(channel));
  }

  #changes(changes: readonly Change[]): LegEvent[] {
    return changes.flatMap(({ leg, from, to }): LegEvent[] => {
      const channel = this.#channels.get(leg);
      if (channel === undefined) return [];
      if (to !== undefined) return this.#withLeg(channel, { type: 'joined', leg, conversation: to });
      return from === undefined ? [] : this.#withLeg(channel, { type: 'left', leg, conversation: from });
    });
  }

  #remove(channel: Channel): LegEvent[] {
    this.#owed.delete(channel);
    const changes = this.#bridges.end(channel, () => {
      this.#channels.remove(channel);
    });
    return this.#changes(changes);
  }
}

const voicemail = (channel: Channel): LegEvent[] => [{ type: 'recorder', leg: channel.id, kind: 'voicemail' }];
