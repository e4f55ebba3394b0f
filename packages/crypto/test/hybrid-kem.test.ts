import * as nodeCrypto from "node:crypto";
import { weierstrass } from "@noble/curves/abstract/weierstrass.js";
import { ml_kem768_x25519 } from "@noble/post-quantum/hybrid.js";
import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytesToHex, concatBytes, equalBytes, hexToBytes, utf8ToBytes } from "../src/bytes.js";
import { digest } from "../src/hash.js";
import {
  generateHybridKemKey,
  type HybridKemName,
  hybridKemImplementations,
  importHybridKemPublicKey,
  importHybridKemSeed,
} from "../src/hybrid-kem.js";
import { sm2Implementations } from "../src/sm2.js";
import { SM2_CURVE } from "../src/sm2-curve.js";
import { x25519Selector } from "../src/x25519.js";
import { assertSame, codeOf, runs } from "./wycheproof.js";

const hasNative = Number(process.versions.node.split(".")[0]) >= 24;
const kems: readonly HybridKemName[] = ["X-Wing", "ML-KEM-768+SM2"];
const lengths = {
  "X-Wing": { publicKey: 1216, ciphertext: 1120 },
  "ML-KEM-768+SM2": { publicKey: 1249, ciphertext: 1153 },
};
const mlKem = hasNative ? ["node", "noble"] : ["noble"];
const seedOf = (byte: number): Uint8Array => new Uint8Array(32).map((_, index) => byte + index);

it("runs every implementation of ML-KEM with every one of the other part", () => {
  const names = (kem: HybridKemName): readonly string[] => hybridKemImplementations(kem).map(({ name }) => name);
  const pairs = (others: readonly string[]): readonly string[] =>
    mlKem.flatMap((first) => others.map((second) => `${first}+${second}`));
  expect(names("X-Wing")).toEqual(pairs(["node", "noble"]));
  expect(names("ML-KEM-768+SM2")).toEqual(pairs(sm2Implementations().map(({ name }) => name)));
});

// Appendix C of draft-connolly-cfrg-xwing-kem-10: seed, seed of the encapsulation, and the shared secret, which depends on the
// public key and the ciphertext that follow from them.
const draftVectors = [
  [
    "7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26",
    "3cb1eea988004b93103cfb0aeefd2a686e01fa4a58e8a3639ca8a1e3f9ae57e235b8cc873c23dc62b8d260169afa2f75ab916a58d974918835d25e6a435085b2",
    "d2df0522128f09dd8e2c92b1e905c793d8f57a54c3da25861f10bf4ca613e384",
  ],
  [
    "badfd6dfaac359a5efbb7bcc4b59d538df9a04302e10c8bc1cbf1a0b3a5120ea",
    "17cda7cfad765f5623474d368ccca8af0007cd9f5e4c849f167a580b14aabdefaee7eef47cb0fca9767be1fda69419dfb927e9df07348b196691abaeb580b32d",
    "f2e86241c64d60f6649fbc6c5b7d17180b780a3f34355e64a85749949c45f150",
  ],
  [
    "ef58538b8d23f87732ea63b02b4fa0f4873360e2841928cd60dd4cee8cc0d4c9",
    "22a96188d032675c8ac850933c7aff1533b94c834adbb69c6115bad4692d8619f90b0cdf8a7b9c264029ac185b70b83f2801f2f4b3f70c593ea3aeeb613a7f1b",
    "953f7f4e8c5b5049bdc771d1dffada0dd961477d1a2ae0988baa7ea6898d893f",
  ],
] as const;

