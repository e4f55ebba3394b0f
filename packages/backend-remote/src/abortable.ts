// Waiting that one caller may give up without ending the work that others wait for. It knows nothing of the work.
import { onceAborted } from "./abort-listeners.js";

/** Settles as `promise` does, or rejects with the signal's reason as soon as it aborts. The work goes on for the others. */
export function abortable<Value>(promise: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (signal === undefined) return promise;
  if (signal.aborted) {
    promise.catch(() => {});
    return Promise.reject(signal.reason);
  }
  return new Promise((resolve, reject) => {
    const stopListening = onceAborted(signal, () => reject(signal.reason));
    promise.then(resolve, reject).finally(stopListening);
  });
}
