// Whether what a factory gave is a subject at all: without its parts, every check would fail for a reason that is not its own. It
// must not judge what the parts do.
import { ADMIN_CALLS } from "./areas/capabilities.js";
import { OPERATIONS } from "./calls.js";
import type { ConformanceSubject } from "./subject.js";

const LISTS = ["operations", "signatureAlgorithms", "asymmetricEncryptionAlgorithms"] as const;

/**
 * Fails unless a subject has the parts that every one has.
 * @throws TypeError `ERR_ARGUMENT` that names the first that is missing
 */
export function checkSubject(subject: ConformanceSubject): void {
  if (!isObject(subject)) throw wrong("the factory expected to give an object with provider and keys");
  const { provider, keys, admin } = subject;
  if (!isObject(provider)) throw wrong("the factory expected to give a provider");
  if (!isObject(keys)) throw wrong("the factory expected to give keys, such as { symmetric: [KEY, KEY] }");
  const capabilities: unknown = provider.capabilities;
  if (!isObject(capabilities)) throw wrong("provider.capabilities expected an object");
  for (const list of LISTS) {
    if (!Array.isArray(capabilities[list])) throw wrong(`provider.capabilities.${list} expected an array`);
  }
  if (!isObject(capabilities["dataKeyBytes"])) {
    throw wrong("provider.capabilities.dataKeyBytes expected { minimum, maximum }");
  }
  checkMethods(provider, "provider", ["resolveKeyId", ...OPERATIONS, "close"]);
  if (admin === undefined) return;
  if (!isObject(admin)) throw wrong("the factory's admin expected an object, or none");
  if (!Array.isArray(admin.operations)) throw wrong("admin.operations expected an array");
  checkMethods(admin, "admin", [...Object.keys(ADMIN_CALLS), "close"]);
}

function checkMethods(target: object, name: string, methods: readonly string[]): void {
  const missing = methods.find((method) => typeof Reflect.get(target, method) !== "function");
  if (missing === undefined) return;
  throw wrong(`${name}.${missing} expected a method; an operation that is not claimed rejects with ERR_NOT_SUPPORTED`);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function wrong(message: string): TypeError {
  return Object.assign(new TypeError(message), { code: "ERR_ARGUMENT" });
}
