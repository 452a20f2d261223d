/**
 * What an Asterisk says of a channel or a bridge, in the names and headers of its Manager Interface. The adapters of both
 * interfaces (AMI and ARI) speak to the legs in these.
 */
export interface AsteriskEvent {
  /** `Newchannel`, `Newstate`, `DialBegin`, …; undefined for an item of a list. */
  readonly event: string | undefined;
  /** `''` when it is there and empty, undefined when it is not there. */
  get(header: string): string | undefined;
  /** Every value of a header, in the order of the wire; empty when it is not there. */
  all(header: string): readonly string[];
}