describe.each(hybridKemImplementations("X-Wing"))("X-Wing by $name", (implementation) => {
  it.each(draftVectors)("passes the draft's vector of seed %s", (seed, encapsulationSeed, secret) => {
    const key = implementation.importSeed(hexToBytes(seed));
    // Encapsulation with given randomness is not offered: noble's X-Wing makes the draft's ciphertext.
    const theirs = ml_kem768_x25519.encapsulate(key.publicKey, hexToBytes(encapsulationSeed));
    assertSame(theirs.sharedSecret, hexToBytes(secret));
    assertSame(key.decapsulate(theirs.cipherText), hexToBytes(secret));
  });

  it("agrees with noble's X-Wing both ways", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (seed) => {
        const key = implementation.importSeed(seed);
        const theirKey = ml_kem768_x25519.keygen(seed);
        assertSame(key.publicKey, theirKey.publicKey);
        const { ciphertext, sharedSecret } = implementation.importPublicKey(theirKey.publicKey).encapsulate();
        assertSame(ml_kem768_x25519.decapsulate(ciphertext, theirKey.secretKey), sharedSecret);
        const theirs = ml_kem768_x25519.encapsulate(key.publicKey);
        assertSame(key.decapsulate(theirs.cipherText), theirs.sharedSecret);
        // Implicit rejection of the ML-KEM half.
        const changed = Uint8Array.from(ciphertext);
        changed[7] = (changed[7] as number) ^ 1;
        assertSame(key.decapsulate(changed), ml_kem768_x25519.decapsulate(changed, theirKey.secretKey));
      }),
      runs(8),
    );
  });

  it("refuses points of small order, and takes any other number", async () => {
    const key = implementation.importSeed(seedOf(1));
    const { publicKey } = key;
    const { ciphertext } = implementation.importPublicKey(publicKey).encapsulate();
    // The points of order 1, 2, 4 and 8, also as numbers that are not below p, and with the bit that X25519 ignores.
    const small = [
      "0000000000000000000000000000000000000000000000000000000000000000",
      "0100000000000000000000000000000000000000000000000000000000000000",
      "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
      "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "0000000000000000000000000000000000000000000000000000000000000080",
    ].map(hexToBytes);
    for (const point of small) {
      const withPoint = concatBytes(ciphertext.subarray(0, 1088), point);
      expect(await codeOf(() => key.decapsulate(withPoint))).toBe("ERR_CIPHERTEXT_INVALID");
      const wrong = concatBytes(publicKey.subarray(0, 1184), point);
      expect(await codeOf(() => implementation.importPublicKey(wrong))).toBe("ERR_KEY_INVALID");
    }
    for (const point of [hexToBytes(`09${"00".repeat(31)}`), hexToBytes(`f6${"ff".repeat(30)}7f`)]) {
      const withPoint = concatBytes(ciphertext.subarray(0, 1088), point);
      assertSame(key.decapsulate(withPoint), ml_kem768_x25519.decapsulate(withPoint, seedOf(1)));
    }
  });
});

