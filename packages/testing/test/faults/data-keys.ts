// Providers whose data keys are not what they should be.
import { bytesToHex } from "@fengni/crypto/bytes";
import { randomBytes } from "@fengni/crypto/random";
import { caughtBy, type Fault, inParts, inProvider } from "./support.js";

/** Fewer data keys serve where no count is what is wrong. */
const FEW = { uniqueDataKeys: 600 };

export const dataKeyFaults: readonly Fault[] = caughtBy("data-keys", [
  inParts("it claims longer data keys than it gives", () => ({}), { dataKeyBytes: { minimum: 1, maximum: 2048 } }),
  inParts("it gives longer data keys than it claims", () => ({}), { dataKeyBytes: { minimum: 1, maximum: 512 } }),
  inParts("it gives shorter data keys than it claims", () => ({}), { dataKeyBytes: { minimum: 16, maximum: 1024 } }),
  inParts("a data key is a byte short", () => ({ dataKey: (length) => randomBytes(length - 1) })),
  inParts("a data key always has 32 bytes", () => ({ dataKey: () => randomBytes(32) })),
  inParts("one more byte than the limit is given", ({ checkDataKeyLength }) => ({
    checkDataKeyLength: (length) => (length === 1025 ? undefined : checkDataKeyLength(length)),
  })),
  inParts("the limit itself is refused", ({ checkDataKeyLength }) => ({
    checkDataKeyLength: (length) => checkDataKeyLength(length === 1024 ? 1025 : length),
  })),
  inParts("a length of no bytes is answered", ({ checkDataKeyLength }) => ({
    checkDataKeyLength: (length) => (length === 0 ? undefined : checkDataKeyLength(length)),
  })),
  inParts("a length that is no number is answered", ({ checkDataKeyLength }) => ({
    checkDataKeyLength: (length) => (Number.isNaN(length) ? undefined : checkDataKeyLength(length)),
    dataKey: (length) => randomBytes(Number.isNaN(length) ? 32 : length),
  })),
  inParts("a length beyond the limit is an argument error", () => ({
    checkDataKeyLength(length) {
      if (length >= 1 && length <= 1024 && Number.isInteger(length)) return;
      throw Object.assign(new RangeError("numberOfBytes expected 1 to 1024"), { code: "ERR_ARGUMENT" });
    },
  })),
  inParts("data keys repeat after 5,000", () => {
    const made: Uint8Array[] = [];
    let count = 0;
    return {
      dataKey(length) {
        const key = made[count % 5000] ?? randomBytes(1024);
        made[count++ % 5000] = key;
        return key.slice(0, length);
      },
    };
  }),
  {
    ...inParts("every data key is the same", () => {
      const only = randomBytes(1024);
      return { dataKey: (length) => only.slice(0, length) };
    }),
    settings: FEW,
  },
  {
    ...inParts("only the first 16 bytes are random", () => ({
      dataKey(length) {
        const key = new Uint8Array(length);
        key.set(randomBytes(Math.min(16, length)));
        return key;
      },
    })),
    settings: FEW,
  },
  {
    ...inParts("the last bytes are a counter", () => {
      let count = 0;
      return {
        dataKey(length) {
          const key = randomBytes(length);
          if (length >= 8) new DataView(key.buffer, key.byteOffset).setUint32(length - 4, count++);
          return key;
        },
      };
    }),
    settings: FEW,
  },
  {
    ...inParts("data keys are text, so that each byte has a bit that never changes", () => ({
      dataKey: (length) => randomBytes(length).map((byte) => byte & 0x7f),
    })),
    settings: FEW,
  },
  {
    ...inParts("the nonce is the same for every data key", () => ({ nonce: () => new Uint8Array(12) })),
    settings: FEW,
  },
  {
    ...inParts("the nonce is a counter of one byte", () => {
      let count = 0;
      return { nonce: () => Uint8Array.of(...new Uint8Array(11), count++) };
    }),
    settings: FEW,
  },
  {
    ...inParts("the data key stands in its ciphertext", () => ({
      seal: (_aead, _nonce, _additionalData, plaintext) => ({ ciphertext: plaintext, tag: new Uint8Array(16) }),
      open: (_aead, { ciphertext }) => ciphertext,
    })),
    settings: FEW,
  },
  inProvider(
    "a data key's ciphertext is another data key's",
    (right) => ({
      generateDataKey: async (request, options) => {
        const { plaintext } = await right.generateDataKey(request, options);
        return { ...(await right.generateDataKey(request, options)), plaintext };
      },
    }),
    {},
    FEW,
  ),
  inProvider(
    "a data key's ciphertext opens to another key",
    (right, { keys }) => ({
      generateDataKey: async (request, options) => {
        const made = await right.generateDataKey(request, options);
        const [first] = keys.symmetric;
        const { encryptionContext: context } = request;
        const moving = {
          destinationKeyId: first,
          ...(context && { sourceEncryptionContext: context, destinationEncryptionContext: context }),
        };
        return { ...made, ciphertext: (await right.reEncrypt({ ciphertext: made.ciphertext, ...moving })).ciphertext };
      },
    }),
    {},
    FEW,
  ),
  inProvider(
    "a data key's ciphertext is not bound to the context",
    (right) => {
      const unbound = new Set<string>();
      return {
        generateDataKey: async ({ keyId, numberOfBytes }, options) => {
          const made = await right.generateDataKey({ keyId, numberOfBytes }, options);
          unbound.add(bytesToHex(made.ciphertext));
          return made;
        },
        decrypt: (request, options) => {
          const { ciphertext, keyId } = request;
          const isUnbound = ciphertext instanceof Uint8Array && unbound.has(bytesToHex(ciphertext));
          return right.decrypt(isUnbound ? { ciphertext, ...(keyId !== undefined && { keyId }) } : request, options);
        },
      };
    },
    {},
    FEW,
  ),
  inProvider(
    "a data key of an unknown key is made under another",
    (right, { keys }) => ({
      generateDataKey: async (request, options) => {
        const keyId = await right.resolveKeyId(request.keyId).catch(() => keys.symmetric[0]);
        return right.generateDataKey({ ...request, keyId }, options);
      },
    }),
    {},
    FEW,
  ),
  inProvider(
    "answers name no key",
    (right) => ({
      generateDataKey: async (request, options) => ({ ...(await right.generateDataKey(request, options)), keyId: "" }),
    }),
    {},
    FEW,
  ),
  inProvider(
    "a ciphertext is text",
    (right) => ({
      generateDataKey: async (request, options) => {
        const made = await right.generateDataKey(request, options);
        return { ...made, ciphertext: bytesToHex(made.ciphertext) as unknown as Uint8Array };
      },
    }),
    {},
    FEW,
  ),
]);
