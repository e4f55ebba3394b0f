// The assertions of the kit: each says what broke, what was expected and what came instead, and never prints bytes. It must not
// know any operation of a provider.
import { isFengniError } from "@fengni/core";

/** Why a check of the kit failed. Its `cause` is the provider's own error, where there is one. */
export class ConformanceFailure extends Error {
  override readonly name: string = "ConformanceFailure";
}

/** A code that a call may reject with; `ERR_ARGUMENT` stands for a TypeError or RangeError that carries it. */
export type RejectionCode = string;

/** Assertions that count themselves. */
export class Assertions {
  #count = 0;

  /** How many assertions were made so far. */
  get count(): number {
    return this.#count;
  }

  /** Fails unless `condition` holds; `what` says what was expected. */
  isTrue(condition: boolean, what: string): void {
    this.#count += 1;
    if (!condition) throw new ConformanceFailure(what);
  }

  /** As {@link equal}, of what a provider may leave out. */
  tells(actual: unknown, expected: unknown, what: string): void {
    if (actual !== undefined) this.equal(actual, expected, what);
  }

  /** Fails unless two values without secrets are the same. */
  equal(actual: unknown, expected: unknown, what: string): void {
    this.isTrue(Object.is(actual, expected), `${what}: expected ${shown(expected)}, got ${shown(actual)}`);
  }

  /** Fails unless a value is bytes with the same content. */
  sameBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
    this.isBytes(actual, what);
    const { length } = expected;
    this.isTrue(actual.length === length, `${what}: expected ${length} bytes, got ${actual.length}`);
    const at = actual.findIndex((byte, index) => byte !== expected[index]);
    this.isTrue(at < 0, `${what}: expected the same ${length} bytes, got others from byte ${at} on`);
  }

  /** Fails if two byte strings have the same content. */
  otherBytes(actual: Uint8Array, other: Uint8Array, what: string): void {
    this.isBytes(actual, what);
    const same = actual.length === other.length && actual.every((byte, index) => byte === other[index]);
    this.isTrue(!same, `${what}: expected other bytes, got the same`);
  }

  /** Fails unless a value is a Uint8Array. */
  isBytes(actual: unknown, what: string): void {
    this.isTrue(actual instanceof Uint8Array, `${what}: expected a Uint8Array, got ${kindOf(actual)}`);
  }

  /** Fails unless the call resolves. @returns what it gave */
  async resolves<Value>(call: Promise<Value>, what: string): Promise<Value> {
    this.#count += 1;
    try {
      return await call;
    } catch (cause) {
      if (cause instanceof ConformanceFailure) throw new ConformanceFailure(`${what}: ${cause.message}`, { cause });
      throw new ConformanceFailure(`${what}: expected an answer, got a rejection with ${errorName(cause)}`, { cause });
    }
  }

  /** Fails unless the call rejects with one of these codes. @returns the error */
  async rejects(call: Promise<unknown>, codes: readonly RejectionCode[], what: string): Promise<unknown> {
    const error = await this.#rejection(call, `a rejection with ${codes.join(" or ")}`, what);
    const isRight = codes.some((code) =>
      code === "ERR_ARGUMENT" ? isArgumentError(error) : isFengniError(error) && error.code === code,
    );
    if (!isRight) {
      throw new ConformanceFailure(
        `${what}: expected a rejection with ${codes.join(" or ")}, got one with ${errorName(error)}`,
        { cause: error },
      );
    }
    return error;
  }

  /** Fails unless the call rejects with an argument error or any FengniError: what is wrong in itself has no code of its own. */
  async refuses(call: Promise<unknown>, what: string): Promise<unknown> {
    const error = await this.#rejection(call, "a rejection with ERR_ARGUMENT or a FengniError", what);
    if (isArgumentError(error) || isFengniError(error)) return error;
    throw new ConformanceFailure(
      `${what}: expected a rejection with ERR_ARGUMENT or a FengniError, got one with ${errorName(error)}`,
      { cause: error },
    );
  }

  /** Fails unless the call rejects with exactly this value. */
  async rejectsWith(call: Promise<unknown>, reason: unknown, what: string): Promise<void> {
    const error = await this.#rejection(call, "a rejection with the signal's reason", what);
    if (error === reason) return;
    throw new ConformanceFailure(
      `${what}: expected a rejection with the signal's reason itself, got ${errorName(error)}`,
      {
        cause: error,
      },
    );
  }

  async #rejection(call: Promise<unknown>, expected: string, what: string): Promise<unknown> {
    this.#count += 1;
    try {
      await call;
    } catch (error) {
      if (error instanceof ConformanceFailure)
        throw new ConformanceFailure(`${what}: ${error.message}`, { cause: error });
      return error;
    }
    throw new ConformanceFailure(`${what}: expected ${expected}, got an answer`);
  }
}

/** Whether an error says that the programmer is at fault. */
export function isArgumentError(error: unknown): boolean {
  return (
    (error instanceof TypeError || error instanceof RangeError) && "code" in error && error.code === "ERR_ARGUMENT"
  );
}

/** Name and code of an error; not its message, which a wrong provider may have put a secret into. */
export function errorName(error: unknown): string {
  if (!(error instanceof Error)) return `no Error but ${kindOf(error)}`;
  const code = "code" in error && typeof error.code === "string" ? ` ${error.code}` : " without a code";
  return `${error.name}${code}`;
}

function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 120));
  return typeof value === "number" || typeof value === "boolean" || value === undefined ? String(value) : kindOf(value);
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return typeof value === "object" ? Object.prototype.toString.call(value).slice(8, -1) : typeof value;
}
