import { z } from 'zod';

/** Which requests a fault meets. All that is given must match. */
const when = {
  /** Let so many matching requests pass first. */
  skip: z.int().min(0).default(0),
  /** Meet so many requests, then rest; absent = for ever. */
  times: z.int().min(1).optional(),
  /** Meet a matching request with this probability, 0 to 1. */
  probability: z.number().min(0).max(1).default(1),
  /** Only requests on a connection that has carried one before (true), or only first ones (false). */
  reused: z.boolean().optional(),
};
/** `log` and `done` are an agent's read-back and tick, the others posts. */
const content = {
  event: z.enum(['newCall', 'answer', 'hangup', 'log', 'done']).optional(),
  callId: z.string().optional(),
  direction: z.enum(['in', 'out']).optional(),
};
const ms = z.int().min(0).max(3_600_000);
const processed = z.boolean();

const rule = <Shape extends z.core.$ZodLooseShape>(shape: Shape) => z.strictObject({ ...shape, ...content, ...when });

export const faultRule = z.discriminatedUnion('kind', [
  /** Carried out `ms` later, also when the client has gone by then. */
  rule({ kind: z.literal('slow'), ms }),
  /** Carried out at once, answered `ms` later. */
  rule({ kind: z.literal('late-reply'), ms }),
  /** Another status: 500, 401, 422 (feature off), 301 (to https), 502, 503, 504. `processed`: after it was carried out. */
  rule({ kind: z.literal('status'), status: z.int().min(300).max(599), processed: processed.default(false) }),
  /** 200 with a page of HTML: a captive portal, a proxy. */
  rule({ kind: z.literal('garbage'), processed: processed.default(false) }),
  /** Carried out; a JSON reply of so many bytes. */
  rule({ kind: z.literal('huge-reply'), bytes: z.int().min(1).max(16_777_216).default(65_537) }),
  /** Carried out; half of the reply, then the connection is cut. */
  rule({ kind: z.literal('half-reply') }),
  /** No reply ever; the connection stays open. */
  rule({ kind: z.literal('silent'), processed: processed.default(false) }),
  /** The body was read, nothing done, connection reset. */
  rule({ kind: z.literal('reset-before-processing') }),
  /** Carried out, connection reset instead of a reply. */
  rule({ kind: z.literal('reset-after-processing') }),
  /** Reset as soon as the request's head is there: what it is about is not known yet. */
  z.strictObject({ kind: z.literal('reset-before-body'), ...when }),
  /** A connection is accepted and closed at once. Counts connections. */
  z.strictObject({ kind: z.literal('accept-and-close'), ...when, reused: z.undefined().optional() }),
  /** As long as the rule stands: a connection idle for `ms` is closed. */
  z.strictObject({ kind: z.literal('idle-close'), ms }),
]);

/** A fault as it is ordered. */
export type FaultInput = z.input<typeof faultRule>;
/** A fault with its defaults. */
export type FaultRule = z.output<typeof faultRule>;
export type FaultKind = FaultRule['kind'];

/** Ordered over HTTP only (in a program: `goDown`): connections are refused for `ms`. */
const refuseOrder = z.strictObject({ kind: z.literal('refuse'), ms: ms.min(1) });
export const faultOrder = z.discriminatedUnion('kind', [refuseOrder, ...faultRule.options]);
