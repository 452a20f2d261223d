/**
 * A blueprint: copy this folder, rename it, and change codec, legs, session and config to your PBX. It speaks a small made-up
 * protocol (README.md) and keeps every promise of docs/adapter-contract.md; test/conformance holds it to them.
 */
import {
  type Adapter,
  type AdapterContext,
  defineAdapter,
  type Hearing,
  type RecordingReader,
} from '../../src/pbx/adapter.js';
import { type BridgeError, RetriableError } from '../../src/errors.js';
import type { LegId } from '../../src/call/vocabulary.js';
import { LineCodec } from './codec.js';
import { configSchema, type TemplateConfig } from './config.js';
import { Legs } from './legs.js';
import { Session } from './session.js';

class TemplateAdapter implements Adapter {
  readonly #legs = new Legs();
  #session: Session | undefined;
  /** Settles the `lost` of the Hearing that is in force; it must not stay open when the adapter is stopped. */
  #settleLost: (error: BridgeError) => void = () => undefined;

  constructor(
    private readonly context: AdapterContext,
    private readonly config: TemplateConfig,
  ) {}

  async start(signal: AbortSignal): Promise<Hearing> {
    await this.stop();
    const lost = new Promise<BridgeError>((resolve) => {
      this.#settleLost = resolve;
    });
    this.#legs.reconnected();
    const session = new Session(this.config, this.context.clock, {
      onMessage: (message) => {
        this.context.metrics.count('frames');
        const batch = this.#legs.push(message);
        if (batch.length > 0) this.context.emit(batch);
      },
      onLost: (error) => {
        this.#settleLost(error);
      },
    });
    this.#session = session;
    await session.open(signal);
    return { lost, missing: [] };
  }

  stop(): Promise<void> {
    this.#session?.close();
    this.#session = undefined;
    this.#settleLost(new RetriableError('ZPB_TEMPLATE_STOPPED', `PBX ${this.context.name} was stopped.`));
    return Promise.resolve();
  }

  snapshot(): readonly LegId[] {
    return this.#legs.ids();
  }
}

/** For `replay`: the same codec and legs, without a socket. */
class TemplateReader implements RecordingReader {
  readonly #codec = new LineCodec();
  readonly #legs = new Legs();

  push(chunk: Uint8Array, at = 0): { at: number; batch: ReturnType<Legs['push']> }[] {
    return this.#codec
      .push(chunk)
      .map((message) => ({ at, batch: this.#legs.push(message) }))
      .filter(({ batch }) => batch.length > 0);
  }
}

export const adapter = defineAdapter({
  type: 'template',
  configSchema,
  create: (context, config) => new TemplateAdapter(context, config),
  readRecording: () => new TemplateReader(),
});
