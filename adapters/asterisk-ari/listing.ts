import type { AsteriskEvent } from '../asterisk/event.js';
import { parseChannelName } from '../asterisk/channel-name.js';
import { text, type JsonObject } from './event.js';
import { askList, askVariable, each, type Asking, type AskOptions } from './ask.js';
import { withoutAsking } from './asking-channel.js';
import { asteriskEvent, bridgeHeaders, channelHeaders } from './translation.js';

/** All channels and bridges there are, as the Manager Interface would list them. */
export interface Listing {
  /** Items of BridgeList. */
  readonly bridges: readonly AsteriskEvent[];
  /** Items of Status. */
  readonly channels: readonly AsteriskEvent[];
}

export interface ListingOptions extends AskOptions {
  /** What `GET /channels` said, as soon as it has. */
  readonly onChannels?: ((channels: readonly JsonObject[]) => void) | undefined;
}

/** Questions about channels at one time. */
const AT_ONCE = 12;

/**
 * Asks for the lists. Of a channel that is not `placed` it is also asked what they do not say: which channel its story began
 * with, and the number that was dialled when it came in.
 * @throws as `askList`
 */
export async function takeListing(
  asking: Asking,
  isPlaced: (channel: string) => boolean,
  options: ListingOptions,
): Promise<Listing> {
  const bridges = await askList(asking, ['bridges'], options);
  const channels = withoutAsking(await askList(asking, ['channels'], options));
  options.onChannels?.(channels);
  const bridgeOf = new Map<string, string>();
  for (const bridge of bridges) {
    const members = bridge['channels'];
    if (!Array.isArray(members)) continue;
    for (const member of members) if (typeof member === 'string') bridgeOf.set(member, text(bridge, 'id') ?? '');
  }
  const told = new Map<string, Origin | 'gone'>();
  const unplaced = channels.flatMap((channel) => {
    const id = text(channel, 'id');
    return id === undefined || isPlaced(id) ? [] : [{ id, channel }];
  });
  await each(unplaced, AT_ONCE, async ({ id, channel }) => {
    told.set(id, await askOrigin(asking, id, channel, options));
  });
  return {
    bridges: bridges.map((bridge) => asteriskEvent(undefined, bridgeHeaders(bridge))),
    channels: channels.flatMap((channel) => {
      const id = text(channel, 'id') ?? '';
      const origin = told.get(id);
      if (origin === 'gone') return [];
      const item = { ...channelHeaders(channel), BridgeID: bridgeOf.get(id) ?? '' };
      return [asteriskEvent(undefined, origin === undefined ? item : { ...item, ...origin })];
    }),
  };
}

interface Origin {
  readonly Linkedid: string | undefined;
  readonly DNID: string;
}

async function askOrigin(
  asking: Asking,
  id: string,
  channel: JsonObject,
  options: AskOptions,
): Promise<Origin | 'gone'> {
  const linked = await askVariable(asking.rest, id, 'CHANNEL(linkedid)', options);
  if (linked.kind === 'gone') return 'gone';
  const Linkedid = linked.value === '' ? undefined : linked.value;
  const { half } = parseChannelName(text(channel, 'name') ?? '');
  // A Dial or a queue has made it: nobody called in on it.
  const isDialled = /^App(?:Dial|Queue)/.test(channelHeaders(channel)['Application'] ?? '');
  if (half !== undefined || isDialled) return { Linkedid, DNID: '' };
  const dnid = await askVariable(asking.rest, id, 'CALLERID(dnid)', options);
  return dnid.kind === 'gone' ? 'gone' : { Linkedid, DNID: dnid.value };
}
