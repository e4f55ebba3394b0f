// Area: what is wrong is answered by a rejection whose type says what: never by a throw, never by an answer.
import { FengniError, isFengniError, type ProviderOperation } from "@fengni/core";
import { randomBytes } from "@fengni/crypto/random";
import { callWith, rightSamples } from "../calls.js";
import type { Area, Kit } from "../kit.js";
import type { KeyPair } from "../subject.js";

async function unknownKeys(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  const names = [
    "no-such-key-of-the-kit",
    "constructor",
    "__proto__",
    "toString",
    "00000000-0000-0000-0000-000000000000",
  ];
  for (const keyId of names) {
    await check.rejects(provider.resolveKeyId(keyId), ["ERR_KEY_NOT_FOUND"], `resolveKeyId of ${keyId}`);
    for (const [operation, sample] of await rightSamples(kit)) {
      // A ciphertext names its own key: the one that is named beside it may be found wanting first.
      const opens = operation === "decrypt" || operation === "postQuantumDecrypt";
      const codes = opens ? ["ERR_KEY_NOT_FOUND", "ERR_NO_MATCHING_KEY"] : ["ERR_KEY_NOT_FOUND"];
      await check.rejects(callWith(provider, operation, { ...sample, keyId }), codes, `${operation} with ${keyId}`);
    }
  }
}

/** A pair of each kind of use that the factory gave. */
function pairs(kit: Kit): Partial<Record<"symmetric" | "sign" | "decrypt" | "postQuantum", KeyPair>> {
  const { keys } = kit.subject;
  const sign = Object.values(keys.sign ?? {})[0];
  const decrypt = Object.values(keys.asymmetricDecrypt ?? {})[0];
  return {
    ...(keys.symmetric && { symmetric: keys.symmetric }),
    ...(sign && { sign }),
    ...(decrypt && { decrypt }),
    ...(keys.postQuantumEncryption && { postQuantum: keys.postQuantumEncryption }),
  };
}

/** Which kind of key each operation needs. */
const KINDS: Readonly<Record<ProviderOperation, readonly ("symmetric" | "sign" | "decrypt" | "postQuantum")[]>> = {
  generateDataKey: ["symmetric"],
  encrypt: ["symmetric"],
  decrypt: ["symmetric"],
  reEncrypt: ["symmetric"],
  sign: ["sign"],
  verify: ["sign"],
  getPublicKey: ["sign", "decrypt", "postQuantum"],
  asymmetricDecrypt: ["decrypt"],
  postQuantumEncrypt: ["postQuantum"],
  postQuantumDecrypt: ["postQuantum"],
};

async function otherUsages(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  for (const [operation, sample] of await rightSamples(kit)) {
    for (const [kind, pair] of Object.entries(pairs(kit))) {
      if (KINDS[operation].some((right) => right === kind)) continue;
      const opens = operation === "decrypt" || operation === "postQuantumDecrypt";
      const codes = opens ? ["ERR_KEY_USAGE", "ERR_NO_MATCHING_KEY"] : ["ERR_KEY_USAGE"];
      const call = callWith(provider, operation, { ...sample, keyId: pair[0] });
      await check.rejects(call, codes, `${operation} with a key whose use is ${kind}`);
    }
  }
}

