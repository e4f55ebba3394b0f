// The option --context: pairs of the encryption context. Must not know whether they are stored or expected.
import type { EncryptionContext } from "@fengni/core";
import type { Arguments } from "./arguments.js";
import { usageError } from "./failure.js";

/** Reads the pairs, without a prototype. @throws `ERR_USAGE` for no `=`, or a key twice */
export function readContext(args: Arguments): EncryptionContext {
  const context: Record<string, string> = Object.create(null);
  for (const pair of args.list("context")) {
    const at = pair.indexOf("=");
    if (at < 0) throw usageError(`--context expected KEY=VALUE, got "${pair}"`);
    const key = pair.slice(0, at);
    if (Object.hasOwn(context, key)) throw usageError(`--context gives the key "${key}" more than once`);
    context[key] = pair.slice(at + 1);
  }
  return context;
}
