// Which wrapping keys answered badly of late: those are asked last for a while. Must call nobody.
import { isFengniError } from "./errors.js";
import type { UnwrappingKey } from "./wrapping-key.js";

/**
 * How long a key that could not be reached is asked after the others, in milliseconds. An optional key that wraps is left out
 * for that time, unless the minimum needs it.
 */
export const KEY_COOL_OFF_MS = 10_000;

/** Is told of changes of a key's standing. */
export interface KeyHealthListener {
  /** The key is asked after the others for {@link KEY_COOL_OFF_MS}. */
  demoted(key: string, error: unknown): void;
  /** The key answered again. */
  restored(key: string): void;
}

/** The standing of the keys of one envelope. */
export class KeyHealth {
  readonly #demotedUntil = new Map<UnwrappingKey, number>();
  readonly #listener: KeyHealthListener | undefined;

  constructor(listener?: KeyHealthListener) {
    this.#listener = listener;
  }

  /** The keys in the caller's order, those that could not be reached of late behind the others. */
  inOrder<Key extends UnwrappingKey>(keys: readonly Key[]): readonly Key[] {
    if (this.#demotedUntil.size === 0) return keys;
    const isDemoted = (key: Key): boolean => this.isDemoted(key);
    return [...keys.filter((key) => !isDemoted(key)), ...keys.filter(isDemoted)];
  }

  /** Whether the key is asked after the others at the moment. */
  isDemoted(key: UnwrappingKey): boolean {
    const until = this.#demotedUntil.get(key);
    return until !== undefined && performance.now() < until;
  }

  /** Takes note of an answer, be it a refusal: the key's service is there. */
  answered(key: UnwrappingKey): void {
    if (this.#demotedUntil.delete(key)) this.#listener?.restored(key.name);
  }

  /**
   * Takes note of a failure: one that a retry may mend says that the service could not be reached. Too many requests say
   * nothing of it: that answer comes at once, and a hostile message can bring it about.
   */
  failed(key: UnwrappingKey, error: unknown): void {
    if (isFengniError(error, "ERR_THROTTLED")) return;
    if (!(isFengniError(error) && error.retryable)) {
      this.answered(key);
      return;
    }
    const isNew = !this.isDemoted(key);
    this.#demotedUntil.set(key, performance.now() + KEY_COOL_OFF_MS);
    if (isNew) this.#listener?.demoted(key.name, error);
  }
}
