import { execFileSync } from "node:child_process";
import * as nodeCrypto from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aesCbcImplementations, importAesCbcKey } from "../src/aes-cbc.js";
import { createNodeAesCbc } from "../src/aes-cbc-node.js";
import { createWebAesCbc } from "../src/aes-cbc-web.js";
import { bytesToHex, hexToBytes } from "../src/bytes.js";
import { runtimeReport } from "../src/report.js";
import { assertSame, codeOf, failureOf, runs } from "./wycheproof.js";

interface NistFile {
  readonly iv: string;
  readonly plaintext: string;
  readonly count: number;
  readonly tests: readonly { readonly section: string; readonly key: string; readonly ciphertext: string }[];
}

const nist = JSON.parse(
  readFileSync(new URL("../../../vectors/nist/aes-cbc.json", import.meta.url), "utf8"),
) as NistFile;
const implementations = aesCbcImplementations();
const none = new Uint8Array(0);
const zeros = new Uint8Array(16);
const raw32 = hexToBytes("5a".repeat(32));

/** node:crypto's answer, which the tests compare with. */
function native(raw: Uint8Array, iv: Uint8Array, data: Uint8Array, padding = true): Uint8Array {
  const cipher = nodeCrypto.createCipheriv(`aes-${8 * raw.length}-cbc`, raw, iv).setAutoPadding(padding);
  return Buffer.concat([cipher.update(data), cipher.final()]);
}

it("runs node, webcrypto and noble here, and prefers node", () => {
  expect(implementations.map(({ name }) => name)).toEqual(["node", "webcrypto", "noble"]);
  expect(importAesCbcKey(raw32).implementation).toBe("node");
  expect(runtimeReport().find(({ primitive }) => primitive === "AES-CBC")).toEqual({
    primitive: "AES-CBC",
    chosen: "node",
    available: ["node", "webcrypto", "noble"],
    reason: "best one that passed its known-answer test",
  });
});

