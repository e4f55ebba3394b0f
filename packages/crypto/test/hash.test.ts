import * as nodeCrypto from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from "../src/bytes.js";
import {
  createHasher,
  digest,
  type HashName,
  hashImplementations,
  hashLength,
  hkdf,
  hkdfExpand,
  hkdfExtract,
  hmac,
} from "../src/hash.js";
import { createNodeHash } from "../src/hash-node.js";
import {
  assertSame,
  codeOf,
  readWycheproof,
  runCases,
  runs,
  type WycheproofCase,
  type WycheproofGroup,
} from "./wycheproof.js";

interface HkdfCase extends WycheproofCase {
  readonly ikm: string;
  readonly salt: string;
  readonly info: string;
  readonly size: number;
  readonly okm: string;
}

const implementations = hashImplementations();
const names: readonly HashName[] = ["sha256", "sha384", "sha512"];
const none = new Uint8Array(0);

it("runs node and noble here", () => {
  expect(implementations.map(({ name }) => name)).toEqual(["node", "noble"]);
});

describe.each(implementations)("hashes by $name", (implementation) => {
  it.each([
    ["sha256", 86, 83],
    ["sha384", 83, 80],
    ["sha512", 83, 80],
  ] as const)("passes hkdf_%s_test.json; too long outputs are a wrong argument", async (hash, count, valid) => {
    const file = readWycheproof<HkdfCase, WycheproofGroup<HkdfCase>>(`hkdf_${hash}_test.json`, count);
    const counts = await runCases<HkdfCase, WycheproofGroup<HkdfCase>>(file, async (test) => {
      const prk = implementation.hkdfExtract(hash, hexToBytes(test.ikm), hexToBytes(test.salt));
      const expand = () => implementation.hkdfExpand(hash, prk, hexToBytes(test.info), test.size);
      if (test.result === "valid") {
        assertSame(expand(), hexToBytes(test.okm));
        return "valid";
      }
      expect(test.flags).toEqual(["SizeTooLarge"]);
      expect(expand).toThrow(RangeError);
      expect(await codeOf(expand)).toBe("ERR_ARGUMENT");
      return "size refused";
    });
    expect(counts).toEqual({ valid, "size refused": 3 });
  });

  // FIPS 180-4 examples.
  it("hashes the known texts", () => {
    const abc = utf8ToBytes("abc");
    expect(bytesToHex(implementation.digest("sha256", abc))).toBe(
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
    expect(bytesToHex(implementation.digest("sha384", abc))).toBe(
      "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
    );
    expect(bytesToHex(implementation.digest("sha512", abc))).toBe(
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    );
    expect(bytesToHex(implementation.digest("sha256"))).toBe(
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    );
  });

  // RFC 4231, cases 2 and 6 (a key longer than a block).
  it("computes the known HMACs", () => {
    expect(
      bytesToHex(implementation.hmac("sha256", utf8ToBytes("Jefe"), utf8ToBytes("what do ya want for nothing?"))),
    ).toBe("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    const long = new Uint8Array(131).fill(0xaa);
    const text = utf8ToBytes("Test Using Larger Than Block-Size Key - Hash Key First");
    expect(bytesToHex(implementation.hmac("sha256", long, text))).toBe(
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    );
  });

  it("does not depend on how data is cut, and keeps nothing of its arguments", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        fc.array(fc.uint8Array({ maxLength: 150 }), { maxLength: 5 }),
        (hash, parts) => {
          const whole = implementation.digest(hash, concatBytes(...parts));
          assertSame(implementation.digest(hash, ...parts), whole);
          const hasher = implementation.createHasher(hash);
          for (const part of parts) {
            const copy = Uint8Array.from(part);
            hasher.update(copy);
            copy.fill(1);
          }
          assertSame(hasher.digest(), whole);
        },
      ),
      runs(100),
    );
  });

  it("keeps a hasher to one use", async () => {
    const hasher = implementation.createHasher("sha256");
    hasher.digest();
    expect(await codeOf(() => hasher.digest())).toBe("ERR_CLOSED");
    expect(await codeOf(() => hasher.update(none))).toBe("ERR_CLOSED");
  });

  it.each(names)("keeps to the limits of RFC 5869 with %s", (hash) => {
    const size = hashLength(hash);
    const prk = implementation.hkdfExtract(hash, none, none);
    // Section 2.2: an empty salt is one of zeros.
    assertSame(prk, implementation.hkdfExtract(hash, none, new Uint8Array(size)));
    const longest = implementation.hkdfExpand(hash, prk, none, 255 * size);
    expect(longest).toHaveLength(255 * size);
    for (const length of [0, 1, size - 1, size, size + 1, 2 * size]) {
      const okm = implementation.hkdfExpand(hash, prk, none, length);
      assertSame(okm, longest.subarray(0, length));
      // No more of the key stream than was asked for is in the memory given out.
      expect(okm.buffer.byteLength).toBe(length);
    }
    for (const length of [255 * size + 1, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => implementation.hkdfExpand(hash, prk, none, length)).toThrow(
        expect.objectContaining({ name: "RangeError", code: "ERR_ARGUMENT" }),
      );
    }
    expect(() => implementation.hkdfExpand(hash, prk.subarray(1), none, 1)).toThrow(RangeError);
  });

  it("refuses wrong arguments", () => {
    const wrong = "text" as unknown as Uint8Array;
    for (const call of [
      () => implementation.digest("sha256", wrong),
      () => implementation.createHasher("sha256").update(wrong),
      () => implementation.hmac("sha256", wrong),
      () => implementation.hmac("sha256", none, none, wrong),
      () => implementation.hkdfExtract("sha256", wrong, none),
      () => implementation.hkdfExtract("sha256", none, wrong),
      () => implementation.hkdfExpand("sha256", wrong, none, 1),
      () => implementation.hkdfExpand("sha256", new Uint8Array(32), wrong, 1),
      () => implementation.hkdfExpand("sha256", new Uint8Array(32), none, "1" as unknown as number),
    ]) {
      expect(call).toThrow(expect.objectContaining({ name: "TypeError", code: "ERR_ARGUMENT" }));
    }
    for (const hash of ["md5", "SHA256", "constructor", "__proto__", undefined] as unknown as HashName[]) {
      expect(() => implementation.digest(hash)).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
      expect(() => implementation.createHasher(hash)).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
    }
  });
});

