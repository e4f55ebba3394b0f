// A provider whose calls go wrong as a test says: late, failed, hanging, corrupted or doubled, by script or by seeded chance. It
// must not know what the calls do.
import { type CallOptions, type ErrorCode, FengniError, type KeyProvider, type ProviderOperation } from "@fengni/core";
import { wrapMethods } from "./wrap-methods.js";

/** What goes wrong with a call. One fault may hold several: it is late first, then the rest happens. */
export interface Fault {
  /** The call begins so many milliseconds later. */
  readonly latencyMs?: number;
  /** The call rejects with this, and does not reach the provider. */
  readonly error?: Error | ErrorCode;
  /** The call does not reach the provider, and ends only when its signal aborts. */
  readonly hang?: boolean;
  /** The answer is changed: by this function, or one bit of each of its byte strings. */
  readonly corrupt?: true | ((answer: unknown) => unknown);
  /** The call is carried out twice, as after a retry, and the second answer is given. */
  readonly duplicate?: boolean;
}

/** When something goes wrong. What is left out matches every call. */
export interface FaultRule {
  /** The operations it is about. */
  readonly operations?: readonly (ProviderOperation | "resolveKeyId")[];
  /** Which calls of such an operation, counted from 1 per operation. */
  readonly calls?: readonly number[];
  /** How often it happens to the calls that match, 0 to 1; default 1. */
  readonly probability?: number;
  readonly fault: Fault;
}

/** How a provider goes wrong. */
export interface FaultyOptions {
  /** The first rule that matches a call applies. Absent or empty: nothing goes wrong. */
  readonly rules?: readonly FaultRule[];
  /** Begins the chances, a whole number of 32 bits; the same seed and calls give the same faults. Default 1. */
  readonly seed?: number;
}

/** A fault that happened. */
export interface InjectedFault {
  readonly operation: string;
  /** Which call of the operation, counted from 1. */
  readonly call: number;
  readonly fault: Fault;
}

/** A provider with faults, and what steers them. */
export interface FaultyProvider extends KeyProvider {
  /** The faults that happened so far, oldest first. */
  readonly injectedFaults: readonly InjectedFault[];
  /** Has the next calls, of whatever operation, fail before any rule is asked. @param error - default `ERR_UNAVAILABLE` */
  failNext(calls: number, error?: Error | ErrorCode): void;
  /** Has the next calls, of whatever operation, hang before any rule is asked. */
  hangNext(calls: number): void;
}

/**
 * Wraps a provider so that its calls go wrong as the rules say; `close` never does. Errors name operation, call and seed.
 * @throws RangeError `ERR_ARGUMENT` for a probability outside 0..1
 *
 * @example
 * const provider = faultyProvider(inMemoryProvider().provider, {
 *   rules: [{ operations: ["decrypt"], calls: [1], fault: { error: "ERR_THROTTLED" } }],
 * });
 */
export function faultyProvider(provider: KeyProvider, options: FaultyOptions = {}): FaultyProvider {
  const { rules = [], seed = 1 } = options;
  if (rules.some(({ probability = 1 }) => !(probability >= 0 && probability <= 1))) {
    throw Object.assign(new RangeError("probability expected 0 to 1"), { code: "ERR_ARGUMENT" });
  }
  const chance = chances(seed);
  const counts = new Map<string, number>();
  const injectedFaults: InjectedFault[] = [];
  let next: Fault[] = [];

  const faultFor = (operation: string, call: number): Fault | undefined => {
    const urgent = next.shift();
    if (urgent !== undefined) return urgent;
    return rules.find(
      ({ operations, calls, probability = 1 }) =>
        (operations === undefined || operations.some((name) => name === operation)) &&
        (calls === undefined || calls.includes(call)) &&
        (probability === 1 || chance() < probability),
    )?.fault;
  };

  const wrapped = wrapMethods(provider, (method, args, call) => {
    if (method === "close") return call(args);
    const count = (counts.get(method) ?? 0) + 1;
    counts.set(method, count);
    const fault = faultFor(method, count);
    if (fault === undefined) return call(args);
    injectedFaults.push({ operation: method, call: count, fault });
    const where = `injected fault: ${method}, call ${count}, seed ${seed}`;
    return inject(fault, where, (args[1] as CallOptions | undefined)?.signal, () => call(args));
  });
  const steering = {
    injectedFaults,
    failNext: (calls: number, error: Error | ErrorCode = "ERR_UNAVAILABLE"): void => {
      next = Array.from({ length: calls }, () => ({ error }));
    },
    hangNext: (calls: number): void => {
      next = Array.from({ length: calls }, () => ({ hang: true }));
    },
  };
  return new Proxy(wrapped, {
    get: (target, name) => (Object.hasOwn(steering, name) ? Reflect.get(steering, name) : Reflect.get(target, name)),
  }) as FaultyProvider;
}

async function inject(
  fault: Fault,
  where: string,
  signal: AbortSignal | undefined,
  call: () => unknown,
): Promise<unknown> {
  signal?.throwIfAborted();
  if (fault.latencyMs !== undefined) await pause(fault.latencyMs, signal);
  if (fault.hang === true) await pause(undefined, signal);
  if (fault.error !== undefined) throw errorOf(fault.error, where);
  if (fault.duplicate === true) await call();
  const answer = await call();
  if (fault.corrupt === undefined) return answer;
  return fault.corrupt === true ? corrupted(answer) : fault.corrupt(answer);
}

/** Waits, for ever without a time, unless the signal aborts. */
function pause(ms: number | undefined, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const done = (): void => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    };
    const timer = ms === undefined ? undefined : setTimeout(done, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

function errorOf(error: Error | ErrorCode, where: string): Error {
  if (typeof error !== "string") return error;
  const retryable = error === "ERR_UNAVAILABLE" || error === "ERR_THROTTLED" || error === "ERR_TIMEOUT";
  return new FengniError(error, where, { retryable });
}

/** The answer with one bit changed in the middle of each of its byte strings. */
function corrupted(answer: unknown): unknown {
  if (typeof answer !== "object" || answer === null) return answer;
  const change = (value: unknown): unknown => {
    if (!(value instanceof Uint8Array)) return value;
    const bytes = Uint8Array.from(value);
    const middle = bytes.length >> 1;
    bytes[middle] = (bytes[middle] ?? 0) ^ 1;
    return bytes;
  };
  return Object.fromEntries(Object.entries(answer).map(([name, value]) => [name, change(value)]));
}

/** Chances of 0 up to 1 that follow from a seed: xorshift32 (Marsaglia, 2003). Fit for tests, for nothing secret. */
function chances(seed: number): () => number {
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