describe.each(implementations)("AES-CBC by $name", (implementation) => {
  const key32 = implementation.importKey(raw32);

  it("passes appendix F.2 of SP 800-38A, and what the openssl command pads", async () => {
    const [iv, plaintext] = [hexToBytes(nist.iv), hexToBytes(nist.plaintext)];
    expect(nist.tests).toHaveLength(nist.count);
    for (const test of nist.tests) {
      const key = implementation.importKey(hexToBytes(test.key));
      const ciphertext = await key.encrypt(iv, plaintext);
      assertSame(ciphertext.subarray(0, 64), hexToBytes(test.ciphertext));
      assertSame(await key.decrypt(iv, ciphertext), plaintext);
      const name = `-aes-${4 * test.key.length}-cbc`;
      const args = ["enc", name, "-K", test.key, "-iv", nist.iv];
      assertSame(ciphertext, execFileSync("openssl", args, { input: plaintext }));
      const odd = plaintext.subarray(3, 40);
      assertSame(await key.encrypt(iv, odd), execFileSync("openssl", args, { input: odd }));
    }
    expect(nist.count).toBe(3);
  });

  it("pads every length as node:crypto does, with every key length", async () => {
    for (const keyLength of [16, 24, 32]) {
      const raw = nodeCrypto.randomBytes(keyLength);
      const key = implementation.importKey(raw);
      for (let length = 0; length <= 50; length++) {
        const [iv, plaintext] = [nodeCrypto.randomBytes(16), nodeCrypto.randomBytes(length)];
        const ciphertext = await key.encrypt(iv, plaintext);
        assertSame(ciphertext, native(raw, iv, plaintext));
        assertSame(await key.decrypt(iv, ciphertext), plaintext);
      }
    }
  });

  it("judges every last byte, and every byte of a padding", async () => {
    const decrypt = (block: Uint8Array) => key32.decrypt(zeros, native(raw32, zeros, block, false));
    for (let last = 0; last < 256; last++) {
      const block = new Uint8Array(16).fill(last);
      if (last >= 1 && last <= 16) expect(await decrypt(block)).toHaveLength(16 - last);
      else expect(await codeOf(() => decrypt(block))).toBe("ERR_CIPHERTEXT_INVALID");
    }
    for (let padding = 1; padding <= 16; padding++) {
      for (let at = 0; at < 16; at++) {
        const block = new Uint8Array(16).fill(padding);
        block[at] = padding ^ 0x80;
        if (at < 16 - padding) expect(await decrypt(block)).toHaveLength(16 - padding);
        else expect(await codeOf(() => decrypt(block))).toBe("ERR_CIPHERTEXT_INVALID");
      }
    }
  });

  it("fails alike for a wrong length, padding and key, without a cause", async () => {
    const wrong = native(raw32, zeros, new Uint8Array(32), false);
    const failures = [
      ...[0, 1, 15, 17, 33].map((length) => () => key32.decrypt(zeros, new Uint8Array(length))),
      () => key32.decrypt(zeros, wrong),
    ];
    const errors: Error[] = [];
    for (const failure of failures) errors.push((await failureOf(async () => failure())) as Error);
    expect(errors).toHaveLength(6);
    expect(new Set(errors.map(({ message }) => message)).size).toBe(1);
    for (const error of errors) {
      expect(error).toMatchObject({ code: "ERR_CIPHERTEXT_INVALID" });
      expect(error.cause).toBeUndefined();
    }
  });

  it.each([0, 15, 17, 31, 33, 64])("refuses a key of %i bytes", (length) => {
    expect(() => implementation.importKey(new Uint8Array(length))).toThrow(
      expect.objectContaining({ name: "RangeError", code: "ERR_ARGUMENT" }),
    );
  });

  it("refuses wrong arguments at once", () => {
    const wrong = "text" as unknown as Uint8Array;
    for (const call of [
      () => implementation.importKey(wrong),
      () => key32.encrypt(wrong, none),
      () => key32.encrypt(zeros, wrong),
      () => key32.decrypt(wrong, zeros),
      () => key32.decrypt(zeros, wrong),
    ]) {
      expect(call).toThrow(expect.objectContaining({ name: "TypeError", code: "ERR_ARGUMENT" }));
    }
    for (const length of [0, 12, 15, 17, 32]) {
      expect(() => key32.encrypt(new Uint8Array(length), none)).toThrow(RangeError);
      expect(() => key32.decrypt(new Uint8Array(length), zeros)).toThrow(RangeError);
    }
    expect(() => key32.encrypt(new Uint8Array(12), none)).toThrow(
      '"iv" expected Uint8Array of length 16, got length=12',
    );
  });

  it("copies the key, does not depend on its buffers after a call, and leaves them as they were", async () => {
    const raw = Uint8Array.from(raw32);
    const key = implementation.importKey(raw);
    raw.fill(0);
    const [iv, plaintext] = [Uint8Array.from(zeros), new Uint8Array(20).fill(7)];
    const encrypting = key.encrypt(iv, plaintext);
    expect([...iv, ...plaintext]).toEqual([...new Uint8Array(16), ...new Uint8Array(20).fill(7)]);
    for (const buffer of [iv, plaintext]) buffer.fill(0xff);
    const ciphertext = await encrypting;
    assertSame(ciphertext, native(raw32, zeros, new Uint8Array(20).fill(7)));
    const copy = Uint8Array.from(ciphertext);
    const decrypting = key.decrypt(zeros, copy);
    copy.fill(0);
    assertSame(await decrypting, new Uint8Array(20).fill(7));
  });

  it("gives out plain arrays in memory that nothing else uses", async () => {
    const ciphertext = await key32.encrypt(zeros, new Uint8Array(24));
    const plaintext = await key32.decrypt(zeros, ciphertext);
    for (const output of [ciphertext, plaintext]) {
      expect(output.constructor).toBe(Uint8Array);
      expect(output.buffer.byteLength).toBeLessThanOrEqual(32);
    }
  });
});

