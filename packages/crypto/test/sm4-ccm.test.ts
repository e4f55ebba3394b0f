import * as nodeCrypto from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hexToBytes } from "../src/bytes.js";
import { importSm4CcmKey, sm4CcmImplementations } from "../src/sm4-ccm.js";
import { runSm4Cases } from "./sm4-vectors.js";
import {
  assertSame,
  codeOf,
  readWycheproof,
  runCases,
  runs,
  type WycheproofCase,
  type WycheproofGroup,
} from "./wycheproof.js";

interface CcmCase extends WycheproofCase {
  readonly key: string;
  readonly iv: string;
  readonly aad: string;
  readonly msg: string;
  readonly ct: string;
  readonly tag: string;
}

interface CcmGroup extends WycheproofGroup<CcmCase> {
  readonly ivSize: number;
  readonly tagSize: number;
}

const none = new Uint8Array(0);
const implementations = sm4CcmImplementations();

it("has every implementation here", () => {
  expect(implementations.map(({ name }) => name)).toEqual(["wasm-relaxed", "wasm", "node", "portable"]);
  const key = importSm4CcmKey(new Uint8Array(16));
  expect(key).toMatchObject({ implementation: "wasm-relaxed", tagLength: 16 });
  const sealed = key.seal(new Uint8Array(12), none, hexToBytes("001122"));
  assertSame(
    importSm4CcmKey(new Uint8Array(16)).open(new Uint8Array(12), none, sealed.ciphertext, sealed.tag),
    hexToBytes("001122"),
  );
});

