/** The configuration after it was read, checked and completed. Secrets are wrapped; nothing here prints them. */
import type { Secret } from '../secret.js';
import type { Agent, CallSettings, Did, Filter } from '../call/settings.js';
import type { PbxName, ZammadName } from '../call/vocabulary.js';

export interface ZammadConfig {
  readonly name: ZammadName;
  /** The whole URL as pasted from Zammad's admin page. It holds the token: a secret. */
  readonly url: Secret;
  /** Scheme and host of it, safe to print: `https://zammad.example.com`. */
  readonly origin: string;
  readonly apiToken?: Secret | undefined;
  /** `form` as in Zammad's documented examples (`user[]=Alice&user[]=Bob`), or `json`. */
  readonly encoding: 'form' | 'json';
  readonly filter: Filter;
  /** Path of a PEM file with the authorities to trust besides the system's. */
  readonly caFile?: string | undefined;
}

/** An agent of the directory, and who it is in Zammad where that is said. */
export interface AgentConfig extends Agent {
  readonly zammad?: { readonly login: string } | undefined;
  /** The name of the PBX at which this agent's phone is; undefined: the only one. */
  readonly pbx?: string | undefined;
  /** Header of the invitation that makes the phone answer a click-to-call by itself. */
  readonly autoAnswer?: { readonly name: string; readonly value: string } | undefined;
}

export interface PbxConfig {
  readonly name: PbxName;
  readonly adapter: string;
  readonly filter: Filter;
  /** The top-level `calls` section with this PBX's own `calls` keys laid over it. */
  readonly calls: CallSettings;
  /** The adapter's own section, already parsed by its schema. */
  readonly settings: unknown;
}

/** Where calls in progress and posts not yet delivered are kept. `keep` is in ms. */
export type StoreConfig =
  | { readonly kind: 'memory' }
  | {
      readonly kind: 'sqlite';
      /** Absolute. */
      readonly path: string;
      /** The admin has named it. */
      readonly chosen: boolean;
      readonly durability: Durability;
      readonly keep: number;
      /** Undefined: the host name. */
      readonly machine?: string | undefined;
    }
  | {
      readonly kind: 'postgres';
      /** As libpq takes it: `postgres://USER:PASSWORD@HOST/DATABASE`. */
      readonly url: Secret;
      readonly durability: Durability;
      readonly keep: number;
      /** Undefined: the host name. */
      readonly machine?: string | undefined;
    };
/** Whether a commit waits until a power cut cannot take it back. */
export type Durability = 'full' | 'normal';

export interface Config {
  readonly zammad: readonly ZammadConfig[];
  readonly pbx: readonly PbxConfig[];
  readonly agents: readonly AgentConfig[];
  readonly dids: readonly Did[];
  /** What PBXs have that say nothing else. */
  readonly calls: CallSettings;
  readonly delivery: {
    /** One request's deadline, ms. */
    readonly timeout: number;
    /** Calls told to one Zammad side by side. */
    readonly parallel: number;
    /** Posts older than this are not sent any more but listed as dead, ms. */
    readonly maxAge: number;
    /** How long a planned stop goes on delivering, ms. */
    readonly drain: number;
  };
  readonly gate: {
    /** ms, as the others. */
    readonly budget: number;
    readonly rejectedCause: 'busy' | 'forwarded';
    readonly remember: number;
    readonly lateReject: number;
    readonly emergency: readonly string[];
    readonly outsideLine: readonly string[];
  };
  readonly store: StoreConfig;
  readonly http: {
    readonly host: string;
    /** 0 = none. */
    readonly port: number;
    /** Scheme, host and port at which others reach it; undefined: `host` and `port` say it. */
    readonly publicUrl?: string | undefined;
    /** Absolute paths of PEM files; undefined: no TLS. */
    readonly tls?: { readonly certFile: string; readonly keyFile: string } | undefined;
    /** Addresses or networks of reverse proxies that are believed. */
    readonly trustProxy: readonly string[];
  };
  readonly dial: {
    /** Patterns of numbers, `*` at the end for any digits. None: all. */
    readonly allow: readonly string[];
    readonly deny: readonly string[];
    /** Calls of one agent in a minute. */
    readonly rate: number;
    /** ms. */
    readonly ringFor: number;
    readonly written: 'national' | 'international' | 'e164';
    readonly outsidePrefix: string;
  };
  readonly log: { readonly level: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace'; readonly pretty: boolean };
}
