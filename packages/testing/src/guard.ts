// What the kit demands of every single call, whatever it is about: it returns a promise, settles in time, and leaves the caller's
// bytes alone. It must not know any operation.
import { ConformanceFailure } from "./assert.js";
import type { Strays } from "./strays.js";
import { wrapMethods } from "./wrap-methods.js";

/** The timers of a run: it counts those that live, to tell them from handles that a provider left open. */
export class Timers {
  #live = 0;

  /** How many timers of the kit keep the process alive now. */
  get live(): number {
    return this.#live;
  }

  /** Settles as `promise` does, or rejects with a failure after `ms` milliseconds. */
  async within<Value>(
    ms: number,
    promise: Promise<Value>,
    what: string,
    onExpired: (failure: string) => void = () => {},
  ): Promise<Value> {
    const { promise: expired, resolve } = deferred<"expired">();
    this.#live += 1;
    const timer = setTimeout(() => resolve("expired"), ms);
    try {
      const first = await Promise.race([promise.then((value) => ({ value })), expired]);
      if (first === "expired") {
        const failure = `${what}: expected it to settle within ${ms} ms, it did not`;
        onExpired(failure);
        throw new ConformanceFailure(failure);
      }
      return first.value;
    } finally {
      clearTimeout(timer);
      this.#live -= 1;
    }
  }

  /** Lets the event loop turn, for what a provider does after it has answered. */
  async turn(ms = 0): Promise<void> {
    const { promise, resolve } = deferred<void>();
    this.#live += 1;
    setTimeout(resolve, ms);
    await promise;
    this.#live -= 1;
  }
}

/**
 * Wraps a provider or an admin so that each call is held to what every call owes.
 * @param name - names the object in failures
 * @param callTimeoutMs - how long a call may take, in milliseconds
 * @param shapeFault - what is wrong with the form of an answer
 */
export function guarded<Target extends object>(
  target: Target,
  name: string,
  callTimeoutMs: number,
  timers: Timers,
  strays: Strays,
  shapeFault: (method: string, answer: unknown) => string | undefined = () => undefined,
): Target {
  return wrapMethods(target, (method, args, call) => {
    const what = `${name}.${method}`;
    // The admin goes on: what a check changed it has to change back.
    if (strays.hang !== undefined && name !== "admin") return Promise.reject(new ConformanceFailure(strays.hang));
    const before = bytesIn(args).map((bytes) => ({ bytes, copy: Uint8Array.from(bytes) }));
    let answer: unknown;
    try {
      answer = call(args);
    } catch (cause) {
      throw new ConformanceFailure(`${what} threw: expected a promise that rejects`, { cause });
    }
    if (!isPromise(answer)) throw new ConformanceFailure(`${what} returned no promise`);
    const once = settlingOnce(answer, () => strays.add(`${what} settled twice: expected once`));
    const settled = timers
      .within(callTimeoutMs, once, what, (failure) => strays.addHang(failure))
      .finally(() => {
        const changed = before.some(({ bytes, copy }) => bytes.some((byte, index) => byte !== copy[index]));
        if (changed) throw new ConformanceFailure(`${what} changed bytes of its caller's request`);
      })
      .then((value) => {
        const fault = shapeFault(method, value);
        if (fault !== undefined) throw new ConformanceFailure(`${what}: ${fault}`);
        return value;
      });
    // A check that fails meanwhile does not wait for its other calls.
    settled.catch(() => {});
    return settled;
  });
}

function bytesIn(args: readonly unknown[]): Uint8Array[] {
  return args
    .flatMap((argument) => (typeof argument === "object" && argument !== null ? Object.values(argument) : []))
    .filter((value): value is Uint8Array => value instanceof Uint8Array);
}

/** A promise of the language settles once; one of a provider's own making may call back again. */
function settlingOnce<Value>(answer: Promise<Value>, onAgain: () => void): Promise<Value> {
  return new Promise((resolve, reject) => {
    let settlements = 0;
    const count = (): void => {
      settlements += 1;
      if (settlements > 1) onAgain();
    };
    answer.then(
      (value) => {
        count();
        resolve(value);
      },
      (error: unknown) => {
        count();
        reject(error);
      },
    );
  });
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

function deferred<Value>(): { readonly promise: Promise<Value>; readonly resolve: (value: Value) => void } {
  let resolve: (value: Value) => void = () => {};
  const promise = new Promise<Value>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
