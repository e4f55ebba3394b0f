// Providers whose errors are of the wrong kind, come in the wrong way, or do not come at all.
import { FengniError } from "@fengni/core";
import { faultyProvider } from "../../src/index.js";
import { wrapMethods } from "../../src/wrap-methods.js";
import {
  caughtBy,
  type Fault,
  inParts,
  inProvider,
  inSubject,
  type Mistake,
  recoded,
  unhandled,
  unless,
} from "./support.js";

/** A mistake in what every operation rejects with. */
function rejecting(name: string, change: (error: unknown) => unknown): Mistake {
  return inSubject(name, ({ provider }) => ({
    provider: wrapMethods(provider, (_method, args, call) => {
      const answer = call(args);
      if (!(answer instanceof Promise)) return answer;
      return answer.catch((error: unknown) => {
        throw change(error);
      });
    }),
  }));
}

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && "code" in error && error.code === code;

export const errorFaults: readonly Fault[] = caughtBy("errors", [
  rejecting("an unknown key is one whose state forbids it", (error) =>
    isCode(error, "ERR_KEY_NOT_FOUND") ? new FengniError("ERR_KEY_STATE", "this key cannot be used") : error,
  ),
  rejecting("an unknown key is an argument error", (error) =>
    isCode(error, "ERR_KEY_NOT_FOUND") ? Object.assign(new RangeError("no such key"), { code: "ERR_ARGUMENT" }) : error,
  ),
  rejecting("errors have no code", (error) => (error instanceof FengniError ? new Error(error.message) : error)),
  rejecting("errors are texts", (error) => (error instanceof FengniError ? error.message : error)),
  rejecting("errors are plain objects", (error) =>
    error instanceof FengniError ? { code: error.code, message: error.message } : error,
  ),
  rejecting("errors have no message", (error) => {
    if (error instanceof FengniError) error.message = "";
    return error;
  }),
  rejecting("an unknown key may be there at the next try", (error) =>
    isCode(error, "ERR_KEY_NOT_FOUND")
      ? new FengniError("ERR_KEY_NOT_FOUND", "no such key", { retryable: true })
      : error,
  ),
  rejecting("whether a retry helps is not said", (error) =>
    error instanceof FengniError ? Object.assign(error, { retryable: undefined }) : error,
  ),
  rejecting("argument errors have no code", (error) =>
    isCode(error, "ERR_ARGUMENT") ? new TypeError("wrong argument") : error,
  ),
  rejecting("a key of another usage is no key", (error) =>
    isCode(error, "ERR_KEY_USAGE") ? new FengniError("ERR_KEY_NOT_FOUND", "no such key") : error,
  ),
  inParts("the usage of a key is not looked at", () => ({ checkUsage: () => {} })),
  inParts("any key gives a public key", ({ checkUsage }) => ({
    checkUsage: (key, usages) => (usages.length > 1 ? undefined : checkUsage(key, usages)),
  })),
  inProvider("keys are looked up in an object with a prototype", (right) => ({
    encrypt: async (request, options) => {
      const table: Record<string, unknown> = {};
      if (typeof request.keyId === "string" && table[request.keyId] !== undefined)
        throw new TypeError("key.seal is no function");
      return right.encrypt(request, options);
    },
  })),
  inProvider("a name of every object resolves", (right) => ({
    resolveKeyId: async (keyId, options) => (keyId in {} ? keyId : right.resolveKeyId(keyId, options)),
  })),
  inProvider("wrong arguments are thrown at once", (right) => ({
    encrypt: (request, options) => {
      if (!(request?.plaintext instanceof Uint8Array)) {
        throw Object.assign(new TypeError("plaintext expected bytes"), { code: "ERR_ARGUMENT" });
      }
      return right.encrypt(request, options);
    },
  })),
  inProvider("no request is a crash", (right) => ({
    decrypt: async (request, options) => {
      const { ciphertext, ...rest } = request;
      return right.decrypt({ ciphertext, ...rest }, options);
    },
  })),
  inProvider("a request that is no object throws at once", (right) => ({
    getPublicKey: (request, options) => right.getPublicKey({ keyId: request.keyId }, options),
  })),
  inProvider("lists of numbers are taken for bytes", (right) => ({
    encrypt: async (request, options) => {
      const plaintext: unknown = request?.plaintext;
      return right.encrypt(
        Array.isArray(plaintext) ? { ...request, plaintext: Uint8Array.from(plaintext) } : request,
        options,
      );
    },
  })),
  inProvider("text is taken for bytes", (right) => ({
    sign: async (request, options) => {
      const message: unknown = request?.message;
      return right.sign(
        typeof message === "string" ? { ...request, message: new TextEncoder().encode(message) } : request,
        options,
      );
    },
  })),
  inProvider("an ArrayBuffer is taken for bytes", (right) => ({
    postQuantumEncrypt: async (request, options) => {
      const plaintext: unknown = request?.plaintext;
      return right.postQuantumEncrypt(
        plaintext instanceof ArrayBuffer ? { ...request, plaintext: new Uint8Array(plaintext) } : request,
        options,
      );
    },
  })),
  inProvider("any typed array is taken for bytes", (right) => ({
    encrypt: async (request, options) => {
      const plaintext: unknown = request?.plaintext;
      return right.encrypt(
        plaintext instanceof Uint16Array ? { ...request, plaintext: new Uint8Array(plaintext.buffer) } : request,
        options,
      );
    },
  })),
  inProvider("an empty key id is the first key's", (right, { keys }) => ({
    generateDataKey: async (request, options) =>
      right.generateDataKey(request?.keyId === "" ? { ...request, keyId: keys.symmetric[0] } : request, options),
  })),
  inProvider("no key id is the first key's", (right, { keys }) => ({
    encrypt: async (request, options) =>
      right.encrypt(request ? { ...request, keyId: request.keyId ?? keys.symmetric[0] } : request, options),
  })),
  inSubject("a failure of the backend comes as it is", ({ provider }) => {
    let next = 0;
    return {
      provider: wrapMethods(provider, (method, args, call) => {
        if (method === "close" || next === 0) return call(args);
        next -= 1;
        return Promise.reject(Object.assign(new Error("socket hang up"), { code: "ECONNRESET" }));
      }),
      faults: {
        fail: (count) => {
          next = count;
        },
      },
    };
  }),
  inSubject("it does not recover from a failure of the backend", ({ provider }) => {
    const faulty = faultyProvider(provider);
    return { provider: faulty, faults: { fail: () => faulty.failNext(1_000_000) } };
  }),
  inProvider("an unknown key named beside a ciphertext is an error of authentication", (right) => ({
    decrypt: (request, options) =>
      recoded(right.decrypt(request, options), "ERR_KEY_NOT_FOUND", () => new FengniError("ERR_AUTHENTICATION", "no")),
  })),
  inProvider("an unknown key is made at first use", (right, { admin }) => ({
    encrypt: (request, options) =>
      unless(right.encrypt(request, options), "ERR_KEY_NOT_FOUND", async () =>
        right.encrypt({ ...request, keyId: (await admin.createKey()).keyId }, options),
      ),
  })),
  unhandled("an answer is followed by a rejection that nobody handles", (answer) => {
    void answer.then(() => Promise.reject(new Error("too late")));
  }),
  inSubject("a call settles twice", ({ provider }) => ({
    provider: wrapMethods(provider, (_method, args, call) => {
      const answer = call(args);
      if (!(answer instanceof Promise)) return answer;
      // A promise of its own making, which calls back for the answer and for what came after it.
      const then: Promise<unknown>["then"] = (onAnswer, onError) => {
        const twice = (value: unknown): never => {
          void onAnswer?.(value);
          return onAnswer?.(value) as never;
        };
        return answer.then(twice, onError);
      };
      return { then, catch: answer.catch.bind(answer), finally: answer.finally.bind(answer) };
    }),
  })),
]);
