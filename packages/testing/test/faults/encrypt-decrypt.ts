// Providers whose encryption is not authenticated in full, repeats itself, or opens with what it must not.
import { authenticationError, FengniError } from "@fengni/core";
import type { AeadKey } from "@fengni/crypto/aes-gcm";
import { bytesToHex, concatBytes, equalBytes, utf8ToBytes } from "@fengni/crypto/bytes";
import { digest } from "@fengni/crypto/hash";
import type { CiphertextParts, InMemoryParts } from "../../src/in-memory-parts.js";
import { caughtBy, type Fault, inParts, inProvider, recoded, textOf, unless } from "./support.js";

/** GCM without its tag: counter mode is its own inverse. */
export async function openUnchecked(
  aead: AeadKey,
  { nonce, ciphertext }: CiphertextParts,
  additionalData: Uint8Array,
): Promise<Uint8Array> {
  return (await aead.seal(nonce, additionalData, ciphertext)).ciphertext;
}

/** Opens if the tag, or what there is of it, fits the beginning of the right one. */
async function openPrefix(aead: AeadKey, parts: CiphertextParts, additionalData: Uint8Array): Promise<Uint8Array> {
  const plaintext = await openUnchecked(aead, parts, additionalData);
  const { tag } = await aead.seal(parts.nonce, additionalData, plaintext);
  if (parts.tag.length >= 4 && equalBytes(tag.subarray(0, parts.tag.length), parts.tag)) return plaintext;
  throw authenticationError();
}

/** Ciphertexts that say how long they are, so that the tag may be shorter, or something may follow. */
function lengthPrefixed(right: InMemoryParts, tagOf: (rest: Uint8Array) => Uint8Array): Partial<InMemoryParts> {
  return {
    async seal(aead, nonce, additionalData, plaintext) {
      const sealed = await aead.seal(nonce, additionalData, plaintext);
      const length = Uint8Array.of(plaintext.length >> 8, plaintext.length & 255);
      return { ciphertext: concatBytes(length, sealed.ciphertext), tag: sealed.tag };
    },
    parse(kind, whole) {
      const padded = whole instanceof Uint8Array ? concatBytes(whole, new Uint8Array(16)) : whole;
      const parts = right.parse(kind, padded);
      // Without the bytes added here, beyond the two of the length: the ciphertext, and the tag or what there is of it.
      const body = parts.ciphertext.subarray(2);
      const length = ((parts.ciphertext[0] as number) << 8) | (parts.ciphertext[1] as number);
      if (length < 1 || length > body.length) throw new FengniError("ERR_CIPHERTEXT_INVALID", "a wrong length");
      return { ...parts, ciphertext: body.subarray(0, length), tag: tagOf(body.subarray(length)) };
    },
    open: openPrefix,
  };
}

