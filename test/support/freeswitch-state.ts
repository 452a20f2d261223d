import type { EslEvent } from '../../adapters/freeswitch/event.js';
import { asLegId } from '../../src/call/vocabulary.js';
import { readJsonEvent } from '../../adapters/freeswitch/event.js';
import type { Listing } from '../../adapters/freeswitch/listing.js';

/** What a description of a leg must say; from a recording trimmed to the events of calls, it says no more. */
export const DESCRIBED = [
  ...['Unique-ID', 'Channel-Name', 'Channel-Presence-ID', 'Call-Direction', 'Answer-State'],
  ...['Caller-Caller-ID-Number', 'Caller-Orig-Caller-ID-Number', 'Caller-Destination-Number', 'Caller-RDNIS'],
  ...['Caller-Privacy-Hide-Number', 'Caller-Channel-Hangup-Time', 'Other-Type', 'Other-Leg-Unique-ID'],
  ...['variable_originator', 'variable_dialed_user', 'variable_dialed_domain', 'variable_user_name'],
  ...['variable_domain_name', 'variable_sip_auth_username', 'variable_sip_gateway_name', 'variable_sip_req_user'],
  ...['variable_sip_Privacy', 'variable_cc_queue', 'variable_cc_side', 'variable_cc_member_session_uuid'],
  ...['variable_fifo_bridge_uuid', 'variable_ent_originate_aleg_uuid', 'variable_other_loopback_leg_uuid'],
  ...['Hangup-Cause', 'variable_hangup_cause', 'variable_sip_hangup_disposition'],
  ...['variable_originate_disposition', 'variable_last_bridge_hangup_cause'],
  ...['variable_bridge_to', 'variable_conference_uuid', 'variable_current_application'],
] as const;

interface LegState {
  readonly id: string;
  readonly headers: Map<string, string>;
  readonly firstFrom: string;
  readonly firstDialled: string;
}

/**
 * A FreeSWITCH's state, rebuilt from the events of a recording: says at any moment what `show channels` and `uuid_dump` would
 * answer. Held against real replies in the middle of recorded calls (test/unit/freeswitch-legs/state.test.ts).
 */
export class FreeSwitchState {
  readonly #legs = new Map<string, LegState>();
  #sequence = '0';
  #stamp = '0';

  push(event: EslEvent): void {
    this.#sequence = event.get('Event-Sequence') ?? this.#sequence;
    this.#stamp = event.get('Event-Date-Timestamp') ?? this.#stamp;
    const id = event.get('Unique-ID');
    if (id === undefined) return;
    if (event.name === 'CHANNEL_CREATE') {
      this.#legs.set(id, {
        id,
        headers: new Map(),
        firstFrom: event.get('Caller-Caller-ID-Number') ?? '',
        firstDialled: event.get('Caller-Destination-Number') ?? '',
      });
    }
    const leg = this.#legs.get(id);
    if (leg === undefined) return;
    for (const header of DESCRIBED) {
      const value = event.get(header);
      // Who talks with whom is told by events of one leg, and kept in both.
      if (value !== undefined && header !== 'variable_bridge_to') leg.headers.set(header, value);
    }
    this.#connect(event, leg);
    if (event.name === 'CHANNEL_HANGUP_COMPLETE') this.#legs.delete(id);
  }

  #connect(event: EslEvent, leg: LegState): void {
    const [a, b] = ['Bridge-A-Unique-ID', 'Bridge-B-Unique-ID'].map((header) =>
      this.#legs.get(event.get(header) ?? ''),
    );
    if (event.name === 'CHANNEL_BRIDGE') {
      if (b !== undefined) a?.headers.set('variable_bridge_to', b.id);
      if (a !== undefined) b?.headers.set('variable_bridge_to', a.id);
    } else if (event.name === 'CHANNEL_UNBRIDGE') {
      for (const one of [a, b]) {
        if (one !== undefined && [a?.id, b?.id].includes(one.headers.get('variable_bridge_to')))
          one.headers.delete('variable_bridge_to');
      }
    } else if (event.get('Action') === 'add-member') {
      leg.headers.set('variable_conference_uuid', event.get('Conference-Unique-ID') ?? '');
      leg.headers.set('variable_current_application', 'conference');
    } else if (event.get('Action') === 'del-member') {
      leg.headers.set('variable_current_application', 'none');
    }
  }

  /** Ids of the legs there are, oldest first. */
  legs(): readonly string[] {
    return [...this.#legs.keys()];
  }

  /** What `api show channels as json` would answer. */
  showChannels(): string {
    const rows = [...this.#legs.values()].map(({ id, firstFrom, firstDialled }) => ({
      uuid: id,
      initial_cid_num: firstFrom,
      initial_dest: firstDialled,
    }));
    return JSON.stringify({ row_count: rows.length, ...(rows.length > 0 && { rows }) });
  }

  /** What `api uuid_dump ID json` would answer. */
  describe(id: string): string {
    const leg = this.#legs.get(id);
    if (leg === undefined) return '-ERR No such channel!\n';
    return JSON.stringify({
      'Event-Name': 'CHANNEL_DATA',
      'Event-Date-Timestamp': this.#stamp,
      'Event-Sequence': this.#sequence,
      ...Object.fromEntries(leg.headers),
    });
  }

  /** Both, as the adapter puts them together. */
  listing(): Listing {
    return {
      legs: [...this.#legs.values()].flatMap(({ id, firstFrom, firstDialled }) => {
        const description = readJsonEvent(this.describe(id));
        if (description === undefined) return [];
        return [{ id: asLegId(id), description, first: { from: firstFrom, dialled: firstDialled } }];
      }),
    };
  }
}
