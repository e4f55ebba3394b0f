// What a client tells about its work, for logs and metrics. It must not know who listens.
import type { BreakerState } from "./breaker.js";

/** Something that happened; nothing in it is secret. */
export type ClientEvent =
  /** A call is over. `code` is that of its error, and absent for a success. */
  | {
      readonly type: "call";
      readonly action: string;
      readonly region: string;
      readonly durationMs: number;
      readonly code?: string;
      readonly vendorCode?: string;
      readonly requestId?: string;
    }
  /** A request will be sent again. */
  | {
      readonly type: "retry";
      readonly action: string;
      readonly region: string;
      /** How many there were. */
      readonly attempts: number;
      readonly delayMs: number;
      readonly code: string;
      readonly vendorCode?: string;
      readonly requestId?: string;
    }
  /** The service refused a call for the rate, and the client lowered its own. */
  | { readonly type: "rate"; readonly action: string; readonly region: string; readonly perSecond: number }
  /** A breaker changed its state. */
  | { readonly type: "breaker"; readonly endpoint: string; readonly region: string; readonly state: BreakerState }
  /** A read joined an identical one that is under way. */
  | { readonly type: "shared"; readonly action: string; readonly region: string };

/** Is told of events, while they happen: it must be quick. What it throws or rejects with is ignored. */
export type ClientEventListener = (event: ClientEvent) => void;

/** Tells a listener; a call must not fail because its listener does. */
export function tell(listener: ClientEventListener, event: ClientEvent): void {
  try {
    const told: unknown = listener(event);
    // An async function is assignable to a listener; its rejection must not end the process.
    if (typeof told === "object" && told !== null) Promise.resolve(told).catch(() => {});
  } catch {
    // The listener's own affair.
  }
}
