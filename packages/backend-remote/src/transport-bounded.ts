// A transport of the caller's, held to its time and its signal whatever it does. It must not know how it sends.
import type { ActionName } from "@fengni/kms-api";
import type { Clock } from "./clock.js";
import { within } from "./deadline.js";
import { timeoutError } from "./error-map.js";
import type { Transport, TransportOptions } from "./transport.js";

/** For a transport to say itself that its time is over, in milliseconds: it knows how far the request had come. */
const GRACE_MS = 100;

class BoundedTransport implements Transport {
  readonly #inner: Transport;
  readonly #clock: Clock;

  constructor(inner: Transport, clock: Clock) {
    this.#inner = inner;
    this.#clock = clock;
  }

  request(action: ActionName, params: object, options: TransportOptions): Promise<object> {
    const { signal, timeoutMs } = options;
    // Also what throws at once is a request that failed.
    const send = async (): Promise<object> => this.#inner.request(action, params, options);
    return within(send(), this.#clock, {
      signal,
      remainingMs: timeoutMs + GRACE_MS,
      timeoutError: () => timeoutError({ action, params }, "wait", timeoutMs),
    });
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}

/**
 * Bounds the requests of a transport: one that heeds neither its time nor its signal would hold a call, its connection and the
 * client's `close()` for ever. What it does afterwards goes unobserved.
 * @returns a transport that rejects a moment after the time is over with `ERR_TIMEOUT`, and at once with the signal's reason
 */
export function boundedTransport(transport: Transport, clock: Clock): Transport {
  return new BoundedTransport(transport, clock);
}
