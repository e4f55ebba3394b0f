// The seam through which a request reaches the service, once. Types only: whoever implements it must not retry, nor know limits.
import type { ActionName } from "@fengni/kms-api";

/** What goes with a request. */
export interface TransportOptions {
  /** For example `ap-guangzhou`. */
  readonly region: string;
  /** Ends the request at once: it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** After this many milliseconds it rejects with `ERR_TIMEOUT`. */
  readonly timeoutMs: number;
}

/**
 * Sends requests. One call sends a request once: never again after a failure in which it may have been carried out, for only the
 * caller knows which actions are safe to repeat.
 */
export interface Transport {
  /**
   * Sends one request.
   * @param action - the action's name
   * @param params - its fields, already checked
   * @returns what the service answers inside `Response`, with its `RequestId`; not checked further
   * @throws RequestError, which says whether the request may have been carried out; the signal's reason
   */
  request(action: ActionName, params: object, options: TransportOptions): Promise<object>;
  /** Lets go of every resource. Idempotent. */
  close(): Promise<void>;
}
