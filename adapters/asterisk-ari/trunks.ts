import { asError, isBridgeError } from '../../src/errors.js';
import type { Millis } from '../../src/call/vocabulary.js';
import type { Clock } from '../../src/clock.js';
import { parseChannelName, trunkMatcher, type ChannelName } from '../asterisk/channel-name.js';
import { TrunkSet, type TrunkSetOptions } from '../asterisk/trunk-set.js';
import { askList, each, type Asking } from './ask.js';
import { isObject, text, type JsonObject } from './event.js';

/** For all questions together. */
const TIMEOUT_MS = 10_000;
/** While none is known: an Asterisk that is starting has not read its endpoints yet. */
const AGAIN_MS = 60_000;
/** Questions about endpoints at one time. */
const AT_ONCE = 12;
/** More endpoints than can be looked at one by one. */
const MOST_ENDPOINTS = 2_000;
/** Endpoints named in a message. */
const MOST_NAMED = 12;

export interface TrunksOptions extends TrunkSetOptions {
  readonly clock: Clock;
}

/** Which endpoints lead outside: those configured, or those that the PBX is asked for. Nothing is guessed. */
export class Trunks {
  readonly #set: TrunkSet;
  #cancel: () => void = () => undefined;
  #missing: string | undefined;
  /** The PJSIP endpoints that were looked at; undefined: none yet, or the trunks are configured. */
  #looked: Set<string> | undefined;
  /** For questions between two connects. */
  #asking: Asking | undefined;
  #lookedAgainAt: Millis | undefined;

  constructor(private readonly options: TrunksOptions) {
    this.#set = new TrunkSet(options);
  }

  matches(name: ChannelName): boolean {
    const isTrunk = this.#set.matches(name);
    if (!isTrunk && name.tech === 'PJSIP' && this.#looked?.has(name.name) === false) this.#lookAgain();
    return isTrunk;
  }

  /** Whether customers can be told from colleagues. */
  get areKnown(): boolean {
    return this.options.configured !== undefined || this.#set.found.length > 0;
  }

  /** What is missing, in words for the admin, as the PBX was last heard to say. */
  get missing(): string | undefined {
    return this.#missing;
  }

  /**
   * Asks the PBX.
   * @throws RetriableError when nothing is known and the connection broke: no call could be told.
   */
  async learn(asking: Asking): Promise<void> {
    this.#asking = asking;
    this.#missing = await this.#learn(asking);
  }

  /**
   * ARI does not tell of endpoints that are added: a channel of one that is not known tells. The call it comes with is told as if it
   * were a colleague's; those behind it are not.
   */
  #lookAgain(): void {
    const { clock, log } = this.options;
    const now = clock.monotonic();
    const asking = this.#asking;
    const looked = this.#looked;
    if (asking === undefined || looked === undefined) return;
    if (this.#lookedAgainAt !== undefined && now - this.#lookedAgainAt < AGAIN_MS) return;
    this.#lookedAgainAt = now;
    const look = async (): Promise<void> => {
      const names = namesOf(await askList(asking, ['endpoints'], { timeout: TIMEOUT_MS }));
      const added = names.filter((name) => !looked.has(name));
      const found = await identified(asking, added);
      if (this.#asking !== asking) return;
      for (const name of added) looked.add(name);
      // Which of those of before are trunks is looked at on each connect.
      if (found.length > 0) this.#set.take([...new Set([...this.#set.found, ...found])].sort());
    };
    look().catch((thrown: unknown) => {
      log.debug({ error: asError(thrown) }, 'whether there are new trunks is not known');
    });
  }

  async #learn(asking: Asking): Promise<string | undefined> {
    const { configured, name, log } = this.options;
    if (configured !== undefined) return this.#checkConfigured(asking, configured);
    const setting = `set trunks: [NAME] of PBX ${name}`;
    try {
      const endpoints = await askList(asking, ['endpoints'], { timeout: TIMEOUT_MS });
      const names = namesOf(endpoints);
      this.#set.take(await identified(asking, names));
      this.#looked = new Set(names);
      if (this.#set.found.length > 0) return undefined;
      this.#askLater(asking);
      return `no PJSIP endpoint looks like a trunk, so no call can be told: ${setting} (there are: ${devices(endpoints)})`;
    } catch (thrown) {
      if (!isBridgeError(thrown) || thrown.code === 'ZPB_ARI_CONNECT' || thrown.code === 'ZPB_ARI_STOPPED')
        throw thrown;
      if (this.#set.found.length > 0) {
        log.debug({ error: thrown }, 'the trunks are taken to be those of before');
        return undefined;
      }
      this.#askLater(asking);
      return `it is not known which endpoints are trunks (${thrown.message}), so no call can be told: ${setting}`;
    }
  }

  /** Asks nothing more. */
  end(): void {
    this.#cancel();
    this.#asking = undefined;
  }

  /** A name that is spelled wrong would otherwise show nothing at all. */
  async #checkConfigured(asking: Asking, configured: readonly string[]): Promise<string | undefined> {
    try {
      const endpoints = await askList(asking, ['endpoints'], { timeout: TIMEOUT_MS });
      if (endpoints.length === 0) return undefined;
      const unknown = configured.filter((pattern) => {
        const matches = trunkMatcher([pattern]);
        return !endpoints.some((endpoint) => matches(parseChannelName(deviceOf(endpoint))));
      });
      // Not every kind of channel has its endpoints there (DAHDI): said, and taken all the same.
      if (unknown.length > 0)
        this.options.log.warn(
          `no endpoint of the PBX is called ${unknown.join(', ')} (setting trunks; there are: ${devices(endpoints)})`,
        );
    } catch (thrown) {
      this.options.log.debug({ error: asError(thrown) }, 'whether the configured trunks exist is not known');
    }
    return undefined;
  }

  #askLater(asking: Asking): void {
    const { clock, log } = this.options;
    this.#cancel();
    this.#cancel = clock.after(AGAIN_MS, () => {
      this.learn(asking).catch((thrown: unknown) => {
        log.debug({ error: asError(thrown) }, 'the PBX did not say which endpoints are trunks');
      });
    });
  }
}

