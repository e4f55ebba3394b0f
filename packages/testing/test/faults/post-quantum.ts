// Providers whose post-quantum ciphertexts can be changed, or open under other keys.
import { FengniError } from "@fengni/core";
import { bytesToHex, concatBytes } from "@fengni/crypto/bytes";
import { openUnchecked } from "./encrypt-decrypt.js";
import { caughtBy, type Fault, inParts, inProvider, unless } from "./support.js";

export const postQuantumFaults: readonly Fault[] = caughtBy("post-quantum", [
  inParts("ciphertexts can be changed at will", () => ({ open: openUnchecked })),
  inParts("the version is not looked at", ({ parse }) => ({
    parse(kind, whole) {
      const parts = parse(kind, whole);
      return { ...parts, version: 1, header: parts.header.map((byte, index) => (index < 17 ? byte : index - 17)) };
    },
  })),
  inProvider("bytes after a ciphertext are not looked at", (right) => {
    const lengths = new Map<string, number>();
    const beginning = (ciphertext: Uint8Array): string => bytesToHex(ciphertext.subarray(0, 200));
    return {
      postQuantumEncrypt: async (request, options) => {
        const sealed = await right.postQuantumEncrypt(request, options);
        lengths.set(beginning(sealed.ciphertext), sealed.ciphertext.length);
        return sealed;
      },
      postQuantumDecrypt: (request, options) => {
        const { ciphertext } = request;
        return right.postQuantumDecrypt(
          { ...request, ciphertext: ciphertext.slice(0, lengths.get(beginning(ciphertext)) ?? 9999) },
          options,
        );
      },
    };
  }),
  inProvider("what does not open gives random bytes, as its encapsulation does", (right) => ({
    postQuantumDecrypt: (request, options) =>
      unless(right.postQuantumDecrypt(request, options), "ERR_AUTHENTICATION", async () => ({
        keyId: request.keyId ?? "",
        plaintext: new Uint8Array(32).fill(7),
      })),
  })),
  inParts("any key opens, whichever is named", () => ({ checkMatch: () => {} })),
  inProvider("a key that is named is not looked at", (right) => ({
    postQuantumDecrypt: ({ keyId: _keyId, ...request }, options) => right.postQuantumDecrypt(request, options),
  })),
  inProvider("encryption is deterministic", (right) => {
    const made = new Map<string, Awaited<ReturnType<typeof right.postQuantumEncrypt>>>();
    return {
      postQuantumEncrypt: async (request, options) => {
        const name = `${request.keyId} ${bytesToHex(request.plaintext)}`;
        const answer = made.get(name) ?? (await right.postQuantumEncrypt(request, options));
        made.set(name, answer);
        return answer;
      },
    };
  }),
  inProvider("one secret serves for all", (right) => {
    let pad: Promise<Uint8Array> | undefined;
    const plaintexts = new Map<string, Uint8Array>();
    return {
      // A mask that was made once hides every plaintext.
      postQuantumEncrypt: async (request, options) => {
        const sealed = await right.postQuantumEncrypt(request, options);
        pad ??= Promise.resolve(crypto.getRandomValues(new Uint8Array(8192)));
        const mask = await pad;
        const ciphertext = concatBytes(
          sealed.ciphertext,
          request.plaintext.map((byte, index) => byte ^ (mask[index] ?? 0)),
        );
        plaintexts.set(bytesToHex(ciphertext), sealed.ciphertext);
        return { ...sealed, ciphertext };
      },
      postQuantumDecrypt: async (request, options) => {
        const inner = plaintexts.get(bytesToHex(request.ciphertext));
        if (inner === undefined) throw new FengniError("ERR_CIPHERTEXT_INVALID", "no such ciphertext");
        return right.postQuantumDecrypt({ ...request, ciphertext: inner }, options);
      },
    };
  }),
  inParts("an empty plaintext is accepted", ({ checkPlaintext }) => ({
    checkPlaintext: (plaintext) => (plaintext.length === 0 ? undefined : checkPlaintext(plaintext)),
  })),
  inParts("one more byte than the limit is accepted", ({ checkPlaintext }) => ({
    checkPlaintext: (plaintext) => (plaintext.length === 4097 ? undefined : checkPlaintext(plaintext)),
  })),
  inProvider("symmetric ciphertexts are opened too", (right) => ({
    postQuantumDecrypt: (request, options) =>
      right.postQuantumDecrypt(request, options).catch((error: unknown) =>
        right.decrypt(request, options).catch(() => {
          throw error;
        }),
      ),
  })),
  inProvider("the operation for symmetric ciphertexts opens them too", (right) => ({
    decrypt: (request, options) =>
      right.decrypt(request, options).catch((error: unknown) =>
        right.postQuantumDecrypt(request, options).catch(() => {
          throw error;
        }),
      ),
  })),
  inProvider("the public key is bare", (right) => ({
    getPublicKey: async (request, options) => {
      const answer = await right.getPublicKey(request, options);
      return { ...answer, publicKey: answer.publicKey.slice(-1184) };
    },
  })),
  inProvider("answers always name the first key", (right, { keys }) => ({
    postQuantumDecrypt: async (request, options) => ({
      ...(await right.postQuantumDecrypt(request, options)),
      keyId: keys.postQuantumEncryption[0],
    }),
  })),
  inProvider("the plaintext follows the ciphertext", (right) => ({
    postQuantumEncrypt: async (request, options) => {
      const sealed = await right.postQuantumEncrypt(request, options);
      return { ...sealed, ciphertext: concatBytes(sealed.ciphertext, request.plaintext) };
    },
    postQuantumDecrypt: async (request, options) => {
      for (let end = request.ciphertext.length - 1; end > 1135; end -= 1) {
        const ciphertext = request.ciphertext.slice(0, end);
        const opened = await right.postQuantumDecrypt({ ...request, ciphertext }, options).catch(() => undefined);
        if (opened !== undefined) return opened;
      }
      return right.postQuantumDecrypt(request, options);
    },
  })),
]);