describe.each(implementations)("SM4-CCM by $name", (implementation) => {
  const raw = hexToBytes("5a".repeat(16));
  const key = implementation.importKey(raw);
  const nonce = hexToBytes("000102030405060708090a0b");

  it("passes sm4_ccm_test.json; nonces and tags of wrong lengths are refused as a wrong argument", async () => {
    const file = readWycheproof<CcmCase, CcmGroup>("sm4_ccm_test.json", 184);
    const counts = await runCases<CcmCase, CcmGroup>(file, async (test, group) => {
      const [iv, aad, message] = [hexToBytes(test.iv), hexToBytes(test.aad), hexToBytes(test.msg)];
      const [ciphertext, tag] = [hexToBytes(test.ct), hexToBytes(test.tag)];
      const tagLength = group.tagSize / 8;
      if (tagLength < 4 || tagLength % 2 !== 0) {
        expect(await codeOf(() => implementation.importKey(hexToBytes(test.key), tagLength))).toBe("ERR_ARGUMENT");
        expect(test.result).toBe("invalid");
        return "tag length refused";
      }
      const own = implementation.importKey(hexToBytes(test.key), tagLength);
      if (group.ivSize < 56 || group.ivSize > 104) {
        expect(await codeOf(() => own.seal(iv, aad, message))).toBe("ERR_ARGUMENT");
        expect(await codeOf(() => own.open(iv, aad, ciphertext, tag))).toBe("ERR_ARGUMENT");
        expect(test.result).toBe("invalid");
        return "nonce refused";
      }
      if (test.result === "invalid") {
        expect(await codeOf(() => own.open(iv, aad, ciphertext, tag))).toBe("ERR_AUTHENTICATION");
        return "rejected";
      }
      const sealed = own.seal(iv, aad, message);
      assertSame(sealed.ciphertext, ciphertext);
      assertSame(sealed.tag, tag);
      assertSame(own.open(iv, aad, ciphertext, tag), message);
      return "accepted";
    });
    expect(counts).toEqual({ accepted: 135, rejected: 27, "nonce refused": 13, "tag length refused": 9 });
  });

  it("passes the CCM cases of gm/sm4.json", () => {
    const counts = runSm4Cases("ccm", (test) => {
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
      const sealed = own.seal(iv, aad, hexToBytes(test.pt));
      assertSame(sealed.ciphertext, ciphertext);
      assertSame(sealed.tag, tag);
      assertSame(open(), hexToBytes(test.pt));
      return "accepted";
    });
    expect(counts).toEqual({ accepted: 6, rejected: 12 });
  });

  it("rejects a message with any one bit flipped", () => {
    const { ciphertext, tag } = key.seal(nonce, hexToBytes("a0a1a2"), new TextEncoder().encode("twenty bytes of text"));
    const parts = [nonce, hexToBytes("a0a1a2"), ciphertext, tag];
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
        expect(() => key.open(...changed)).toThrow("authentication failed");
        flips++;
      }
    }
    expect(flips).toBe(8 * (12 + 3 + 20 + 16));
  });

  it("takes long data and additional data, also such whose length takes six bytes", () => {
    for (const length of [0xfeff, 0xff00, 70_000]) {
      const bytes = nodeCrypto.randomBytes(length);
      const { ciphertext, tag } = key.seal(nonce.subarray(0, 11), bytes, bytes);
      assertSame(key.open(nonce.subarray(0, 11), bytes, ciphertext, tag), bytes);
      const other = implementations.at(-1)?.importKey(raw).seal(nonce.subarray(0, 11), bytes, bytes);
      assertSame(tag, other?.tag as Uint8Array);
    }
  });

  it("refuses wrong arguments", () => {
    const wrong = "text" as unknown as Uint8Array;
    for (const call of [
      () => implementation.importKey(wrong),
      () => key.seal(wrong, none, none),
      () => key.seal(nonce, wrong, none),
      () => key.seal(nonce, none, wrong),
      () => key.open(nonce, none, wrong, new Uint8Array(16)),
      () => key.open(nonce, none, none, wrong),
    ]) {
      expect(call).toThrow(expect.objectContaining({ name: "TypeError", code: "ERR_ARGUMENT" }));
    }
    for (const tagLength of [0, 2, 3, 5, 15, 17, 18, -4, 4.5, Number.NaN, "16" as unknown as number]) {
      expect(() => implementation.importKey(raw, tagLength)).toThrow(
        expect.objectContaining({ name: "RangeError", code: "ERR_ARGUMENT" }),
      );
    }
    for (const length of [0, 6, 14, 16]) {
      expect(() => key.seal(new Uint8Array(length), none, none)).toThrow(RangeError);
      expect(() => key.open(nonce, none, none, new Uint8Array(length === 16 ? 15 : length))).toThrow(RangeError);
    }
    expect(() => implementation.importKey(new Uint8Array(15))).toThrow(RangeError);
    // A nonce of 13 bytes leaves two for the length.
    const long = nodeCrypto.randomBytes(65_536);
    expect(() => key.seal(new Uint8Array(13), none, long)).toThrow('"plaintext" expected Uint8Array of at most 65535');
    expect(() => key.open(new Uint8Array(13), none, long, new Uint8Array(16))).toThrow(RangeError);
    const { ciphertext, tag } = key.seal(new Uint8Array(13), none, long.subarray(1));
    assertSame(key.open(new Uint8Array(13), none, ciphertext, tag), long.subarray(1));
  });
});

it("seals the same bytes by every implementation", () => {
  const bytes = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength });
  const keys = fc.uint8Array({ minLength: 16, maxLength: 16 });
  const nonces = fc.uint8Array({ minLength: 7, maxLength: 13 });
  const tagLengths = fc.constantFrom(4, 6, 8, 10, 12, 14, 16);
  fc.assert(
    fc.property(keys, nonces, tagLengths, bytes(40), bytes(200), (raw, nonce, tagLength, aad, text) => {
      const [first, ...others] = implementations.map((implementation) => {
        const key = implementation.importKey(raw, tagLength);
        const { ciphertext, tag } = key.seal(nonce, aad, text);
        assertSame(key.open(nonce, aad, ciphertext, tag), text);
        return Buffer.concat([ciphertext, tag]);
      });
      for (const other of others) assertSame(other, first as Buffer);
    }),
    runs(60),
  );
});
