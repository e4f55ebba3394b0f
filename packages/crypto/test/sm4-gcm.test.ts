import { execFileSync } from "node:child_process";
import * as nodeCrypto from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytesToHex, concatBytes, hexToBytes } from "../src/bytes.js";
import { isFengniError } from "../src/errors.js";
import { type AeadKey, importSm4GcmKey, type Sealed, sm4GcmImplementations } from "../src/sm4-gcm.js";
import { checkedSm4Gcm } from "../src/sm4-gcm-checked.js";
import { createNodeSm4Gcm } from "../src/sm4-gcm-node.js";
import { runSm4Cases } from "./sm4-vectors.js";
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
const implementations = sm4GcmImplementations();
const hasNativeGcm = nodeCrypto.getCiphers().includes("sm4-gcm");

it("has every implementation of this runtime, and prefers WebAssembly", () => {
  const expected = ["wasm-relaxed", "wasm", ...(hasNativeGcm ? ["node"] : []), "node-ctr", "portable"];
  expect(implementations.map(({ name }) => name)).toEqual(expected);
  expect(importSm4GcmKey(new Uint8Array(16)).implementation).toBe("wasm-relaxed");
});

/** Opens through the incremental opener, the ciphertext cut into parts of a length; the parts are overwritten after use. */
function openInParts(
  key: AeadKey,
  nonce: Uint8Array,
  aad: Uint8Array,
  ciphertext: Uint8Array,
  tag: Uint8Array,
  partLength: number,
): Uint8Array {
  const [ownNonce, ownAad] = [Uint8Array.from(nonce), Uint8Array.from(aad)];
  const opener = key.openIncremental(ownNonce, ownAad, ciphertext.length);
  ownNonce.fill(0xee);
  ownAad.fill(0xee);
  for (let offset = 0; offset < ciphertext.length; offset += partLength) {
    const part = Uint8Array.from(ciphertext.subarray(offset, offset + partLength));
    opener.update(part);
    part.fill(0xee);
  }
  return concatBytes(...(opener.final(tag) as readonly Uint8Array[]));
}

