import * as nodeCrypto from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AeadKey, aesGcmImplementations, importAesGcmKey } from "../src/aes-gcm.js";
import { createNodeAesGcm } from "../src/aes-gcm-node.js";
import { createWebAesGcm } from "../src/aes-gcm-web.js";
import { concatBytes, hexToBytes } from "../src/bytes.js";
import { isFengniError } from "../src/errors.js";
import {
  assertSame,
  codeOf,
  failureOf,
  readWycheproof,
  runCases,
  runs,
  type WycheproofCase,
  type WycheproofGroup,
} from "./wycheproof.js";

interface GcmCase extends WycheproofCase {
  readonly key: string;
  readonly iv: string;
  readonly aad: string;
  readonly msg: string;
  readonly ct: string;
  readonly tag: string;
}

interface GcmGroup extends WycheproofGroup<GcmCase> {
  readonly ivSize: number;
}

const none = new Uint8Array(0);
const implementations = aesGcmImplementations();

it("runs node, webcrypto and noble here, and prefers node", () => {
  expect(implementations.map(({ name }) => name)).toEqual(["node", "webcrypto", "noble"]);
  expect(importAesGcmKey(new Uint8Array(32)).implementation).toBe("node");
});

/** Opens through the incremental opener, the ciphertext cut into parts of a length; the parts are overwritten after use. */
async function openInParts(
  key: AeadKey,
  nonce: Uint8Array,
  aad: Uint8Array,
  ciphertext: Uint8Array,
  tag: Uint8Array,
  partLength: number,
): Promise<Uint8Array> {
  const opener = key.openIncremental(nonce, aad, ciphertext.length);
  for (let offset = 0; offset < ciphertext.length; offset += partLength) {
    const part = Uint8Array.from(ciphertext.subarray(offset, offset + partLength));
    opener.update(part);
    part.fill(0xee);
  }
  return concatBytes(...(await opener.final(tag)));
}