it("gives the same by every implementation", () => {
  const bytes = fc.uint8Array({ maxLength: 200 });
  fc.assert(
    fc.property(fc.constantFrom(...names), bytes, bytes, bytes, fc.nat(300), (hash, a, b, c, length) => {
      const results = implementations.map((implementation) => {
        const prk = implementation.hkdfExtract(hash, a, b);
        return [
          implementation.digest(hash, a),
          implementation.hmac(hash, a, b, c),
          implementation.hmac(hash, none),
          prk,
          implementation.hkdfExpand(hash, prk, c, length),
        ].map(bytesToHex);
      });
      for (const result of results) expect(result).toEqual(results[0]);
      // Node 24 refuses to derive nothing.
      const native = length === 0 ? none : new Uint8Array(nodeCrypto.hkdfSync(hash, a, b, c, length));
      expect(results[0]?.[4]).toBe(bytesToHex(native));
    }),
    runs(100),
  );
});

it("offers the same as functions", () => {
  const [ikm, salt, info] = [utf8ToBytes("ikm"), utf8ToBytes("salt"), utf8ToBytes("info")];
  for (const hash of names) {
    const expected = new Uint8Array(nodeCrypto.hkdfSync(hash, ikm, salt, info, 100));
    assertSame(hkdf(hash, ikm, salt, info, 100), expected);
    assertSame(hkdfExpand(hash, hkdfExtract(hash, ikm, salt), info, 100), expected);
    assertSame(hmac(hash, ikm, salt, info), nodeCrypto.createHmac(hash, ikm).update("saltinfo").digest());
    assertSame(digest(hash, ikm, salt), nodeCrypto.createHash(hash).update("ikmsalt").digest());
    const hasher = createHasher(hash);
    hasher.update(ikm);
    assertSame(hasher.digest(), digest(hash, ikm));
    expect(hashLength(hash)).toBe(digest(hash).length);
  }
});

describe("HMAC on node, by one-shot hashes and by Hmac objects", () => {
  // Without crypto.hash the other way is taken for every length.
  const withoutOneShot = { ...nodeCrypto, hash: undefined } as unknown as typeof nodeCrypto;

  it("is the same for every hash, key length and message length around the blocks", () => {
    const engines = [createNodeHash(nodeCrypto), createNodeHash(withoutOneShot)];
    for (const hash of ["sha256", "sha384", "sha512"] as const) {
      for (const keyLength of [0, 1, 31, 32, 63, 64, 65, 127, 128, 129, 300]) {
        for (const length of [0, 1, 64, 111, 112, 128, 511, 512, 513, 5000]) {
          const [key, data] = [nodeCrypto.randomBytes(keyLength), nodeCrypto.randomBytes(length)];
          const expected = nodeCrypto.createHmac(hash, key).update(data).digest();
          const parts = [data.subarray(0, length >> 1), data.subarray(length >> 1)];
          for (const engine of engines) assertSame(engine.hmac(hash, key, parts), expected);
        }
      }
    }
  });
});
