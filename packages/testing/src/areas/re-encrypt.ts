// Area: re-encryption moves a ciphertext to another key or context, demands what decryption demands, and loses nothing.
import { sealUnder } from "../calls.js";
import type { Area, Kit } from "../kit.js";
import { CHANGED_CODES, extensions, flips, truncations } from "../mutations.js";

const SOURCE = { tenant: "7" };
const DESTINATION = { tenant: "8", table: "users" };

async function moves(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  const ids = await Promise.all(kit.symmetric.map((keyId) => provider.resolveKeyId(keyId)));
  for (const which of [0, 1] as const) {
    const { ciphertext, plaintext } = await sealUnder(kit, kit.symmetric[which], SOURCE);
    for (const target of [0, 1, undefined] as const) {
      const destinationKeyId = target === undefined ? undefined : kit.symmetric[target];
      const request = {
        ciphertext,
        sourceEncryptionContext: SOURCE,
        destinationEncryptionContext: DESTINATION,
        ...(destinationKeyId !== undefined && { destinationKeyId }),
      };
      const moved = await check.resolves(provider.reEncrypt(request), "reEncrypt");
      check.equal(moved.keyId, ids[target ?? which], "reEncrypt: its keyId");
      check.equal(moved.sourceKeyId, ids[which], "reEncrypt: its sourceKeyId");
      check.otherBytes(moved.ciphertext, ciphertext, "reEncrypt to another context");
      const opened = await check.resolves(
        provider.decrypt({ ciphertext: moved.ciphertext, encryptionContext: DESTINATION, keyId: moved.keyId }),
        "decrypt of what was re-encrypted",
      );
      check.sameBytes(opened.plaintext, plaintext, "what was re-encrypted, decrypted");
      const old = provider.decrypt({ ciphertext: moved.ciphertext, encryptionContext: SOURCE });
      await check.rejects(old, ["ERR_AUTHENTICATION"], "decrypt of what was re-encrypted under its old context");
    }
    const still = await check.resolves(
      provider.decrypt({ ciphertext, encryptionContext: SOURCE }),
      "decrypt of the source",
    );
    check.sameBytes(still.plaintext, plaintext, "the source of a re-encryption, decrypted");
  }
}

async function absentContexts(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  const [keyId, destinationKeyId] = kit.symmetric;
  const { ciphertext, plaintext } = await sealUnder(kit, keyId, SOURCE);
  const request = { ciphertext, sourceEncryptionContext: SOURCE, destinationKeyId };
  const moved = await check.resolves(provider.reEncrypt(request), "reEncrypt without a destination context");
  const opened = await check.resolves(provider.decrypt({ ciphertext: moved.ciphertext }), "decrypt without a context");
  check.sameBytes(opened.plaintext, plaintext, "what was re-encrypted to no context");
  const kept = provider.decrypt({ ciphertext: moved.ciphertext, encryptionContext: SOURCE });
  await check.rejects(kept, ["ERR_AUTHENTICATION"], "decrypt under the source context of what was moved to none");
}

async function refusals(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  const [keyId, destinationKeyId] = kit.symmetric;
  const { ciphertext } = await sealUnder(kit, keyId, SOURCE);
  for (const wrong of [undefined, {}, { tenant: "8" }, { ...SOURCE, more: "1" }]) {
    const request = { ciphertext, destinationKeyId, ...(wrong && { sourceEncryptionContext: wrong }) };
    await check.rejects(provider.reEncrypt(request), ["ERR_AUTHENTICATION"], "reEncrypt from another context");
  }
  const unknown = { ciphertext, sourceEncryptionContext: SOURCE, destinationKeyId: "no-such-key-of-the-kit" };
  await check.rejects(provider.reEncrypt(unknown), ["ERR_KEY_NOT_FOUND"], "reEncrypt to an unknown key");
  for (const { name, bytes } of [...flips(ciphertext), ...truncations(ciphertext), ...extensions(ciphertext)]) {
    const request = { ciphertext: bytes, sourceEncryptionContext: SOURCE, destinationKeyId };
    await check.rejects(provider.reEncrypt(request), CHANGED_CODES, `reEncrypt of ${name}`);
  }
}

async function hidesPlaintext(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  const [keyId, destinationKeyId] = kit.symmetric;
  const { ciphertext } = await sealUnder(kit, keyId);
  const seen = new Set<string>();
  for (let i = 0; i < 50; i++) {
    const moved = await check.resolves(provider.reEncrypt({ ciphertext, destinationKeyId }), "reEncrypt");
    check.isTrue(!("plaintext" in moved), "reEncrypt: expected no plaintext in the answer");
    seen.add(moved.ciphertext.join());
  }
  check.equal(seen.size, 50, "reEncrypt to another key: different ciphertexts of one source");
}

const needs = { operations: ["reEncrypt", "decrypt"] } as const;

/** Re-encryption. */
export const reEncrypt: Area = {
  name: "re-encrypt",
  checks: [
    { name: "a ciphertext moves to another key and context", needs, run: moves },
    { name: "an absent destination context is an empty one", needs, run: absentContexts },
    { name: "what does not decrypt does not move", needs, run: refusals },
    { name: "the plaintext does not come out, and no ciphertext comes twice", needs, run: hidesPlaintext },
  ],
};