describe.each(implementations)("AES-GCM by $name", (implementation) => {
  const key32 = implementation.importKey(hexToBytes("5a".repeat(32)));
  const nonce = hexToBytes("000102030405060708090a0b");

  it("passes aes_gcm_test.json; nonces of other lengths than 12 bytes are refused as a wrong argument", async () => {
    const file = readWycheproof<GcmCase, GcmGroup>("aes_gcm_test.json", 316);
    const counts = await runCases<GcmCase, GcmGroup>(file, async (test, group) => {
      const key = implementation.importKey(hexToBytes(test.key));
      const [iv, aad, plaintext] = [hexToBytes(test.iv), hexToBytes(test.aad), hexToBytes(test.msg)];
      const [ciphertext, tag] = [hexToBytes(test.ct), hexToBytes(test.tag)];
      if (group.ivSize !== 96) {
        for (const call of [
          () => key.seal(iv, aad, plaintext),
          () => key.open(iv, aad, ciphertext, tag),
          () => key.openIncremental(iv, aad, ciphertext.length),
        ]) {
          expect(call).toThrow(RangeError);
          expect(await codeOf(call)).toBe("ERR_ARGUMENT");
        }
        return "nonce refused";
      }
      if (test.result === "invalid") {
        expect(await codeOf(() => key.open(iv, aad, ciphertext, tag))).toBe("ERR_AUTHENTICATION");
        expect(await codeOf(() => openInParts(key, iv, aad, ciphertext, tag, 7))).toBe("ERR_AUTHENTICATION");
        return "rejected";
      }
      const sealed = await key.seal(iv, aad, plaintext);
      assertSame(sealed.ciphertext, ciphertext);
      assertSame(sealed.tag, tag);
      assertSame(await key.open(iv, aad, ciphertext, tag), plaintext);
      for (const partLength of [1, 7, 16, 1000]) {
        assertSame(await openInParts(key, iv, aad, ciphertext, tag, partLength), plaintext);
      }
      return "accepted";
    });
    expect(counts).toEqual({ accepted: 116, rejected: 81, "nonce refused": 119 });
  });

  it("rejects a message with any one bit flipped, and releases nothing", async () => {
    const aad = hexToBytes("a0a1a2a3a4");
    const { ciphertext, tag } = await key32.seal(nonce, aad, new TextEncoder().encode("twenty bytes of text"));
    const parts = [nonce, aad, ciphertext, tag];
    let flips = 0;
    for (const [index, part] of parts.entries()) {
      for (let bit = 0; bit < 8 * part.length; bit++) {
        const changed = parts.map((bytes) => Uint8Array.from(bytes)) as [
          Uint8Array,
          Uint8Array,
          Uint8Array,
          Uint8Array,
        ];
        (changed[index] as Uint8Array)[bit >> 3] = (part[bit >> 3] as number) ^ (1 << (bit & 7));
        expect(await codeOf(() => key32.open(...changed))).toBe("ERR_AUTHENTICATION");
        expect(await codeOf(() => openInParts(key32, ...changed, 6))).toBe("ERR_AUTHENTICATION");
        flips++;
      }
    }
    expect(flips).toBe(8 * (12 + 5 + 20 + 16));
    assertSame(await key32.open(nonce, aad, ciphertext, tag), new TextEncoder().encode("twenty bytes of text"));
  });

  it("rejects a shortened, a lengthened and another key's message", async () => {
    const { ciphertext, tag } = await key32.seal(nonce, none, new Uint8Array(40));
    for (let length = 0; length < ciphertext.length; length++) {
      expect(await codeOf(() => key32.open(nonce, none, ciphertext.subarray(0, length), tag))).toBe(
        "ERR_AUTHENTICATION",
      );
    }
    expect(await codeOf(() => key32.open(nonce, none, concatBytes(ciphertext, none, Uint8Array.of(0)), tag))).toBe(
      "ERR_AUTHENTICATION",
    );
    const other = implementation.importKey(new Uint8Array(32));
    expect(isFengniError(await failureOf(() => other.open(nonce, none, ciphertext, tag)), "ERR_AUTHENTICATION")).toBe(
      true,
    );
  });

  it("gives the same failure for every cause, without a cause of its own", async () => {
    const { ciphertext, tag } = await key32.seal(nonce, none, new Uint8Array(4));
    const errors = [
      await failureOf(() => key32.open(nonce, Uint8Array.of(1), ciphertext, tag)),
      await failureOf(() => key32.open(nonce, none, ciphertext, new Uint8Array(16))),
    ] as Error[];
    expect(new Set(errors.map(({ message }) => message)).size).toBe(1);
    for (const error of errors) expect(error.cause).toBeUndefined();
  });

  it.each([0, 15, 17, 31, 33, 64])("refuses a key of %i bytes", (length) => {
    expect(() => implementation.importKey(new Uint8Array(length))).toThrow(
      expect.objectContaining({ name: "RangeError", code: "ERR_ARGUMENT" }),
    );
  });

  it("refuses wrong arguments at once", async () => {
    const wrong = "text" as unknown as Uint8Array;
    for (const call of [
      () => implementation.importKey(wrong),
      () => key32.seal(wrong, none, none),
      () => key32.seal(nonce, wrong, none),
      () => key32.seal(nonce, none, wrong),
      () => key32.open(nonce, none, none, wrong),
    ]) {
      expect(call).toThrow(expect.objectContaining({ name: "TypeError", code: "ERR_ARGUMENT" }));
    }
    for (const length of [0, 4, 12, 15, 17, 32]) {
      expect(() => key32.open(nonce, none, none, new Uint8Array(length))).toThrow(RangeError);
      expect(() => key32.openIncremental(nonce, none, 0).final(new Uint8Array(length))).toThrow(RangeError);
    }
    for (const length of [-1, 0.5, Number.NaN, 2 ** 36]) {
      expect(() => key32.openIncremental(nonce, none, length)).toThrow(RangeError);
    }
    expect(() => key32.seal(new Uint8Array(16), none, none)).toThrow(
      '"nonce" expected Uint8Array of length 12, got length=16',
    );
  });

  it("copies the key and does not depend on its buffers after a call", async () => {
    const raw = hexToBytes("5a".repeat(32));
    const key = implementation.importKey(raw);
    raw.fill(0);
    const [plaintext, aad, iv] = [hexToBytes("00112233"), hexToBytes("4455"), Uint8Array.from(nonce)];
    const pending = key.seal(iv, aad, plaintext);
    for (const buffer of [plaintext, aad, iv]) buffer.fill(0xff);
    const sealed = await pending;
    const expected = await key32.seal(nonce, hexToBytes("4455"), hexToBytes("00112233"));
    assertSame(sealed.ciphertext, expected.ciphertext);
    assertSame(sealed.tag, expected.tag);
  });

  it("gives out plaintext in memory that nothing else uses", async () => {
    const { ciphertext, tag } = await key32.seal(nonce, none, new Uint8Array(24));
    const plaintext = await key32.open(nonce, none, ciphertext, tag);
    expect(plaintext.buffer.byteLength).toBeLessThanOrEqual(24 + 16);
  });

  it("holds an opener to its declared length and to one use", async () => {
    const { ciphertext, tag } = await key32.seal(nonce, none, new Uint8Array(10));
    const long = key32.openIncremental(nonce, none, 9);
    expect(() => long.update(ciphertext)).toThrow(RangeError);
    const done = key32.openIncremental(nonce, none, 10);
    done.update(ciphertext);
    expect(concatBytes(...(await done.final(tag)))).toHaveLength(10);
    const aborted = key32.openIncremental(nonce, none, 10);
    aborted.update(ciphertext);
    aborted.abort();
    aborted.abort();
    for (const opener of [done, aborted]) {
      expect(await codeOf(() => opener.update(ciphertext))).toBe("ERR_CLOSED");
      expect(await codeOf(() => opener.final(tag))).toBe("ERR_CLOSED");
    }
    // Fewer bytes than declared are for the tag to judge.
    const short = key32.openIncremental(nonce, none, 1000);
    short.update(ciphertext);
    expect(concatBytes(...(await short.final(tag)))).toHaveLength(10);
  });
});

