// Searches values for secrets, in every form in which bytes are commonly written. It must not know where the values come from.
import { bytesToBase64, bytesToHex } from "@fengni/crypto/bytes";
import { containsBytes } from "./mutations.js";

const MOST_VALUES = 20_000;
const DEEPEST = 8;

/** A secret to look for. At least 8 bytes, so that it does not turn up by chance. */
export interface Secret {
  /** What it is, for messages; not the secret itself. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A secret in the forms in which text may hold it. */
function formsOf({ bytes }: Secret): string[] {
  const hex = bytesToHex(bytes);
  // Characters of base64 that do not depend on what stands before or after.
  const base64 = [0, 1, 2].map((skip) => bytesToBase64(bytes.subarray(skip)).replace(/=*$/, "").slice(0, -2));
  const inner = [...base64, ...base64.map((text) => text.replaceAll("+", "-").replaceAll("/", "_"))];
  const text = new TextDecoder("latin1").decode(bytes);
  return [hex, ...inner, bytes.join(), bytes.join(" "), bytes.join(", "), text];
}

/**
 * Looks for secrets in everything that printing a value can reach: its own properties, also hidden ones, its prototype's getters
 * and conversions, errors' causes and stacks, collections and buffers.
 * @returns what was found, or undefined
 */
export function findSecret(value: unknown, secrets: readonly Secret[]): string | undefined {
  const forms = secrets.map((secret) => ({ secret, texts: formsOf(secret) }));
  const seen = new Set<unknown>();
  const inText = (text: string): string | undefined => {
    const lower = text.toLowerCase();
    const found = forms.find(({ texts }) =>
      texts.some((form, index) => (index === 0 ? lower.includes(form) : text.includes(form))),
    );
    return found?.secret.name;
  };
  const visit = (item: unknown, depth: number): string | undefined => {
    if (typeof item === "string") return inText(item);
    if ((typeof item !== "object" && typeof item !== "function") || item === null) return undefined;
    if (seen.has(item) || seen.size > MOST_VALUES || depth > DEEPEST) return undefined;
    seen.add(item);
    const bytes = bytesIn(item);
    if (bytes !== undefined) {
      const found = secrets.find((secret) => containsBytes(bytes, secret.bytes))?.name;
      return found ?? inText(new TextDecoder("latin1").decode(bytes));
    }
    for (const part of [...conversionsOf(item), ...partsOf(item)]) {
      const found = visit(part, depth + 1);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return visit(value, 0);
}

function bytesIn(item: object): Uint8Array | undefined {
  if (ArrayBuffer.isView(item)) return new Uint8Array(item.buffer, item.byteOffset, item.byteLength);
  return item instanceof ArrayBuffer ? new Uint8Array(item) : undefined;
}

/** What a value becomes when it is printed or written. */
function conversionsOf(item: object): unknown[] {
  const inspect: unknown = Reflect.get(item, Symbol.for("nodejs.util.inspect.custom"));
  return [
    attempt(() => String(item)),
    attempt(() => JSON.stringify(item)),
    attempt(() => (typeof inspect === "function" ? Reflect.apply(inspect, item, [2, {}, String]) : undefined)),
  ];
}

/** What a value is made of: own properties of any kind, and what its classes' getters give. */
function partsOf(item: object): unknown[] {
  const parts: unknown[] = Reflect.ownKeys(item).map((key) => attempt(() => Reflect.get(item, key)));
  if (item instanceof Map) parts.push(...item.keys(), ...item.values());
  if (item instanceof Set) parts.push(...item);
  if (item instanceof Error) parts.push(item.message, item.stack, item.cause);
  let prototype: object | null = Object.getPrototypeOf(item);
  while (prototype !== null && prototype !== Object.prototype && prototype !== Function.prototype) {
    for (const [name, { get }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (get !== undefined && name !== "__proto__") parts.push(attempt(() => Reflect.apply(get, item, [])));
    }
    prototype = Object.getPrototypeOf(prototype);
  }
  return parts;
}

function attempt(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    return error instanceof Error ? error.message : undefined;
  }
}
