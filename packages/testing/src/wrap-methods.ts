// An object whose every method call passes through one function: for the guard around a subject and for injected faults. It must
// not know what the methods do.

/** Stands between the caller and a method. `call` carries the call out, with the same or with other arguments. */
export type AroundCall = (
  method: string,
  args: readonly unknown[],
  call: (args: readonly unknown[]) => unknown,
) => unknown;

/**
 * Wraps an object. Its methods are called on the object itself, so that private fields work.
 * @param target - the object; whatever is no function is read through
 * @param around - called for each method call
 */
export function wrapMethods<Target extends object>(target: Target, around: AroundCall): Target {
  return new Proxy(target, {
    get(object, name) {
      const value: unknown = Reflect.get(object, name, object);
      if (typeof value !== "function" || typeof name !== "string") return value;
      return (...args: readonly unknown[]) => around(name, args, (passed) => Reflect.apply(value, object, [...passed]));
    },
  });
}
