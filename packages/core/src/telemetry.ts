// Telemetry events: what an Envelope and its parts tell about their work, and the one seam through which they tell it.
// It must not know who listens, and must never be given plaintext, keys, context or ciphertext.
import type { CacheEvent } from "./cache-stats.js";
import { argumentError, isFengniError } from "./errors.js";

/** When an event was made. */
interface Happened {
  /** Milliseconds since the Unix epoch, by the steady clock of the process; for timed work its end. */
  readonly atMs: number;
}

/** Work that took time. */
interface Timed extends Happened {
  /** Milliseconds, with fractions. */
  readonly durationMs: number;
}

/** Why work failed: a code of Fengni's errors, `ERR_ARGUMENT`, or `unknown` for errors that carry no such code. */
export type TelemetryErrorCode = string;

/** A wrapping key was asked, and answered. */
export interface ProviderCallEvent extends Timed {
  readonly type: "provider-call";
  readonly operation: "generate-data-key" | "wrap-data-key" | "unwrap-data-key";
  /** Name of the wrapping key. */
  readonly key: string;
  /** `not-mine`: the encrypted data key is not this key's. `aborted`: the caller gave up; a deadline is a failure. */
  readonly outcome: "ok" | "not-mine" | "failed" | "aborted";
  /** For `failed` only. */
  readonly errorCode?: TelemetryErrorCode;
  /** For `failed` only: whether the same call may succeed later. */
  readonly retryable?: boolean;
}

/** A cache of data keys or branch keys was used, filled or emptied. */
export interface CacheTelemetryEvent extends Happened {
  readonly type: "cache";
  readonly cache: "sealing" | "opening" | "branch-key";
  /** As the cache's own event of this name. */
  readonly what: CacheEvent["type"];
  /** One word: a code of an error, or why an entry left. */
  readonly reason?: string;
}

/** A message is done: sealed, opened, wrapped anew or read in part; or it failed, or was given up. */
export interface MessageTelemetryEvent extends Timed {
  readonly type: "message";
  readonly operation: "encrypt" | "decrypt" | "rewrap" | "range";
  readonly outcome: "ok" | "failed" | "aborted";
  /** For `failed` only. */
  readonly errorCode?: TelemetryErrorCode;
  /** Bytes of plaintext that were taken or released: for what failed, until then. */
  readonly plaintextBytes: number;
  /** Frames that were sealed or opened: for what failed, until then. */
  readonly frames: number;
  /** Id of the algorithm suite, as in `algorithmSuites()`; absent when it failed before the suite was known. */
  readonly suiteId?: number;
}

/** A wrapping key that may fail did not wrap a message's data key: that key will not open the message. */
export interface WrappingIncompleteEvent extends Happened {
  readonly type: "wrapping-incomplete";
  readonly key: string;
  readonly errorCode: TelemetryErrorCode;
}

/** A wrapping key is asked last from now on, because it failed; or it is back in its place. */
export interface KeyHealthEvent extends Happened {
  readonly type: "key-health";
  readonly key: string;
  readonly state: "demoted" | "restored";
  /** For `demoted` only. */
  readonly errorCode?: TelemetryErrorCode;
}

/** A client of a remote service will send a request again. */
export interface RetryEvent extends Happened {
  readonly type: "retry";
  /** The service's name of what is asked. */
  readonly action: string;
  /** How many requests there were before. */
  readonly attempt: number;
  /** How long it waits before the next one. */
  readonly delayMs: number;
  readonly errorCode: TelemetryErrorCode;
}

/** Something that happened. Nothing in it is secret: names of keys are its only text that an application chose. */
export type TelemetryEvent =
  | ProviderCallEvent
  | CacheTelemetryEvent
  | MessageTelemetryEvent
  | WrappingIncompleteEvent
  | KeyHealthEvent
  | RetryEvent;

/**
 * Is told of events, while they happen: it must be quick. What it throws or rejects with is ignored. Events that it
 * causes itself before it returns are not told; it must cause none later either: a listener that seals what it is told
 * with the envelope that it listens to never ends.
 */
export type TelemetryListener = (event: TelemetryEvent) => void;

/** Tells a listener. It never throws. */
export type Emit = (event: TelemetryEvent) => void;

/**
 * The seam: undefined when nobody listens, so that `emit?.(...)` makes no event then.
 * @throws TypeError (`ERR_ARGUMENT`) when the listener is no function
 */
export function emitter(listener: TelemetryListener | undefined): Emit | undefined {
  if (listener === undefined) return undefined;
  if (typeof listener !== "function") throw argumentError("telemetry expected a function that takes events");
  let isTelling = false;
  return (event) => {
    if (isTelling) return;
    isTelling = true;
    try {
      const answer: unknown = listener(event);
      // An async function is assignable to a listener; its rejection must not end the process.
      if (typeof answer === "object" && answer !== null) Promise.resolve(answer).catch(() => {});
    } catch {
      // The listener's own affair.
    } finally {
      isTelling = false;
    }
  };
}

/** The time for `atMs`: an event's end, and what is not timed. */
export function telemetryNow(): number {
  return performance.timeOrigin + performance.now();
}