async function wrongArguments(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  const unknown = <Type>(value: unknown): Type => value as Type;
  for (const [operation, sample] of await rightSamples(kit)) {
    for (const keyId of [undefined, null, 7, {}, ["a"], ""]) {
      // These take no key: it may be left out.
      const isOptional = ["decrypt", "reEncrypt", "postQuantumDecrypt"].includes(operation);
      if (isOptional && (keyId === undefined || keyId === null)) continue;
      const call = callWith(provider, operation, { ...sample, keyId: unknown(keyId) });
      await check.refuses(
        call,
        `${operation} with a keyId that is ${keyId === "" ? "empty" : `no text (${typeof keyId})`}`,
      );
    }
    if (operation === "generateDataKey" || operation === "getPublicKey") continue;
    for (const bytes of [undefined, null, "text", 7, {}, [1, 2, 3], new ArrayBuffer(32), new Uint16Array(16)]) {
      const call = callWith(provider, operation, { ...sample, bytes: unknown(bytes) });
      await check.refuses(call, `${operation} with ${Object.prototype.toString.call(bytes)} in place of bytes`);
    }
  }
  for (const request of [undefined, null, 7, "text"]) {
    const what = `a request that is ${String(request)}`;
    for (const operation of provider.capabilities.operations) {
      const method = provider[operation] as (request: unknown) => Promise<unknown>;
      await check.refuses(Reflect.apply(method, provider, [request]), `${operation} with ${what}`);
    }
  }
}

/** One error of each kind that the kit can provoke in every provider. */
async function someErrors(kit: Kit): Promise<readonly unknown[]> {
  const errors: unknown[] = [];
  const collect = (call: Promise<unknown>): Promise<unknown> => call.catch((error: unknown) => errors.push(error));
  await collect(kit.provider.resolveKeyId("no-such-key-of-the-kit"));
  for (const [operation, sample] of await rightSamples(kit)) {
    await collect(callWith(kit.provider, operation, { ...sample, keyId: "no-such-key-of-the-kit" }));
    await collect(callWith(kit.provider, operation, { ...sample, bytes: new Uint8Array(0) }));
    await collect(callWith(kit.provider, operation, { ...sample, bytes: randomBytes(100) }));
  }
  return errors;
}

async function shapes(kit: Kit): Promise<void> {
  const { check } = kit;
  for (const error of await someErrors(kit)) {
    check.isTrue(error instanceof Error, "expected every rejection to be an Error");
    if (!(error instanceof Error)) continue;
    check.isTrue(error.message.length > 0, `${error.name}: expected a message`);
    if (!isFengniError(error)) continue;
    check.isTrue(typeof error.code === "string" && error.code.startsWith("ERR_"), "expected a code ERR_...");
    check.isTrue(typeof error.retryable === "boolean", `${error.code}: expected retryable to be true or false`);
    const lasting = ["ERR_KEY_NOT_FOUND", "ERR_CIPHERTEXT_INVALID", "ERR_AUTHENTICATION", "ERR_LIMIT", "ERR_KEY_USAGE"];
    if (lasting.includes(error.code)) check.equal(error.retryable, false, `${error.code}: retryable`);
  }
}

async function faults(kit: Kit): Promise<void> {
  const { check, provider, subject } = kit;
  for (const [operation, sample] of await rightSamples(kit)) {
    subject.faults?.fail(1);
    const error = await check.refuses(callWith(provider, operation, sample), `${operation} while the backend fails`);
    check.isTrue(isFengniError(error), `${operation} while the backend fails: expected a FengniError`);
    await check.resolves(callWith(provider, operation, sample), `${operation} after the backend failed`);
    subject.faults?.fail(1, new FengniError("ERR_THROTTLED", "the kit asks too often", { retryable: true }));
    const throttled = await check.refuses(callWith(provider, operation, sample), `${operation} while it is throttled`);
    check.isTrue(isFengniError(throttled), `${operation} while it is throttled: expected a FengniError`);
  }
}

/** Typing of errors. */
export const errors: Area = {
  name: "errors",
  checks: [
    { name: "unknown keys are not found", needs: {}, run: unknownKeys },
    { name: "keys of another usage are refused for that", needs: {}, run: otherUsages },
    { name: "arguments of a wrong type are refused, and nothing is thrown", needs: {}, run: wrongArguments },
    { name: "errors are whole: code, message, retryable", needs: {}, run: shapes },
    { name: "a failing backend gives typed errors, and recovers", needs: { parts: ["faults"] }, run: faults },
  ],
};
