// Providers that do not end calls that are aborted, end others with them, or leave something on the signal.
import { setMaxListeners } from "node:events";
import { type CallOptions, FengniError, type KeyProvider } from "@fengni/core";
import { faultyProvider } from "../../src/index.js";
import { wrapMethods } from "../../src/wrap-methods.js";
import { caughtBy, type Fault, inAdmin, inProvider, inSubject, type Mistake, turn, unhandled } from "./support.js";

/** Stands around every operation that takes options. */
type Around = (call: (options?: CallOptions) => Promise<unknown>, signal: AbortSignal | undefined) => unknown;

/** A mistake in every operation alike. `make` is called for each provider. */
function everywhere(name: string, make: (right: KeyProvider) => Around, settings: Mistake["settings"] = {}): Mistake {
  return inSubject(
    name,
    ({ provider }) => {
      const around = make(provider);
      return {
        provider: wrapMethods(provider, (method, args, call) => {
          if (method === "close") return call(args);
          const carryOut = async (options?: CallOptions): Promise<unknown> =>
            call([args[0], ...(options ? [options] : [])]);
          return around(carryOut, (args[1] as CallOptions | undefined)?.signal);
        }),
      };
    },
    { settings },
  );
}

const QUICK = { callTimeoutMs: 100 };

export const cancellationFaults: readonly Fault[] = caughtBy("cancellation", [
  everywhere("signals are not looked at", () => (call) => call()),
  inAdmin("the admin does not look at its signals", (right) => ({
    describeKey: (keyId) => right.describeKey(keyId),
  })),
  inAdmin("an aborted call of the admin is carried out first", (right) => ({
    disableKey: async (keyId, options) => {
      await right.disableKey(keyId);
      options?.signal?.throwIfAborted();
    },
  })),
  inProvider("resolveKeyId does not look at its signal", (right) => ({
    resolveKeyId: (keyId) => right.resolveKeyId(keyId),
  })),
  inProvider("generateDataKey does not look at its signal", (right) => ({
    generateDataKey: (request) => right.generateDataKey(request),
  })),
  inProvider("verify does not look at its signal", (right) => ({ verify: (request) => right.verify(request) })),
  everywhere("an aborted call rejects with an error of its own", () => async (call, signal) => {
    if (signal?.aborted) throw new FengniError("ERR_UNAVAILABLE", "the call was aborted");
    return call({ ...(signal && { signal }) });
  }),
  everywhere("an aborted call rejects with an AbortError, whatever the reason", () => async (call, signal) => {
    if (signal?.aborted) throw new DOMException("aborted", "AbortError");
    return call({ ...(signal && { signal }) });
  }),
  everywhere("the reason is wrapped in another error", () => async (call, signal) => {
    try {
      return await call({ ...(signal && { signal }) });
    } catch (error) {
      if (signal?.aborted) throw new FengniError("ERR_UNAVAILABLE", "aborted", { cause: error });
      throw error;
    }
  }),
  everywhere("an aborted call throws at once", () => (call, signal) => {
    signal?.throwIfAborted();
    return call({ ...(signal && { signal }) });
  }),
  everywhere("a signal that is aborted already is not looked at", () => async (call, signal) => {
    const aborted = new Promise((_resolve, reject) =>
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true }),
    );
    return Promise.race([call(), aborted]);
  }),
  everywhere(
    "a call that is aborted never settles",
    () => (call, signal) =>
      new Promise((resolve, reject) => {
        call().then(
          async (answer) => {
            await turn();
            if (!signal?.aborted) resolve(answer);
          },
          (error: unknown) => (signal?.aborted ? undefined : reject(error)),
        );
        if (signal?.aborted) reject(signal.reason);
      }),
    QUICK,
  ),
  everywhere("a call that is aborted fails in the middle of its work", () => async (call, signal) => {
    signal?.throwIfAborted();
    const answer = await call();
    await turn();
    if (signal?.aborted) throw new TypeError("the connection is gone");
    return answer;
  }),
  everywhere("a provider is of no use after an aborted call", () => {
    let isBroken = false;
    return async (call, signal) => {
      if (isBroken) throw new FengniError("ERR_UNAVAILABLE", "the connection is gone");
      isBroken = signal?.aborted === true;
      return call({ ...(signal && { signal }) });
    };
  }),
  everywhere("an abort ends all calls", () => {
    const running = new Set<(reason: unknown) => void>();
    return async (call, signal) => {
      signal?.throwIfAborted();
      const endAll = (): void => {
        for (const end of running) end(signal?.reason);
      };
      signal?.addEventListener("abort", endAll);
      let end = (_reason: unknown): void => {};
      const ended = new Promise<never>((_resolve, reject) => {
        end = reject;
      });
      running.add(end);
      try {
        await Promise.race([turn(), ended]);
        return await call();
      } finally {
        running.delete(end);
        signal?.removeEventListener("abort", endAll);
      }
    };
  }),
  unhandled("what an aborted call waited for is rejected, and nobody handles it", (answer, signal) => {
    void answer.catch(() => (signal?.aborted ? Promise.reject(new Error("too late")) : undefined));
  }),
  everywhere("each call leaves a listener on its signal", () => async (call, signal) => {
    signal?.throwIfAborted();
    if (signal !== undefined) setMaxListeners(1000, signal);
    signal?.addEventListener("abort", () => {}, { once: true });
    return call({ ...(signal && { signal }) });
  }),
  everywhere("a refused call leaves a listener on its signal", () => async (call, signal) => {
    signal?.throwIfAborted();
    const onAbort = (): void => {};
    if (signal !== undefined) setMaxListeners(1000, signal);
    signal?.addEventListener("abort", onAbort);
    const answer = await call({ ...(signal && { signal }) });
    signal?.removeEventListener("abort", onAbort);
    return answer;
  }),
  inSubject(
    "a call that hangs is not ended by its abort",
    ({ provider }) => {
      let hangs = 0;
      return {
        provider: wrapMethods(provider, (method, args, call) => {
          if (method === "close" || hangs === 0) return call(args);
          hangs -= 1;
          return new Promise(() => {});
        }),
        faults: {
          fail: () => {},
          hang: (next) => {
            hangs = next;
          },
        },
      };
    },
    { settings: QUICK },
  ),
  inSubject("a call that hangs ends with another error", ({ provider }) => {
    const faulty = faultyProvider(provider);
    return {
      provider: wrapMethods(faulty, (method, args, call) => {
        const answer = call(args);
        if (method === "close" || !(answer instanceof Promise)) return answer;
        const signal = (args[1] as CallOptions | undefined)?.signal;
        return answer.catch((error: unknown) => {
          throw error === signal?.reason && faulty.injectedFaults.length > 0
            ? new FengniError("ERR_TIMEOUT", "late")
            : error;
        });
      }),
      faults: { fail: faulty.failNext, hang: faulty.hangNext },
    };
  }),
]);