it("gives the same bytes by every implementation, and each decrypts them", async () => {
  const keys = fc.constantFrom(16, 24, 32).chain((length) => fc.uint8Array({ minLength: length, maxLength: length }));
  const ivs = fc.uint8Array({ minLength: 16, maxLength: 16 });
  await fc.assert(
    fc.asyncProperty(keys, ivs, fc.uint8Array({ maxLength: 300 }), async (raw, iv, plaintext) => {
      const expected = native(raw, iv, plaintext);
      for (const implementation of implementations) {
        const key = implementation.importKey(raw);
        assertSame(await key.encrypt(iv, plaintext), expected);
        assertSame(await key.decrypt(iv, expected), plaintext);
      }
    }),
    runs(150),
  );
});

it("wipes what node decrypted when the padding is wrong", () => {
  const outputs: Uint8Array[] = [];
  const createDecipheriv = (...args: Parameters<typeof nodeCrypto.createDecipheriv>): nodeCrypto.Decipher => {
    const decipher = nodeCrypto.createDecipheriv(...args);
    const update = decipher.update.bind(decipher) as (data: Uint8Array) => Buffer;
    decipher.update = ((data: Uint8Array) => {
      const output = update(data);
      outputs.push(output);
      return output;
    }) as typeof decipher.update;
    return decipher;
  };
  const key = createNodeAesCbc({ ...nodeCrypto, createDecipheriv } as typeof nodeCrypto).importKey(raw32);
  expect(() => key.decrypt(zeros, native(raw32, zeros, new Uint8Array(16).fill(0x61), false))).toThrow(
    "this is no ciphertext of AES-CBC",
  );
  expect(outputs).toHaveLength(1);
  expect(outputs.every((output) => output.length === 16 && output.every((byte) => byte === 0))).toBe(true);
});

describe("a WebCrypto that is not complete or not right", () => {
  const { subtle } = globalThis.crypto;

  async function worksWith(partial: Partial<SubtleCrypto>, keyLength: number): Promise<void> {
    const web = createWebAesCbc({
      importKey: subtle.importKey.bind(subtle),
      encrypt: subtle.encrypt.bind(subtle),
      decrypt: subtle.decrypt.bind(subtle),
      ...partial,
    } as SubtleCrypto);
    const raw = raw32.subarray(0, keyLength);
    const key = web.importKey(raw);
    const ciphertext = await key.encrypt(zeros, new Uint8Array(33));
    expect(bytesToHex(ciphertext)).toBe(bytesToHex(native(raw, zeros, new Uint8Array(33))));
    assertSame(await key.decrypt(zeros, ciphertext), new Uint8Array(33));
    expect(await codeOf(() => key.decrypt(zeros, native(raw, zeros, zeros, false)))).toBe("ERR_CIPHERTEXT_INVALID");
  }

  it("leaves AES-192 to noble where it is refused, as in Chromium", async () => {
    let refused = 0;
    const importKey = ((...args: Parameters<SubtleCrypto["importKey"]>) => {
      if ((args[1] as unknown as Uint8Array).length === 24) {
        refused++;
        return Promise.reject(new DOMException("192-bit AES keys are not supported", "OperationError"));
      }
      return subtle.importKey(...args);
    }) as SubtleCrypto["importKey"];
    await worksWith({ importKey }, 24);
    expect(refused).toBe(1);
    await worksWith({ importKey }, 32);
    expect(refused).toBe(1);
  });

  it("leaves every key to noble where its known-answer test fails", async () => {
    const wrong = () => Promise.resolve(new Uint8Array(48).buffer);
    await worksWith({ encrypt: wrong }, 32);
    await worksWith({ importKey: () => Promise.reject(new Error("none")) }, 16);
  });
});