describe.each(implementations)("SM4-GCM by $name", (implementation) => {
  const key = implementation.importKey(hexToBytes("5a".repeat(16)));
  const nonce = hexToBytes("000102030405060708090a0b");
  const seal = (aad: Uint8Array, plaintext: Uint8Array): Sealed => key.seal(nonce, aad, plaintext) as Sealed;

  it("passes sm4_gcm_test.json; nonces of other lengths than 12 bytes are refused as a wrong argument", async () => {
    const file = readWycheproof<GcmCase, GcmGroup>("sm4_gcm_test.json", 104);
    const counts = await runCases<GcmCase, GcmGroup>(file, async (test, group) => {
      const own = implementation.importKey(hexToBytes(test.key));
      const [iv, aad, plaintext] = [hexToBytes(test.iv), hexToBytes(test.aad), hexToBytes(test.msg)];
      const [ciphertext, tag] = [hexToBytes(test.ct), hexToBytes(test.tag)];
      if (group.ivSize !== 96) {
        for (const call of [
          () => own.seal(iv, aad, plaintext),
          () => own.open(iv, aad, ciphertext, tag),
          () => own.openIncremental(iv, aad, ciphertext.length),
        ]) {
          expect(await codeOf(call)).toBe("ERR_ARGUMENT");
        }
        return "nonce refused";
      }
      if (test.result === "invalid") {
        expect(await codeOf(() => own.open(iv, aad, ciphertext, tag))).toBe("ERR_AUTHENTICATION");
        expect(await codeOf(() => openInParts(own, iv, aad, ciphertext, tag, 7))).toBe("ERR_AUTHENTICATION");
        return "rejected";
      }
      const sealed = own.seal(iv, aad, plaintext) as Sealed;
      assertSame(sealed.ciphertext, ciphertext);
      assertSame(sealed.tag, tag);
      assertSame(own.open(iv, aad, ciphertext, tag) as Uint8Array, plaintext);
      for (const partLength of [1, 7, 16, 1000]) {
        assertSame(openInParts(own, iv, aad, ciphertext, tag, partLength), plaintext);
      }
      return "accepted";
    });
    expect(counts).toEqual({ accepted: 38, rejected: 27, "nonce refused": 39 });
  });

  it("passes the GCM cases of gm/sm4.json; other nonces and shorter tags are refused as a wrong argument", () => {
    const counts = runSm4Cases("gcm", (test) => {
      const own = implementation.importKey(hexToBytes(test.key));
      const [iv, aad, ciphertext, tag] = [test.iv, test.aad, test.ct, test.tag].map(hexToBytes) as [
        Uint8Array,
        Uint8Array,
        Uint8Array,
        Uint8Array,
      ];
      const open = () => own.open(iv, aad, ciphertext, tag);
      if (test.result === "invalid") {
        expect(open).toThrow(expect.objectContaining({ code: "ERR_AUTHENTICATION" }));
        return "rejected";
      }
      if (iv.length !== 12) {
        expect(() => own.seal(iv, aad, hexToBytes(test.pt))).toThrow(RangeError);
        return "nonce refused";
      }
      const sealed = own.seal(iv, aad, hexToBytes(test.pt)) as Sealed;
      assertSame(sealed.ciphertext, ciphertext);
      assertSame(sealed.tag.subarray(0, tag.length), tag);
      if (tag.length < 16) {
        expect(open).toThrow(RangeError);
        return "short tag refused";
      }
      assertSame(open() as Uint8Array, hexToBytes(test.pt));
      assertSame(openInParts(own, iv, aad, ciphertext, tag, 5), hexToBytes(test.pt));
      return "accepted";
    });
    expect(counts).toEqual({ accepted: 25, "nonce refused": 4, "short tag refused": 4, rejected: 12 });
  });

  it("works around batches, tables and pieces of the memory, also of additional data", () => {
    const lengths = [0, 1, 15, 16, 17, 111, 112, 113, 495, 496, 497, 511, 512, 513, 1535, 1536, 1537, 1791, 1792, 2048];
    const long = [65_519, 65_520, 65_521, 65_535, 65_536, 65_537, 131_071, 131_072, 131_073];
    for (const length of [...lengths, ...long]) {
      const [plaintext, aad] = [nodeCrypto.randomBytes(length), nodeCrypto.randomBytes(length % 50)];
      const { ciphertext, tag } = seal(aad, plaintext);
      // Counter mode begins at 2 behind the tag's mask.
      const counter = concatBytes(nonce, Uint8Array.of(0, 0, 0, 2));
      assertSame(
        ciphertext,
        nodeCrypto.createCipheriv("sm4-ctr", hexToBytes("5a".repeat(16)), counter).update(plaintext),
      );
      assertSame(key.open(nonce, aad, ciphertext, tag) as Uint8Array, plaintext);
      for (const partLength of [1601, 65_536, 70_000]) {
        assertSame(openInParts(key, nonce, aad, ciphertext, tag, partLength), plaintext);
      }
      if (length === 0) continue;
      // The same bytes as additional data.
      const mac = seal(plaintext, none);
      assertSame(key.open(nonce, plaintext, none, mac.tag) as Uint8Array, none);
      plaintext[length - 1] = (plaintext[length - 1] as number) ^ 1;
      expect(() => key.open(nonce, plaintext, none, mac.tag)).toThrow("authentication failed");
    }
  });

  it("rejects a message with any one bit flipped, and releases nothing", async () => {
    const aad = hexToBytes("a0a1a2a3a4");
    const { ciphertext, tag } = seal(aad, new TextEncoder().encode("twenty bytes of text"));
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
        expect(await codeOf(() => key.open(...changed))).toBe("ERR_AUTHENTICATION");
        expect(await codeOf(() => openInParts(key, ...changed, 6))).toBe("ERR_AUTHENTICATION");
        flips++;
      }
    }
    expect(flips).toBe(8 * (12 + 5 + 20 + 16));
    assertSame(key.open(nonce, aad, ciphertext, tag) as Uint8Array, new TextEncoder().encode("twenty bytes of text"));
  });

  it("rejects a change in any part of a long message", () => {
    const { ciphertext, tag } = seal(none, nodeCrypto.randomBytes(70_000));
    for (const at of [0, 511, 512, 65_519, 65_520, 65_535, 65_536, 69_999]) {
      ciphertext[at] = (ciphertext[at] as number) ^ 0x40;
      expect(() => key.open(nonce, none, ciphertext, tag)).toThrow("authentication failed");
      expect(() => openInParts(key, nonce, none, ciphertext, tag, 30_000)).toThrow("authentication failed");
      ciphertext[at] = (ciphertext[at] as number) ^ 0x40;
    }
    expect(key.open(nonce, none, ciphertext, tag)).toHaveLength(70_000);
  });

  it("rejects a shortened, a lengthened and another key's message", async () => {
    const { ciphertext, tag } = seal(none, new Uint8Array(40));
    for (let length = 0; length < ciphertext.length; length++) {
      const call = () => key.open(nonce, none, ciphertext.subarray(0, length), tag);
      expect(await codeOf(call)).toBe("ERR_AUTHENTICATION");
    }
    const longer = concatBytes(ciphertext, Uint8Array.of(0));
    expect(await codeOf(() => key.open(nonce, none, longer, tag))).toBe("ERR_AUTHENTICATION");
    // Nothing moves between the additional data and the ciphertext.
    expect(await codeOf(() => key.open(nonce, ciphertext, none, tag))).toBe("ERR_AUTHENTICATION");
    const other = implementation.importKey(new Uint8Array(16));
    const failure = await failureOf(() => other.open(nonce, none, ciphertext, tag));
    expect(isFengniError(failure, "ERR_AUTHENTICATION")).toBe(true);
    expect((failure as Error).cause).toBeUndefined();
  });

  it("refuses wrong arguments at once", () => {
    const wrong = "text" as unknown as Uint8Array;
    for (const call of [
      () => implementation.importKey(wrong),
      () => key.seal(wrong, none, none),
      () => key.seal(nonce, wrong, none),
      () => key.seal(nonce, none, wrong),
      () => key.open(nonce, none, wrong, new Uint8Array(16)),
      () => key.open(nonce, none, none, wrong),
      () => key.openIncremental(nonce, none, "1" as unknown as number),
      () => key.openIncremental(nonce, none, 1).update(wrong),
    ]) {
      expect(call).toThrow(expect.objectContaining({ name: "TypeError", code: "ERR_ARGUMENT" }));
    }
    for (const length of [0, 15, 17, 24, 32]) {
      expect(() => implementation.importKey(new Uint8Array(length))).toThrow(
        expect.objectContaining({ name: "RangeError", code: "ERR_ARGUMENT" }),
      );
      expect(() => key.seal(new Uint8Array(length), none, none)).toThrow(RangeError);
      expect(() => key.open(nonce, none, none, new Uint8Array(length))).toThrow(RangeError);
      expect(() => key.openIncremental(nonce, none, 0).final(new Uint8Array(length))).toThrow(RangeError);
    }
    for (const length of [-1, 0.5, Number.NaN, 2 ** 36]) {
      expect(() => key.openIncremental(nonce, none, length)).toThrow(RangeError);
    }
  });

  it("copies the key, keeps nothing of its arguments, and gives out memory that nothing else uses", () => {
    const raw = hexToBytes("5a".repeat(16));
    const own = implementation.importKey(raw);
    raw.fill(0);
    const plaintext = new Uint8Array(24).fill(3);
    const sealed = own.seal(nonce, none, plaintext) as Sealed;
    assertSame(sealed.tag, seal(none, plaintext).tag);
    const opened = key.open(nonce, none, sealed.ciphertext, sealed.tag) as Uint8Array;
    const pieces = key.openIncremental(nonce, none, 24);
    pieces.update(sealed.ciphertext);
    for (const output of [sealed.ciphertext, sealed.tag, opened, ...(pieces.final(sealed.tag) as Uint8Array[])]) {
      expect(output.constructor).toBe(Uint8Array);
      expect(output.buffer.byteLength).toBeLessThanOrEqual(24 + 16);
    }
    // Where the tag's mask was made beside the message it is gone.
    const rest = new Uint8Array(sealed.ciphertext.buffer, 0, sealed.ciphertext.byteOffset);
    expect(rest.every((byte) => byte === 0)).toBe(true);
    assertSame(plaintext, new Uint8Array(24).fill(3));
  });

  it("holds an opener to its declared length and to one use", async () => {
    const { ciphertext, tag } = seal(none, new Uint8Array(10));
    const long = key.openIncremental(nonce, none, 9);
    expect(() => long.update(ciphertext)).toThrow(RangeError);
    const done = key.openIncremental(nonce, none, 10);
    done.update(ciphertext);
    done.update(none);
    expect(concatBytes(...(done.final(tag) as Uint8Array[]))).toHaveLength(10);
    const failed = key.openIncremental(nonce, none, 10);
    failed.update(ciphertext);
    expect(() => failed.final(new Uint8Array(16))).toThrow("authentication failed");
    const aborted = key.openIncremental(nonce, none, 10);
    aborted.update(ciphertext);
    aborted.abort();
    aborted.abort();
    for (const opener of [done, failed, aborted]) {
      expect(await codeOf(() => opener.update(ciphertext))).toBe("ERR_CLOSED");
      expect(await codeOf(() => opener.final(tag))).toBe("ERR_CLOSED");
    }
    // Fewer bytes than declared are for the tag to judge.
    const short = key.openIncremental(nonce, none, 1000);
    short.update(ciphertext);
    expect(concatBytes(...(short.final(tag) as Uint8Array[]))).toHaveLength(10);
  });

  it("opens several messages at once, among other operations", () => {
    const messages = [1, 2, 3].map((i) => nodeCrypto.randomBytes(i * 1000));
    const sealed = messages.map((message) => seal(none, message));
    const openers = sealed.map(({ ciphertext }) => key.openIncremental(nonce, none, ciphertext.length));
    for (let at = 0; at < 3000; at += 100) {
      for (const [i, { ciphertext }] of sealed.entries()) openers[i]?.update(ciphertext.subarray(at, at + 100));
      seal(none, new Uint8Array(5));
    }
    for (const [i, opener] of openers.entries()) {
      const pieces = opener.final((sealed[i] as Sealed).tag) as Uint8Array[];
      assertSame(concatBytes(...pieces), messages[i] as Uint8Array);
    }
  });
});

