/**
 * Types of the part of asterisk-manager 0.2.0 that is used here; the package brings none. See header-parser.ts, the only
 * file that knows the package.
 */
declare module 'asterisk-manager' {
  /** What its `rawevent` gives: lower-case header names; a list when a name came more than once. */
  type RawItem = Record<string, string | string[] | Record<string, string>>;

  interface Manager {
    on(event: 'rawevent', listener: (item: RawItem) => void): unknown;
    removeAllListeners(event: string): unknown;
    /** Calls `net.createConnection(port, host)` and listens to what that returns. */
    connect(port: number, host: string): void;
  }

  /** Without arguments it opens nothing. */
  function createManager(): Manager;
  namespace createManager {
    export type { Manager, RawItem };
  }
  export = createManager;
}
