// The check of option objects, which every primitive shares. It must not know any option's meaning.
import { argumentTypeError } from "./assert.js";

/**
 * Checks that an options argument is an object without unknown members, so that a misspelt option fails instead of being
 * ignored.
 * @param options - the argument
 * @param names - the members it may have
 * @returns the same object
 * @throws TypeError `ERR_ARGUMENT` for anything else
 */
export function assertOptions<Options extends object>(options: Options, names: readonly (keyof Options)[]): Options {
  if (typeof options !== "object" || options === null) {
    throw argumentTypeError(`"options" expected object, got type=${options === null ? "null" : typeof options}`);
  }
  for (const name in options) {
    if (!names.includes(name)) {
      throw argumentTypeError(`"options" expected members ${names.join(", ")} only, got ${JSON.stringify(name)}`);
    }
  }
  return options;
}