it("seals the same bytes by every implementation, and each opens them whole and in parts", () => {
  const bytes = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength });
  const [keys, nonces] = [16, 12].map((length) => fc.uint8Array({ minLength: length, maxLength: length })) as [
    fc.Arbitrary<Uint8Array>,
    fc.Arbitrary<Uint8Array>,
  ];
  const cuts = fc.integer({ min: 1, max: 64 });
  fc.assert(
    fc.property(keys, nonces, bytes(40), bytes(700), cuts, (raw, nonce, aad, text, cut) => {
      const all = implementations.map((implementation) => implementation.importKey(raw));
      const sealed = all.map((key) => key.seal(nonce, aad, text) as Sealed);
      const first = sealed[0] as Sealed;
      for (const other of sealed) {
        assertSame(other.ciphertext, first.ciphertext);
        assertSame(other.tag, first.tag);
      }
      for (const key of all) {
        assertSame(key.open(nonce, aad, first.ciphertext, first.tag) as Uint8Array, text);
        assertSame(openInParts(key, nonce, aad, first.ciphertext, first.tag, cut), text);
      }
    }),
    runs(100),
  );
  const text = nodeCrypto.randomBytes(200_000);
  const tags = implementations.map((implementation) => {
    const sealed = implementation.importKey(new Uint8Array(16)).seal(new Uint8Array(12), text, text) as Sealed;
    return bytesToHex(sealed.tag);
  });
  expect(new Set(tags).size).toBe(1);
});