describe.each(hybridKemImplementations("ML-KEM-768+SM2"))("ML-KEM-768+SM2 by $name", (implementation) => {
  // The construction once more, from its description, by noble's curves and OpenSSL's hash.
  const label = utf8ToBytes("Fengni ML-KEM-768+SM2 v1");
  const hkdf = (ikm: Uint8Array, info: Uint8Array, length: number): Uint8Array =>
    new Uint8Array(nodeCrypto.hkdfSync("sm3", ikm, label, info, length));
  const number = (hex: string): bigint => BigInt(`0x${hex}`);
  const Point = weierstrass({
    p: number(SM2_CURVE.p),
    a: number(SM2_CURVE.a),
    b: number(SM2_CURVE.b),
    n: number(SM2_CURVE.n),
    h: 1n,
    Gx: number(SM2_CURVE.gx),
    Gy: number(SM2_CURVE.gy),
  });

  function keyOf(seed: Uint8Array): { mlKemKey: Uint8Array; scalar: bigint; publicKey: Uint8Array } {
    const expanded = hkdf(seed, utf8ToBytes("key"), 192);
    const { publicKey, secretKey } = ml_kem768.keygen(expanded.subarray(0, 64));
    const scalar = number(bytesToHex(expanded.subarray(64, 96)));
    const point = Point.BASE.multiply(scalar).toBytes(false);
    return { mlKemKey: secretKey, scalar, publicKey: concatBytes(publicKey, point) };
  }

  function decapsulate(seed: Uint8Array, ciphertext: Uint8Array): Uint8Array {
    const { mlKemKey, scalar, publicKey } = keyOf(seed);
    const first = ml_kem768.decapsulate(ciphertext.subarray(0, 1088), mlKemKey);
    const second = Point.fromBytes(ciphertext.subarray(1088)).multiply(scalar).toBytes(false).subarray(1, 33);
    return hkdf(concatBytes(first, second, ciphertext, publicKey), utf8ToBytes("secret"), 32);
  }

  it("does what its description says", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (seed) => {
        const key = implementation.importSeed(seed);
        assertSame(key.publicKey, keyOf(seed).publicKey);
        const { ciphertext, sharedSecret } = implementation.importPublicKey(key.publicKey).encapsulate();
        assertSame(decapsulate(seed, ciphertext), sharedSecret);
        assertSame(key.decapsulate(ciphertext), sharedSecret);
        const changed = Uint8Array.from(ciphertext);
        changed[7] = (changed[7] as number) ^ 1;
        assertSame(key.decapsulate(changed), decapsulate(seed, changed));
      }),
      runs(4),
    );
  });

  it("stays version 1", () => {
    const key = implementation.importSeed(seedOf(0));
    // The base point as the ciphertext's SM2 half, and zeros as its ML-KEM half.
    const ciphertext = concatBytes(new Uint8Array(1088), hexToBytes(`04${SM2_CURVE.gx}${SM2_CURVE.gy}`));
    const fingerprint = digest("sha256", key.publicKey, key.decapsulate(ciphertext));
    expect(bytesToHex(fingerprint)).toBe("4beca68b956bf630939c925c6a747ac8024017835b4ecd3ddab9883a29f7fe3f");
  });

  it("refuses points that are not on the curve", async () => {
    const key = implementation.importSeed(seedOf(1));
    const { publicKey } = key;
    const { ciphertext } = implementation.importPublicKey(publicKey).encapsulate();
    const changes: ((bytes: Uint8Array, at: number) => void)[] = [
      (bytes, at) => bytes.set([2], at),
      (bytes, at) => bytes.set([0], at),
      (bytes, at) => bytes.fill(0, at + 1),
      (bytes, at) => bytes.fill(255, at + 1, at + 33),
      (bytes, at) => {
        bytes[at + 64] = (bytes[at + 64] as number) ^ 1;
      },
    ];
    for (const change of changes) {
      const [wrongCiphertext, wrongKey] = [Uint8Array.from(ciphertext), Uint8Array.from(publicKey)];
      change(wrongCiphertext, 1088);
      change(wrongKey, 1184);
      expect(await codeOf(() => key.decapsulate(wrongCiphertext))).toBe("ERR_CIPHERTEXT_INVALID");
      expect(await codeOf(() => implementation.importPublicKey(wrongKey))).toBe("ERR_KEY_INVALID");
    }
  });
});