export const encryptionFaults: readonly Fault[] = caughtBy("encrypt-decrypt", [
  inParts("a truncated tag is accepted", (right) => lengthPrefixed(right, (rest) => rest)),
  inParts("trailing bytes are accepted", (right) =>
    lengthPrefixed(right, (rest) => concatBytes(rest, new Uint8Array(16)).subarray(0, 16)),
  ),
  inParts("the tag is not checked", () => ({ open: openUnchecked })),
  inParts("only the first 12 bytes of the tag are checked", () => ({
    open: (aead, parts, additionalData) =>
      openPrefix(aead, { ...parts, tag: parts.tag.subarray(0, 12) }, additionalData),
  })),
  inParts("the first byte of a ciphertext is not looked at", ({ parse }) => ({
    parse: (kind, whole) =>
      parse(
        kind,
        whole instanceof Uint8Array && whole.length > 1 ? whole.map((byte, index) => (index === 0 ? 1 : byte)) : whole,
      ),
  })),
  inParts("the version of a ciphertext is not looked at", ({ parse }) => ({
    parse(kind, whole) {
      const parts = parse(kind, whole);
      const header = parts.header.map((byte, index) => (index < 17 ? byte : index - 17));
      return { ...parts, version: 1, header };
    },
  })),
  inParts("the nonce is not looked at beyond its first 8 bytes", ({ nonce, parse }) => ({
    nonce: (key) => nonce(key).map((byte, index) => (index < 8 ? byte : 0)),
    parse(kind, whole) {
      const parts = parse(kind, whole);
      return { ...parts, nonce: parts.nonce.map((byte, index) => (index < 8 ? byte : 0)) };
    },
  })),
  inParts("what does not open is answered as it is", ({ open }) => ({
    open: async (aead, parts, additionalData) => {
      try {
        return await open(aead, parts, additionalData);
      } catch {
        return parts.ciphertext;
      }
    },
  })),
  inProvider("what does not open gives no bytes", (right) => ({
    decrypt: (request, options) =>
      unless(right.decrypt(request, options), "ERR_AUTHENTICATION", async () => ({
        keyId: "",
        plaintext: new Uint8Array(0),
      })),
  })),
  inProvider("what does not open gives an error of another kind", (right) => ({
    decrypt: (request, options) =>
      recoded(right.decrypt(request, options), "ERR_AUTHENTICATION", () => new Error("unable to authenticate data")),
  })),
  inParts("the nonce is the same for every call", () => ({ nonce: () => new Uint8Array(12) })),
  inParts("the nonce is a hash of the key's name", () => ({
    nonce: ({ keyId }) => digest("sha256", utf8ToBytes(keyId)).slice(0, 12),
  })),
  inParts("the nonce counts from 1 again after 128 calls", () => {
    let count = 0;
    return { nonce: () => Uint8Array.of(...new Uint8Array(11), count++ % 128) };
  }),
  inProvider("encryption is deterministic", (right) => {
    const made = new Map<string, Awaited<ReturnType<typeof right.encrypt>>>();
    return {
      encrypt: async (request, options) => {
        if (!(request.plaintext instanceof Uint8Array)) return right.encrypt(request, options);
        const name = `${request.keyId} ${textOf(request.encryptionContext)} ${bytesToHex(request.plaintext)}`;
        const answer = made.get(name) ?? (await right.encrypt(request, options));
        made.set(name, answer);
        return { ...answer, ciphertext: Uint8Array.from(answer.ciphertext) };
      },
    };
  }),
  inParts("a plaintext is not encrypted, only authenticated", () => ({
    seal: async (aead, nonce, additionalData, plaintext) => {
      const { tag } = await aead.seal(nonce, concatBytes(additionalData, plaintext), new Uint8Array(0));
      return { ciphertext: plaintext, tag };
    },
    open: async (aead, { nonce, ciphertext, tag }, additionalData) => {
      await aead.open(nonce, concatBytes(additionalData, ciphertext), new Uint8Array(0), tag);
      return ciphertext;
    },
  })),
  inParts("it claims longer plaintexts than it takes", () => ({}), { maxPlaintextBytes: 6144 }),
  inParts("it takes longer plaintexts than it claims", () => ({}), { maxPlaintextBytes: 2048 }),
  inParts("an empty plaintext is accepted", ({ checkPlaintext }) => ({
    checkPlaintext: (plaintext) => (plaintext.length === 0 ? undefined : checkPlaintext(plaintext)),
  })),
  inParts("one more byte than the limit is accepted", ({ checkPlaintext }) => ({
    checkPlaintext: (plaintext) => (plaintext.length === 4097 ? undefined : checkPlaintext(plaintext)),
  })),
  inParts("the longest plaintext is refused", ({ checkPlaintext }) => ({
    checkPlaintext: (plaintext) =>
      checkPlaintext(plaintext.length === 4096 ? concatBytes(plaintext, plaintext) : plaintext),
  })),
  inProvider("a plaintext beyond the limit is cut", (right) => ({
    encrypt: (request, options) => right.encrypt({ ...request, plaintext: request.plaintext.slice(0, 4096) }, options),
  })),
  inProvider(
    "it hangs one byte beyond the limit",
    (right) => ({
      encrypt: (request, options) =>
        request.plaintext.length > 4096 ? new Promise(() => {}) : right.encrypt(request, options),
    }),
    {},
    { callTimeoutMs: 200 },
  ),
  inProvider("zero bytes at the end of a plaintext are lost", (right) => ({
    decrypt: async (request, options) => {
      const answer = await right.decrypt(request, options);
      const end = answer.plaintext.findLastIndex((byte) => byte !== 0) + 1;
      return { ...answer, plaintext: answer.plaintext.slice(0, end) };
    },
  })),
  inProvider("a plaintext is taken for text", (right) => ({
    decrypt: async (request, options) => {
      const answer = await right.decrypt(request, options);
      return { ...answer, plaintext: utf8ToBytes(new TextDecoder().decode(answer.plaintext)) };
    },
  })),
  inProvider("a plaintext comes as text", (right) => ({
    decrypt: async (request, options) => {
      const answer = await right.decrypt(request, options);
      return { ...answer, plaintext: bytesToHex(answer.plaintext) as unknown as Uint8Array };
    },
  })),
  inProvider("answers name the key of the request, or none", (right) => ({
    decrypt: async (request, options) => ({ ...(await right.decrypt(request, options)), keyId: request.keyId ?? "" }),
  })),
  inProvider("answers of encrypt always name the first key", (right, { keys }) => ({
    encrypt: async (request, options) => ({ ...(await right.encrypt(request, options)), keyId: keys.symmetric[0] }),
  })),
  inProvider("everything is sealed under the first key", (right, { keys }) => ({
    encrypt: (request, options) => right.encrypt({ ...request, keyId: keys.symmetric[0] }, options),
  })),
  inParts("any key opens, whichever is named", () => ({ checkMatch: () => {} })),
  inProvider("a key that is named is not looked at", (right) => ({
    decrypt: ({ keyId: _keyId, ...request }, options) => right.decrypt(request, options),
  })),
  inProvider("a named key that there is not is not missed", (right) => ({
    decrypt: async (request, options) => {
      const { keyId, ...rest } = request;
      const isThere =
        keyId !== undefined &&
        (await right.resolveKeyId(keyId).then(
          () => true,
          () => false,
        ));
      return right.decrypt(isThere ? request : rest, options);
    },
  })),
  inProvider("another key than the one named is no match of authentication", (right) => ({
    decrypt: (request, options) => recoded(right.decrypt(request, options), "ERR_NO_MATCHING_KEY", authenticationError),
  })),
  inProvider("an unknown key is a usage error", (right) => ({
    encrypt: (request, options) =>
      recoded(
        right.encrypt(request, options),
        "ERR_KEY_NOT_FOUND",
        () => new FengniError("ERR_KEY_USAGE", "no such key"),
      ),
  })),
]);
