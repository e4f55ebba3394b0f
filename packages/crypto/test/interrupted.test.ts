// Calls that are cut short by a caught stack overflow leave state behind in what calls share: the next call must not see it.
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { digest, hmac } from "../src/hash.js";
import { generateSm2Key, importSm2PublicKey, sm2Implementations } from "../src/sm2.js";
import { sm4GcmImplementations } from "../src/sm4-gcm.js";

const message = new TextEncoder().encode("abc");

/** Runs `work` until a time-out ends it, somewhere in the middle. */
function interrupt(work: () => void): void {
  try {
    runInNewContext("for (;;) work()", { work }, { timeout: 5 });
  } catch {
    // That is what it is for.
  }
}

test("SM3 and HMAC-SM3 after calls that were cut short", () => {
  const expected = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0";
  const mac = Buffer.from(hmac("sm3", message, message)).toString("hex");
  const long = new Uint8Array(900).fill(7);
  for (let i = 0; i < 40; i++) {
    interrupt(() => void digest("sm3", long));
    expect(Buffer.from(digest("sm3", message)).toString("hex")).toBe(expected);
    interrupt(() => void hmac("sm3", long, long));
    expect(Buffer.from(hmac("sm3", message, message)).toString("hex")).toBe(mac);
  }
});

test("SM4-GCM after calls that were cut short, on every implementation", async () => {
  const [key, nonce, data] = [new Uint8Array(16).fill(1), new Uint8Array(12), new Uint8Array(60_000).fill(7)];
  for (const implementation of sm4GcmImplementations()) {
    const cipher = implementation.importKey(key);
    const expected = await cipher.seal(nonce, message, message);
    for (let i = 0; i < 20; i++) {
      interrupt(() => void cipher.seal(nonce, data, data));
      const sealed = await cipher.seal(nonce, message, message);
      expect(Buffer.from(sealed.tag).toString("hex"), implementation.name).toBe(
        Buffer.from(expected.tag).toString("hex"),
      );
      expect(await cipher.open(nonce, message, sealed.ciphertext, sealed.tag)).toEqual(message);
    }
  }
});

test("an SM2 public key does not follow the buffer that it was read from", () => {
  const [mine, other] = [generateSm2Key(), generateSm2Key()];
  for (const implementation of sm2Implementations()) {
    for (const encode of [
      (key: typeof mine) => key.publicKey.exportSpki(),
      (key: typeof mine) => key.publicKey.point,
    ]) {
      const buffer = Buffer.from(encode(mine));
      const read = implementation.importPublicKey(buffer);
      buffer.set(encode(other));
      expect(mine.decrypt(read.encrypt(message)), implementation.name).toEqual(message);
      buffer.fill(7);
      expect(mine.decrypt(read.encrypt(message)), implementation.name).toEqual(message);
    }
  }
  expect(importSm2PublicKey(mine.publicKey.exportSpki()).exportSpki()).toEqual(mine.publicKey.exportSpki());
});
