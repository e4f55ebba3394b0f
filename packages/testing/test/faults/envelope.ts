// Providers that are right by themselves, or nearly, and wrong under an envelope.
import { FengniError } from "@fengni/core";
import { caughtBy, claiming, type Fault, inParts, inProvider, inSubject, overriding, recoded } from "./support.js";

export const envelopeFaults: readonly Fault[] = caughtBy("envelope", [
  inProvider("generateDataKey writes the key's id in another way than resolveKeyId", (right) => ({
    generateDataKey: async (request, options) => {
      const made = await right.generateDataKey(request, options);
      return { ...made, keyId: made.keyId.toUpperCase() };
    },
  })),
  inProvider("encrypt writes the key's id in another way than resolveKeyId", (right) => ({
    encrypt: async (request, options) => {
      const sealed = await right.encrypt(request, options);
      return { ...sealed, keyId: `key/${sealed.keyId}` };
    },
  })),
  inProvider("a data key's ciphertext opens to another data key", (right) => ({
    generateDataKey: async (request, options) => {
      const { plaintext } = await right.generateDataKey(request, options);
      return { ...(await right.generateDataKey(request, options)), plaintext };
    },
  })),
  inProvider("what encrypt seals opens with generateDataKey's keys only", (right, { keys }) => ({
    encrypt: (request, options) => right.encrypt({ ...request, keyId: keys.symmetric[0] }, options),
  })),
  inParts("the context is ignored", () => ({ additionalData: (header) => header })),
  inProvider("another context is an invalid ciphertext", (right) => ({
    decrypt: (request, options) =>
      recoded(
        right.decrypt(request, options),
        "ERR_AUTHENTICATION",
        () => new FengniError("ERR_CIPHERTEXT_INVALID", "no"),
      ),
  })),
  inSubject("it claims longer contexts than it takes", ({ provider }) => ({
    provider: claiming(provider, { maxContextCharacters: 8192 }),
  })),
  inProvider("a named key is compared as text, with the alias that was asked for", (right, { keys }) => ({
    decrypt: async (request, options) => {
      if (request.keyId !== undefined && request.keyId === keys.symmetric[1]) {
        throw new FengniError("ERR_NO_MATCHING_KEY", "another key made this ciphertext");
      }
      return right.decrypt(request, options);
    },
  })),
  inProvider("any data key is 32 bytes, but opens to 16", (right) => ({
    decrypt: async (request, options) => {
      const opened = await right.decrypt(request, options);
      return { ...opened, plaintext: opened.plaintext.slice(0, 16) };
    },
  })),
  inProvider("every third data key is a copy", (right) => {
    let count = 0;
    const made = new Map<string, ReturnType<typeof right.generateDataKey>>();
    return {
      generateDataKey: async (request, options) => {
        const answer = count++ % 3 === 2 ? made.get(request.keyId) : undefined;
        const next = answer ?? right.generateDataKey(request, options);
        made.set(request.keyId, next);
        const { keyId, plaintext, ciphertext } = await next;
        return { keyId, plaintext: Uint8Array.from(plaintext), ciphertext: Uint8Array.from(ciphertext) };
      },
    };
  }),
  inParts("old versions are lost", ({ checkState }) => ({
    checkState(key, operation) {
      const newest = key.versions.at(-1);
      if (newest !== undefined) key.versions.fill(newest);
      checkState(key, operation);
    },
  })),
  inParts("a disabled key goes on opening", ({ checkState }) => ({
    checkState(key, operation) {
      if (key.state !== "disabled" || operation !== "decrypt") checkState(key, operation);
    },
  })),
  inParts("a disabled key goes on giving data keys", ({ checkState }) => ({
    checkState(key, operation) {
      if (key.state !== "disabled" || operation !== "generateDataKey") checkState(key, operation);
    },
  })),
  inSubject("each provider has a name of its own", ({ sibling }) => ({
    sibling: async () => overriding(await sibling(), { providerId: "fengni-in-memory-2" }),
  })),
  inSubject("a sibling does not open what the others sealed", ({ sibling }) => ({
    sibling: async () => {
      const right = await sibling();
      return overriding(right, {
        decrypt: async () => {
          throw new FengniError("ERR_CIPHERTEXT_INVALID", "another process made this");
        },
      });
    },
  })),
]);