it("encrypts what the openssl command decrypts", () => {
  const [raw, nonce, text] = [nodeCrypto.randomBytes(16), nodeCrypto.randomBytes(12), nodeCrypto.randomBytes(100_000)];
  const { ciphertext } = importSm4GcmKey(raw).seal(nonce, none, text) as Sealed;
  const args = ["enc", "-d", "-sm4-ctr", "-K", bytesToHex(raw), "-iv", `${bytesToHex(nonce)}00000002`];
  assertSame(execFileSync("openssl", args, { input: ciphertext }), text);
});

describe("node:crypto's own GCM, for which AES stands in where OpenSSL has no sm4-gcm", () => {
  /** node:crypto whose ciphers in GCM are AES-128-GCM, and whose deciphers note what they give out. */
  function watched(): { readonly node: typeof nodeCrypto; readonly outputs: Uint8Array[] } {
    const outputs: Uint8Array[] = [];
    const options = { authTagLength: 16 };
    const createCipheriv = (algorithm: string, key: nodeCrypto.KeyObject, nonce: Uint8Array) => {
      expect(algorithm).toBe("sm4-gcm");
      return nodeCrypto.createCipheriv("aes-128-gcm", key, nonce, options);
    };
    const createDecipheriv = (algorithm: string, key: nodeCrypto.KeyObject, nonce: Uint8Array) => {
      expect(algorithm).toBe("sm4-gcm");
      const decipher = nodeCrypto.createDecipheriv("aes-128-gcm", key, nonce, options);
      const update = decipher.update.bind(decipher) as (data: Uint8Array) => Buffer;
      decipher.update = ((data: Uint8Array) => {
        const output = update(data);
        outputs.push(output);
        return output;
      }) as typeof decipher.update;
      return decipher;
    };
    return { node: { ...nodeCrypto, createCipheriv, createDecipheriv } as unknown as typeof nodeCrypto, outputs };
  }

  const nonce = new Uint8Array(12);
  const text = new Uint8Array(50).fill(0x61);
  const isWiped = (outputs: readonly Uint8Array[]): boolean =>
    outputs.length > 0 && outputs.every((output) => output.every((byte) => byte === 0));

  it("seals and opens", () => {
    const { node } = watched();
    const key = checkedSm4Gcm(createNodeSm4Gcm(node)).importKey(new Uint8Array(16));
    for (const [aad, plaintext] of [
      [none, none],
      [text, none],
      [none, text],
      [text, text],
    ] as const) {
      const { ciphertext, tag } = key.seal(nonce, aad, plaintext) as Sealed;
      const expected = nodeCrypto.createCipheriv("aes-128-gcm", new Uint8Array(16), nonce).setAAD(aad);
      assertSame(ciphertext, concatBytes(expected.update(plaintext), expected.final()));
      assertSame(tag, expected.getAuthTag());
      assertSame(key.open(nonce, aad, ciphertext, tag) as Uint8Array, plaintext);
      assertSame(openInParts(key, nonce, aad, ciphertext, tag, 7), plaintext);
    }
  });

  it("wipes plaintext when the tag does not fit, and when it is given up", () => {
    const { node, outputs } = watched();
    const key = checkedSm4Gcm(createNodeSm4Gcm(node)).importKey(new Uint8Array(16));
    const { ciphertext } = key.seal(nonce, none, text) as Sealed;
    expect(() => key.open(nonce, none, ciphertext, new Uint8Array(16))).toThrow("authentication failed");
    expect(isWiped(outputs)).toBe(true);
    const opener = key.openIncremental(nonce, none, 50);
    opener.update(ciphertext.subarray(0, 20));
    opener.update(ciphertext.subarray(20));
    expect(isWiped(outputs)).toBe(false);
    expect(() => opener.final(new Uint8Array(16))).toThrow("authentication failed");
    expect(isWiped(outputs)).toBe(true);
    const aborted = key.openIncremental(nonce, none, 50);
    aborted.update(ciphertext);
    expect(isWiped(outputs)).toBe(false);
    aborted.abort();
    expect(isWiped(outputs)).toBe(true);
  });
});