/** The end and length of work that began at `startedAt`, by `performance.now()`. */
export function timedSince(startedAt: number): { readonly atMs: number; readonly durationMs: number } {
  const now = performance.now();
  return { atMs: performance.timeOrigin + now, durationMs: now - startedAt };
}

/** What an error may tell: its code if it is one of the kind that Fengni gives, never its message. */
export function telemetryErrorCode(error: unknown): TelemetryErrorCode {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  return typeof code === "string" && /^ERR_[A-Z0-9_]{1,60}$/.test(code) ? code : "unknown";
}

/** How work ended that threw. */
export type Failure =
  | { readonly outcome: "aborted" }
  | { readonly outcome: "failed"; readonly errorCode: TelemetryErrorCode; readonly retryable: boolean };

/**
 * How work ended that threw. Work whose signal has aborted was given up, unless the reason is an error of Fengni's:
 * then a deadline of ours ended it, and it failed for that reason, whatever it threw.
 */
export function failureOf(error: unknown, signal: AbortSignal | undefined): Failure {
  const isAborted = signal?.aborted === true;
  if (isAborted && !isFengniError(signal.reason)) return { outcome: "aborted" };
  const cause: unknown = isAborted ? signal.reason : error;
  return { outcome: "failed", errorCode: telemetryErrorCode(cause), retryable: isRetryable(cause) };
}

function isRetryable(error: unknown): boolean {
  return typeof error === "object" && error !== null && "retryable" in error && error.retryable === true;
}

/** A listener for a cache, which tells its events as telemetry. */
export function cacheTelemetry(emit: Emit, cache: CacheTelemetryEvent["cache"]): (event: CacheEvent) => void {
  return (event) => {
    const reason =
      event.type === "evicted" ? event.reason : "error" in event ? telemetryErrorCode(event.error) : undefined;
    emit({ type: "cache", cache, what: event.type, ...(reason !== undefined && { reason }), atMs: telemetryNow() });
  };
}

/** A wrapping key that may fail did. */
export function wrappingIncomplete(key: string, error: unknown): WrappingIncompleteEvent {
  return { type: "wrapping-incomplete", key, errorCode: telemetryErrorCode(error), atMs: telemetryNow() };
}

/** A wrapping key failed and is asked last from now on. */
export function keyDemoted(key: string, error: unknown): KeyHealthEvent {
  return { type: "key-health", key, state: "demoted", errorCode: telemetryErrorCode(error), atMs: telemetryNow() };
}

/** A wrapping key is back in its place. */
export function keyRestored(key: string): KeyHealthEvent {
  return { type: "key-health", key, state: "restored", atMs: telemetryNow() };
}

/** What a remote client's events have in common; of them only retries become telemetry. */
export interface RemoteClientEvent {
  readonly type: string;
  readonly action?: string;
  readonly attempts?: number;
  readonly delayMs?: number;
  readonly code?: string;
}

/**
 * A listener for the option `onEvent` of a remote client, which tells its retries to a telemetry listener.
 * @throws TypeError (`ERR_ARGUMENT`) when the listener is no function
 */
export function retryTelemetry(listener: TelemetryListener): (event: RemoteClientEvent) => void {
  const emit = emitter(listener);
  return ({ type, action = "unknown", attempts = 0, delayMs = 0, code }) => {
    if (type !== "retry") return;
    const errorCode = telemetryErrorCode({ code });
    emit?.({ type: "retry", action, attempt: attempts, delayMs, errorCode, atMs: telemetryNow() });
  };
}

/** Follows one message to its end, and tells it once. */
export class MessageWatch {
  readonly #emit: Emit;
  readonly #operation: MessageTelemetryEvent["operation"];
  readonly #startedAt: number = performance.now();
  #isOver = false;
  /** Id of the algorithm suite, as soon as it is known. */
  suiteId: number | undefined;
  /** Bytes of plaintext taken or released so far. */
  plaintextBytes = 0;
  /** Frames sealed or opened so far. */
  frames = 0;

  constructor(emit: Emit, operation: MessageTelemetryEvent["operation"], suiteId?: number) {
    this.#emit = emit;
    this.#operation = operation;
    this.suiteId = suiteId;
  }

  /** The message is whole. */
  ok(): void {
    this.#end({ outcome: "ok" });
  }

  /** The message failed, or its signal aborted. */
  failed(error: unknown, signal?: AbortSignal): void {
    const failure = failureOf(error, signal);
    this.#end(failure.outcome === "aborted" ? failure : { outcome: "failed", errorCode: failure.errorCode });
  }

  /** The message was given up: its stream was cancelled. */
  aborted(): void {
    this.#end({ outcome: "aborted" });
  }

  #end(ending: Pick<MessageTelemetryEvent, "outcome" | "errorCode">): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { plaintextBytes, frames, suiteId } = this;
    const suite = suiteId === undefined ? {} : { suiteId };
    const counted = { ...ending, plaintextBytes, frames, ...suite };
    this.#emit({ type: "message", operation: this.#operation, ...counted, ...timedSince(this.#startedAt) });
  }
}

/** Begins to follow a message; undefined when nobody listens. */
export function watchMessage(
  emit: Emit | undefined,
  operation: MessageTelemetryEvent["operation"],
  suiteId?: number,
): MessageWatch | undefined {
  return emit === undefined ? undefined : new MessageWatch(emit, operation, suiteId);
}