describe.each(kems)("%s", (kem) => {
  const implementations = hybridKemImplementations(kem);
  const { publicKey: publicKeyBytes, ciphertext: ciphertextBytes } = lengths[kem];

  it("goes between all implementations", () => {
    const seed = seedOf(9);
    const keys = implementations.map((implementation) => implementation.importSeed(seed));
    for (const implementation of implementations) {
      const half = implementation.importPublicKey((keys[0] as (typeof keys)[0]).publicKey);
      expect([implementation.kem, half.kem, half.publicKey.length]).toEqual([kem, kem, publicKeyBytes]);
      const { ciphertext, sharedSecret } = half.encapsulate();
      expect([ciphertext.length, sharedSecret.length]).toEqual([ciphertextBytes, 32]);
      for (const key of keys) {
        expect(key.kem).toBe(kem);
        assertSame(key.publicKey, half.publicKey);
        assertSame(key.decapsulate(ciphertext), sharedSecret);
      }
    }
  });

  it.each(implementations)("$name: binds the secret to every part of ciphertext and key", (implementation) => {
    const key = implementation.generateKey();
    const half = implementation.importPublicKey(key.publicKey);
    const { ciphertext, sharedSecret } = half.encapsulate();
    assertSame(key.decapsulate(ciphertext), sharedSecret);
    expect(equalBytes(half.encapsulate().sharedSecret, sharedSecret)).toBe(false);
    const step = process.env["SLOW"] === "1" ? 1 : 97;
    for (let at = 0; at < 1088; at += step) {
      const changed = Uint8Array.from(ciphertext);
      changed[at] = (changed[at] as number) ^ 1;
      const rejected = key.decapsulate(changed);
      expect(equalBytes(rejected, sharedSecret)).toBe(false);
      assertSame(key.decapsulate(changed), rejected);
    }
    // One half of one ciphertext with the other half of another.
    const other = half.encapsulate().ciphertext;
    const mixed = concatBytes(ciphertext.subarray(0, 1088), other.subarray(1088));
    expect(equalBytes(key.decapsulate(mixed), sharedSecret)).toBe(false);
    expect(equalBytes(implementation.generateKey().decapsulate(ciphertext), sharedSecret)).toBe(false);
  });

  it.each(implementations)("$name: gives keys away as copies, and keeps no buffer", (implementation) => {
    const own = seedOf(3);
    const key = implementation.importSeed(own);
    const publicKey = key.publicKey;
    const half = implementation.importPublicKey(publicKey);
    own.fill(0);
    for (const buffer of [publicKey, key.publicKey, half.publicKey, key.exportSeed()]) buffer.fill(0);
    assertSame(key.exportSeed(), seedOf(3));
    assertSame(key.publicKey, half.publicKey);
    const { ciphertext, sharedSecret } = half.encapsulate();
    assertSame(key.decapsulate(ciphertext), sharedSecret);
    assertSame(implementation.importSeed(key.exportSeed()).decapsulate(ciphertext), sharedSecret);
  });

  it.each(implementations)(
    "$name: refuses other lengths, numbers that are not reduced, and types",
    async (implementation) => {
      const key = implementation.importSeed(seedOf(1));
      const { publicKey } = key;
      for (const length of [0, 31, 33, 64, 96]) {
        expect(await codeOf(() => implementation.importSeed(new Uint8Array(length)))).toBe("ERR_KEY_INVALID");
      }
      for (const wrong of [
        publicKey.subarray(1),
        publicKey.subarray(0, -1),
        concatBytes(publicKey, Uint8Array.of(0)),
        Uint8Array.from(publicKey).fill(255, 0, 3),
      ]) {
        expect(await codeOf(() => implementation.importPublicKey(wrong))).toBe("ERR_KEY_INVALID");
      }
      for (const length of [0, 1088, ciphertextBytes - 1, ciphertextBytes + 1]) {
        expect(await codeOf(() => key.decapsulate(new Uint8Array(length)))).toBe("ERR_CIPHERTEXT_INVALID");
      }
      const text = "text" as unknown as Uint8Array;
      for (const call of [
        () => implementation.importSeed(text),
        () => implementation.importPublicKey(text),
        () => key.decapsulate(text),
      ]) {
        expect(call).toThrow(expect.objectContaining({ name: "TypeError", code: "ERR_ARGUMENT" }));
      }
    },
  );

  it("is offered as functions", () => {
    const key = generateHybridKemKey(kem);
    const { ciphertext, sharedSecret } = importHybridKemPublicKey(kem, key.publicKey).encapsulate();
    assertSame(importHybridKemSeed(kem, key.exportSeed()).decapsulate(ciphertext), sharedSecret);
  });
});

it("knows two hybrids and no other", () => {
  for (const kem of ["X-wing", "constructor", undefined] as unknown as HybridKemName[]) {
    for (const call of [generateHybridKemKey, hybridKemImplementations]) {
      expect(() => call(kem)).toThrow(expect.objectContaining({ name: "RangeError", code: "ERR_ARGUMENT" }));
    }
  }
});

describe.each(x25519Selector.available())("X25519 by $name", (engine) => {
  it("passes RFC 7748", () => {
    // Section 5.2, both vectors, and the first thousand of the iterated one.
    for (const [scalar, point, expected] of [
      [
        "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
        "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
        "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
      ],
      [
        "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
        "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
        "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
      ],
    ] as const) {
      assertSame(engine.importPrivateKey(hexToBytes(scalar)).agree(hexToBytes(point)), hexToBytes(expected));
    }
    let [scalar, point] = [hexToBytes(`09${"00".repeat(31)}`), hexToBytes(`09${"00".repeat(31)}`)];
    for (let i = 0; i < 1000; i++) [scalar, point] = [engine.importPrivateKey(scalar).agree(point), scalar];
    expect(bytesToHex(scalar)).toBe("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
    // Section 6.1.
    const alice = engine.importPrivateKey(new Uint8Array(32).fill(1));
    const bob = engine.importPrivateKey(hexToBytes("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"));
    expect(bytesToHex(bob.publicKey)).toBe("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
    assertSame(alice.agree(bob.publicKey), bob.agree(alice.publicKey));
  });
});