const namesOf = (endpoints: readonly JsonObject[]): readonly string[] =>
  endpoints
    .filter((endpoint) => text(endpoint, 'technology') === 'PJSIP')
    .map((endpoint) => text(endpoint, 'resource') ?? '')
    .filter((name) => name !== '');

/**
 * The PJSIP endpoints that lead outside: those that log in somewhere, or that are known by their address (an `identify` section of
 * the same name) instead of a password. Needs the module res_ari_asterisk.so.
 */
async function identified(asking: Asking, names: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  await each(names.slice(0, MOST_ENDPOINTS), AT_ONCE, async (name) => {
    const settings = await settingsOf(asking, 'endpoint', name);
    const loggedIn = (settings.get('outbound_auth') ?? '') !== '';
    const byAddress = settings.get('outbound_auth') === '' && settings.get('auth') === '';
    if (loggedIn || (byAddress && (await settingsOf(asking, 'identify', name)).get('endpoint') === name))
      found.push(name);
  });
  return found.sort().map((name) => `PJSIP/${name}`);
}

/** The settings of an object of res_pjsip; none when there is no such object, or it is not told. */
async function settingsOf({ rest }: Asking, type: string, name: string): Promise<ReadonlyMap<string, string>> {
  const path = ['asterisk', 'config', 'dynamic', 'res_pjsip', type, name];
  const { status, body } = await rest.request({ method: 'GET', path, timeout: TIMEOUT_MS });
  const attributes = status === 200 && Array.isArray(body) ? body.filter(isObject) : [];
  return new Map(
    attributes.map((attribute) => [text(attribute, 'attribute') ?? '', text(attribute, 'value') ?? ''] as const),
  );
}

const deviceOf = (endpoint: JsonObject): string =>
  `${text(endpoint, 'technology') ?? ''}/${text(endpoint, 'resource') ?? ''}`;

function devices(endpoints: readonly JsonObject[]): string {
  const names = endpoints.map(deviceOf).sort();
  const more = names.length - MOST_NAMED;
  return names.slice(0, MOST_NAMED).join(', ') + (more > 0 ? ` and ${more} more` : '') || 'none';
}