const bytes = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength });
const keys = fc.constantFrom(16, 24, 32).chain((length) => fc.uint8Array({ minLength: length, maxLength: length }));
const nonces = fc.uint8Array({ minLength: 12, maxLength: 12 });

it("seals the same bytes by every implementation, and each opens them whole and in parts", async () => {
  await fc.assert(
    fc.asyncProperty(
      keys,
      nonces,
      bytes(40),
      bytes(300),
      fc.integer({ min: 1, max: 64 }),
      async (raw, nonce, aad, text, cut) => {
        const all = implementations.map((implementation) => implementation.importKey(raw));
        const sealed = await Promise.all(all.map((key) => key.seal(nonce, aad, text)));
        const [first] = sealed;
        if (first === undefined) throw new Error("no implementation");
        for (const other of sealed) {
          assertSame(other.ciphertext, first.ciphertext);
          assertSame(other.tag, first.tag);
        }
        for (const key of all) {
          assertSame(await key.open(nonce, aad, first.ciphertext, first.tag), text);
          assertSame(await openInParts(key, nonce, aad, first.ciphertext, first.tag, cut), text);
        }
      },
    ),
    runs(150),
  );
});

describe("unverified plaintext of node", () => {
  /** node:crypto whose deciphers note what they give out. */
  function watched(): { readonly node: typeof nodeCrypto; readonly outputs: Uint8Array[] } {
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
    return { node: { ...nodeCrypto, createDecipheriv } as typeof nodeCrypto, outputs };
  }

  const nonce = new Uint8Array(12);
  const text = new Uint8Array(50).fill(0x61);
  const isWiped = (outputs: readonly Uint8Array[]): boolean =>
    outputs.length > 0 && outputs.every((output) => output.every((byte) => byte === 0));

  it("is wiped when the tag does not fit", async () => {
    const { node, outputs } = watched();
    const key = createNodeAesGcm(node).importKey(new Uint8Array(16));
    const { ciphertext } = await key.seal(nonce, none, text);
    expect(() => key.open(nonce, none, ciphertext, new Uint8Array(16))).toThrow("authentication failed");
    expect(isWiped(outputs)).toBe(true);
    const opener = key.openIncremental(nonce, none, 50);
    opener.update(ciphertext.subarray(0, 20));
    opener.update(ciphertext.subarray(20));
    expect(isWiped(outputs)).toBe(false);
    expect(() => opener.final(new Uint8Array(16))).toThrow("authentication failed");
    expect(outputs).toHaveLength(3);
    expect(isWiped(outputs)).toBe(true);
  });

  it("is wiped when the opener is given up", async () => {
    const { node, outputs } = watched();
    const key = createNodeAesGcm(node).importKey(new Uint8Array(16));
    const { ciphertext } = await key.seal(nonce, none, text);
    const opener = key.openIncremental(nonce, none, 50);
    opener.update(ciphertext);
    expect(isWiped(outputs)).toBe(false);
    opener.abort();
    expect(isWiped(outputs)).toBe(true);
  });
});

describe("a WebCrypto that is not complete or not right", () => {
  const { subtle } = globalThis.crypto;
  const plain = new Uint8Array(33);

  async function sealsRight(partial: Partial<SubtleCrypto>, keyLength: number): Promise<void> {
    const web = createWebAesGcm({
      importKey: subtle.importKey.bind(subtle),
      encrypt: subtle.encrypt.bind(subtle),
      decrypt: subtle.decrypt.bind(subtle),
      ...partial,
    } as SubtleCrypto);
    const key = web.importKey(new Uint8Array(keyLength));
    const sealed = await key.seal(new Uint8Array(12), none, plain);
    const expected = await importAesGcmKey(new Uint8Array(keyLength)).seal(new Uint8Array(12), none, plain);
    assertSame(sealed.ciphertext, expected.ciphertext);
    assertSame(sealed.tag, expected.tag);
    assertSame(await key.open(new Uint8Array(12), none, sealed.ciphertext, sealed.tag), plain);
    expect(await codeOf(() => key.open(new Uint8Array(12), plain, sealed.ciphertext, sealed.tag))).toBe(
      "ERR_AUTHENTICATION",
    );
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
    await sealsRight({ importKey }, 24);
    expect(refused).toBe(1);
    await sealsRight({ importKey }, 32);
    expect(refused).toBe(1);
  });

  it("leaves every key to noble where its known-answer test fails", async () => {
    const wrong = () => Promise.resolve(new Uint8Array(49).buffer);
    await sealsRight({ encrypt: wrong }, 32);
    await sealsRight({ importKey: () => Promise.reject(new Error("none")) }, 16);
  });
});
