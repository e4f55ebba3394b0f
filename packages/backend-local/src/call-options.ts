// What a caller hands over beside a request: checked, and read once when an operation is entered, so that nothing of it can change
// while the operation waits. It must not know operations, nor what an identity is for.
import type { CallOptions } from "@fengni/core";
import type { Caller, LocalCallOptions } from "./access.js";
import { argumentError, checkFields, checkText, isPlainObject } from "./checks.js";

const FIELDS = ["signal", "region", "caller"];

/**
 * A frozen copy of the options of a call; undefined when they say nothing.
 * @throws TypeError `ERR_ARGUMENT` for what is no plain object, an unknown field, or a field of another type
 */
export function takeOptions(options: LocalCallOptions): LocalCallOptions | undefined {
  if (!isPlainObject(options)) throw argumentError("options expected a plain object");
  checkFields("options", options, FIELDS);
  const { signal, region, caller } = options;
  if (signal === undefined && region === undefined && caller === undefined) return undefined;
  const taken: { signal?: AbortSignal; region?: string; caller?: Caller } = {};
  if (signal !== undefined) taken.signal = checkSignal(signal);
  if (region !== undefined) taken.region = checkText("region", region);
  if (caller !== undefined) taken.caller = takeCaller(caller);
  return Object.freeze(taken);
}

/** Options that were taken, for a call with a signal. Nothing else of the call's: what a caller adds must not change who calls. */
export function withSignal(
  taken: LocalCallOptions | undefined,
  options: CallOptions | undefined,
): LocalCallOptions | undefined {
  if (options === undefined) return taken;
  if (typeof options !== "object" || options === null) throw argumentError("options expected an object");
  const { signal } = options;
  return signal === undefined ? taken : { ...taken, signal };
}

/**
 * A frozen copy of a caller, of the same prototype and with whatever else it carries. Its id is read once: who was asked about is
 * whose name goes into what is made. What its other fields refer to stays the caller's own.
 */
function takeCaller(caller: Caller): Caller {
  if (typeof caller !== "object" || caller === null) throw argumentError("caller expected an object with an id");
  if (isPlainObject(caller)) {
    const copy = { ...caller };
    checkId(copy.id);
    return Object.freeze(copy);
  }
  const id = checkId(caller.id);
  const fields = { ...Object.getOwnPropertyDescriptors(caller), id: { value: id, enumerable: true } };
  const copy: Caller = Object.create(Object.getPrototypeOf(caller), fields);
  return Object.freeze(copy);
}

function checkId(id: string): string {
  if (checkText("caller id", id) === "") throw argumentError("caller id expected at least 1 character");
  return id;
}

/** By what is called of it: a signal may be of another realm. */
function checkSignal(signal: AbortSignal): AbortSignal {
  if (typeof signal === "object" && signal !== null) {
    if (typeof signal.throwIfAborted === "function" && typeof signal.addEventListener === "function") return signal;
  }
  throw argumentError("signal expected an AbortSignal");
}
