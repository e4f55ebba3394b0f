// Providers that re-encrypt to the wrong place, from too much, or with too much in the answer.
import type { EncryptionContext, KeyProvider, ReEncryptRequest, ReEncryptResult } from "@fengni/core";
import { FengniError } from "@fengni/core";
import { bytesToHex } from "@fengni/crypto/bytes";
import { randomBytes } from "@fengni/crypto/random";
import { caughtBy, type Fault, inProvider, type Mistake, unless } from "./support.js";

function moves(
  name: string,
  reEncrypt: (request: ReEncryptRequest, right: KeyProvider) => Promise<ReEncryptResult>,
): Mistake {
  return inProvider(name, (right) => ({ reEncrypt: (request) => reEncrypt(request, right) }));
}

export const reEncryptFaults: readonly Fault[] = caughtBy("re-encrypt", [
  moves("it is claimed, but not supported", async () => {
    throw new FengniError("ERR_NOT_SUPPORTED", "not yet");
  }),
  inProvider("the source context is the one that was remembered", (right) => {
    const contexts = new Map<string, EncryptionContext>();
    return {
      encrypt: async (request, options) => {
        const sealed = await right.encrypt(request, options);
        contexts.set(bytesToHex(sealed.ciphertext), request.encryptionContext ?? {});
        return sealed;
      },
      reEncrypt: (request, options) => {
        const known = contexts.get(bytesToHex(request.ciphertext));
        return right.reEncrypt({ ...request, ...(known && { sourceEncryptionContext: known }) }, options);
      },
    };
  }),
  moves("the source context stays, where there is no other", ({ destinationEncryptionContext, ...request }, right) => {
    const context = destinationEncryptionContext ?? request.sourceEncryptionContext;
    return right.reEncrypt({ ...request, ...(context && { destinationEncryptionContext: context }) });
  }),
  moves("the source context always stays", (request, right) => {
    const { sourceEncryptionContext: context } = request;
    return right.reEncrypt({ ...request, destinationEncryptionContext: context ?? {} });
  }),
  moves("the destination context is lost", ({ destinationEncryptionContext: _lost, ...request }, right) =>
    right.reEncrypt(request),
  ),
  moves("the contexts are exchanged", ({ sourceEncryptionContext, destinationEncryptionContext, ...request }, right) =>
    right.reEncrypt({
      ...request,
      ...(destinationEncryptionContext && { sourceEncryptionContext: destinationEncryptionContext }),
      ...(sourceEncryptionContext && { destinationEncryptionContext: sourceEncryptionContext }),
    }),
  ),
  moves("the destination key is not looked at", ({ destinationKeyId: _key, ...request }, right) =>
    right.reEncrypt(request),
  ),
  moves("an unknown destination is the source", ({ destinationKeyId: key, ...request }, right) =>
    unless(
      right.reEncrypt({ ...request, ...(key !== undefined && { destinationKeyId: key }) }),
      "ERR_KEY_NOT_FOUND",
      () => right.reEncrypt(request),
    ),
  ),
  moves("the answer exchanges the keys", async (request, right) => {
    const moved = await right.reEncrypt(request);
    return { ...moved, keyId: moved.sourceKeyId, sourceKeyId: moved.keyId };
  }),
  moves("the answer has the plaintext in it", async (request, right) => {
    const moved = await right.reEncrypt(request);
    return { ...moved, plaintext: randomBytes(32) };
  }),
  moves("a ciphertext of the destination's is given back as it is", async (request, right) => {
    const moved = await right.reEncrypt(request);
    return moved.keyId === moved.sourceKeyId ? { ...moved, ciphertext: Uint8Array.from(request.ciphertext) } : moved;
  }),
  inProvider("the same source always gives the same", (right) => {
    const made = new Map<string, ReEncryptResult>();
    return {
      reEncrypt: async (request, options) => {
        const name = `${bytesToHex(request.ciphertext)} ${JSON.stringify({ ...request, ciphertext: "" })}`;
        const moved = made.get(name) ?? (await right.reEncrypt(request, options));
        made.set(name, moved);
        return moved;
      },
    };
  }),
  moves("what does not open is sealed as it is", (request, right) =>
    unless(right.reEncrypt(request), "ERR_AUTHENTICATION", async () => {
      const keyId = request.destinationKeyId ?? "";
      const { ciphertext } = await right.encrypt({ keyId, plaintext: request.ciphertext });
      return { keyId, sourceKeyId: keyId, ciphertext };
    }),
  ),
]);
