// Waiting that a caller may give up without ending the work that others wait for.

/** Those who wait for the abort of one signal, and what ends the listening. */
interface Waiting {
  readonly calls: Set<() => void>;
  readonly stop: () => void;
}

/** A signal of the whole process serves thousands of calls: it gets one listener for all of them. */
const waitingFor = new WeakMap<AbortSignal, Waiting>();

/**
 * Has `onAbort` called once when the signal aborts.
 * @param signal - not aborted yet
 * @returns what takes it back
 */
export function whenAborted(signal: AbortSignal, onAbort: () => void): () => void {
  const waiting = waitingFor.get(signal) ?? listen(signal);
  // Of its own, so that a function that waits twice is called twice.
  const call = (): void => onAbort();
  waiting.calls.add(call);
  return () => {
    waiting.calls.delete(call);
    if (waiting.calls.size > 0 || waitingFor.get(signal) !== waiting) return;
    waitingFor.delete(signal);
    waiting.stop();
  };
}

function listen(signal: AbortSignal): Waiting {
  const calls = new Set<() => void>();
  const onAbort = (): void => {
    waitingFor.delete(signal);
    for (const call of calls) call();
  };
  signal.addEventListener("abort", onAbort, { once: true });
  const waiting: Waiting = { calls, stop: () => signal.removeEventListener("abort", onAbort) };
  waitingFor.set(signal, waiting);
  return waiting;
}

/** Settles as `promise` does, or rejects with the signal's reason as soon as it aborts. */
export function abortable<Value>(promise: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (signal === undefined) return promise;
  if (signal.aborted) {
    promise.catch(() => {});
    return Promise.reject(signal.reason);
  }
  return new Promise((resolve, reject) => {
    const stop = whenAborted(signal, () => reject(signal.reason));
    promise.then(resolve, reject).finally(stop);
  });
}
