// Listening to a signal that many calls share: node warns of a leak when one signal has more than ten listeners, so here it has one.
// It must not know what ends.

interface Listener {
  readonly callbacks: Set<() => void>;
  readonly onAbort: () => void;
}

const listeners = new WeakMap<AbortSignal, Listener>();

/**
 * Calls back when a signal aborts. It has not aborted yet.
 * @param callback - must not throw
 * @returns what takes it back; calling that again, or afterwards, does nothing
 */
export function onceAborted(signal: AbortSignal, callback: () => void): () => void {
  const { callbacks, onAbort } = listeners.get(signal) ?? listen(signal);
  // Each of its own, so that the same function may be given twice.
  const entry = (): void => callback();
  callbacks.add(entry);
  return () => {
    if (!callbacks.delete(entry) || callbacks.size > 0) return;
    // A signal that somebody listens to is kept in memory, with what it was made of.
    signal.removeEventListener("abort", onAbort);
    listeners.delete(signal);
  };
}

function listen(signal: AbortSignal): Listener {
  const callbacks = new Set<() => void>();
  const onAbort = (): void => {
    const called = [...callbacks];
    callbacks.clear();
    for (const callback of called) callback();
  };
  const listener: Listener = { callbacks, onAbort };
  listeners.set(signal, listener);
  signal.addEventListener("abort", onAbort, { once: true });
  return listener;
}
