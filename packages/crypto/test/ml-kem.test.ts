import * as nodeCrypto from "node:crypto";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { bytesToHex, concatBytes, equalBytes, hexToBytes } from "../src/bytes.js";
import {
  generateMlKemKey,
  importMlKemExpandedKey,
  importMlKemPrivateKey,
  importMlKemPublicKey,
  importMlKemSeed,
  type MlKemParameterSet,
  mlKemImplementations,
  mlKemPublicKeyFromSpki,
  mlKemPublicKeyToSpki,
} from "../src/ml-kem.js";
import { mlKemSet } from "../src/ml-kem-checked.js";
import { nobleEncapsulate, nobleExpandMlKem } from "../src/ml-kem-noble.js";
import { runtimeReport } from "../src/report.js";
import {
  assertSame,
  codeOf,
  readWycheproof,
  runCases,
  runs,
  type WycheproofCase,
  type WycheproofGroup,
} from "./wycheproof.js";

interface KemCase extends WycheproofCase {
  readonly seed: string;
  readonly m: string;
  readonly dk: string;
  readonly ek: string;
  readonly c: string;
  readonly K: string;
}

type KemGroup = WycheproofGroup<KemCase>;

const implementations = mlKemImplementations();
const hasNative = Number(process.versions.node.split(".")[0]) >= 24;
const sets: readonly MlKemParameterSet[] = ["ML-KEM-512", "ML-KEM-768", "ML-KEM-1024"];
const lengths = {
  "ML-KEM-512": { publicKey: 800, ciphertext: 768, expanded: 1632 },
  "ML-KEM-768": { publicKey: 1184, ciphertext: 1088, expanded: 2400 },
  "ML-KEM-1024": { publicKey: 1568, ciphertext: 1568, expanded: 3168 },
};
/** PKCS#8 up to the seed, as OpenSSL writes it. */
const seedPrefix = {
  "ML-KEM-512": "3054020100300b060960864801650304040104428040",
  "ML-KEM-768": "3054020100300b060960864801650304040204428040",
  "ML-KEM-1024": "3054020100300b060960864801650304040304428040",
};

function der(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const body = concatBytes(...contents);
  const header =
    body.length < 128
      ? [body.length]
      : body.length < 256
        ? [0x81, body.length]
        : [0x82, body.length >> 8, body.length & 255];
  return concatBytes(Uint8Array.of(tag, ...header), body);
}

/** PKCS#8 with any contents of the private key. */
function pkcs8Of(set: MlKemParameterSet, privateKey: Uint8Array): Uint8Array {
  const algorithm = hexToBytes(seedPrefix[set].slice(10, 36));
  return der(0x30, hexToBytes("020100"), algorithm, der(0x04, privateKey));
}

const seedOf = (byte: number): Uint8Array => new Uint8Array(64).map((_, index) => byte + 3 * index);
const expandedOf = (set: MlKemParameterSet, seed: Uint8Array): Uint8Array => nobleExpandMlKem(mlKemSet(set), seed);

it("runs noble everywhere, and node first where it has ML-KEM", () => {
  expect(implementations.map(({ name }) => name)).toEqual(hasNative ? ["node", "noble"] : ["noble"]);
  expect(runtimeReport().find(({ primitive }) => primitive === "ML-KEM")).toMatchObject({
    chosen: hasNative ? "node" : "noble",
  });
});

describe.each(implementations)("ML-KEM by $name", (implementation) => {
  it.each([
    ["ML-KEM-768", "mlkem_768_keygen_seed_test.json"],
    ["ML-KEM-1024", "mlkem_1024_keygen_seed_test.json"],
  ] as const)("%s passes %s", async (set, name) => {
    const counts = await runCases<KemCase, KemGroup>(readWycheproof<KemCase, KemGroup>(name, 100), (test) => {
      const key = implementation.importSeed(set, hexToBytes(test.seed));
      assertSame(key.publicKey, hexToBytes(test.ek));
      assertSame(implementation.importExpandedKey(set, hexToBytes(test.dk)).publicKey, hexToBytes(test.ek));
      assertSame(key.exportSeed(), hexToBytes(test.seed));
      return test.result;
    });
    expect(counts).toEqual({ valid: 100 });
  });

  it.each([
    ["ML-KEM-768", "mlkem_768_test.json"],
    ["ML-KEM-1024", "mlkem_1024_test.json"],
  ] as const)("%s passes %s: implicit rejection, and lengths refused", async (set, name) => {
    const counts = await runCases<KemCase, KemGroup>(readWycheproof<KemCase, KemGroup>(name, 193), async (test) => {
      const [seed, ciphertext] = [hexToBytes(test.seed), hexToBytes(test.c)];
      if (test.result === "invalid" && seed.length !== 64) {
        expect(await codeOf(() => implementation.importSeed(set, seed))).toBe("ERR_KEY_INVALID");
        return "key refused";
      }
      const key = implementation.importSeed(set, seed);
      assertSame(key.publicKey, hexToBytes(test.ek));
      if (test.result === "invalid") {
        expect(await codeOf(() => key.decapsulate(ciphertext))).toBe("ERR_CIPHERTEXT_INVALID");
        return "ciphertext refused";
      }
      assertSame(key.decapsulate(ciphertext), hexToBytes(test.K));
      return test.result;
    });
    expect(counts).toEqual({ valid: 153, "key refused": 20, "ciphertext refused": 20 });
  });

  it.each([
    ["ML-KEM-768", "mlkem_768_encaps_test.json", 265, 132],
    ["ML-KEM-1024", "mlkem_1024_encaps_test.json", 269, 136],
  ] as const)("%s passes %s: the modulus check, and lengths refused", async (set, name, count, invalid) => {
    const file = readWycheproof<KemCase, KemGroup>(name, count);
    const counts = await runCases<KemCase, KemGroup>(file, async (test) => {
      const publicKey = hexToBytes(test.ek);
      if (test.result === "invalid") {
        expect(await codeOf(() => implementation.importPublicKey(set, publicKey))).toBe("ERR_KEY_INVALID");
        return "refused";
      }
      const { ciphertext, sharedSecret } = implementation.importPublicKey(set, publicKey).encapsulate();
      expect([ciphertext.length, sharedSecret.length]).toEqual([lengths[set].ciphertext, 32]);
      if (implementation.name !== "noble") return "taken";
      // Only noble takes the randomness from outside.
      const known = nobleEncapsulate(mlKemSet(set), publicKey, hexToBytes(test.m));
      assertSame(known.ciphertext, hexToBytes(test.c));
      assertSame(known.sharedSecret, hexToBytes(test.K));
      return "encapsulated";
    });
    expect(counts).toEqual({ [implementation.name === "noble" ? "encapsulated" : "taken"]: 133, refused: invalid });
  });

  it.each([
    ["ML-KEM-768", "mlkem_768_semi_expanded_decaps_test.json"],
    ["ML-KEM-1024", "mlkem_1024_semi_expanded_decaps_test.json"],
  ] as const)("%s passes %s: expanded keys", async (set, name) => {
    const counts = await runCases<KemCase, KemGroup>(readWycheproof<KemCase, KemGroup>(name, 9), async (test) => {
      const [expanded, ciphertext] = [hexToBytes(test.dk), hexToBytes(test.c)];
      if (test.result === "invalid" && !test.flags.includes("IncorrectCiphertextLength")) {
        expect(await codeOf(() => implementation.importExpandedKey(set, expanded))).toBe("ERR_KEY_INVALID");
        return "key refused";
      }
      const key = implementation.importExpandedKey(set, expanded);
      if (test.result === "invalid") {
        expect(await codeOf(() => key.decapsulate(ciphertext))).toBe("ERR_CIPHERTEXT_INVALID");
        return "ciphertext refused";
      }
      assertSame(key.decapsulate(ciphertext), hexToBytes(test.K));
      return test.result;
    });
    expect(counts).toEqual({ valid: 3, "key refused": 4, "ciphertext refused": 2 });
  });

  describe.each(sets)("%s", (set) => {
    const seed = seedOf(1);
    const key = implementation.importSeed(set, seed);
    const { publicKey } = key;

    it("generates keys, and encapsulates to them anew each time", () => {
      const made = implementation.generateKey(set);
      expect(made.parameterSet).toBe(set);
      expect(made.publicKey).toHaveLength(lengths[set].publicKey);
      expect(equalBytes(made.publicKey, implementation.generateKey(set).publicKey)).toBe(false);
      const half = implementation.importPublicKey(set, made.publicKey);
      expect(half.parameterSet).toBe(set);
      const secrets = [half.encapsulate(), half.encapsulate(), half.encapsulate()].map(
        ({ ciphertext, sharedSecret }) => {
          expect(Buffer.isBuffer(ciphertext) || Buffer.isBuffer(sharedSecret)).toBe(false);
          expect([ciphertext.length, sharedSecret.length, sharedSecret.buffer.byteLength]).toEqual([
            lengths[set].ciphertext,
            32,
            32,
          ]);
          assertSame(made.decapsulate(ciphertext), sharedSecret);
          return bytesToHex(sharedSecret);
        },
      );
      expect(new Set(secrets).size).toBe(3);
    });

    it("rejects a ciphertext with any bit flipped by another secret, always the same", () => {
      const { ciphertext, sharedSecret } = implementation.importPublicKey(set, publicKey).encapsulate();
      const step = process.env["SLOW"] === "1" ? 1 : 211;
      for (let bit = 0; bit < 8 * ciphertext.length; bit += step) {
        const changed = Uint8Array.from(ciphertext);
        changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
        const rejected = key.decapsulate(changed);
        expect(equalBytes(rejected, sharedSecret)).toBe(false);
        assertSame(key.decapsulate(changed), rejected);
      }
      // FIPS 203 algorithm 18 step 7: J(z || c).
      const zeros = new Uint8Array(lengths[set].ciphertext);
      const rejected = nodeCrypto.createHash("shake256", { outputLength: 32 }).update(seed.subarray(32)).update(zeros);
      assertSame(key.decapsulate(zeros), rejected.digest());
    });

    it("exchanges keys in every encoding with every implementation", () => {
      const expanded = expandedOf(set, seed);
      for (const other of implementations) {
        const theirs = other.importSeed(set, seed);
        const spki = mlKemPublicKeyToSpki(set, publicKey);
        for (const encoded of [theirs.publicKey, mlKemPublicKeyFromSpki(set, spki)]) {
          const { ciphertext, sharedSecret } = other.importPublicKey(set, encoded).encapsulate();
          for (const read of [
            key,
            implementation.importSeed(set, theirs.exportSeed()),
            implementation.importPrivateKey(set, theirs.exportPkcs8()),
            implementation.importPrivateKey(set, pkcs8Of(set, der(0x04, expanded))),
            implementation.importPrivateKey(set, pkcs8Of(set, der(0x30, der(0x04, seed), der(0x04, expanded)))),
            implementation.importExpandedKey(set, expanded),
            implementation.importPrivateKey(set, other.importExpandedKey(set, expanded).exportPkcs8()),
          ]) {
            assertSame(read.publicKey, publicKey);
            assertSame(read.decapsulate(ciphertext), sharedSecret);
            assertSame(
              read.decapsulate(new Uint8Array(ciphertext.length)),
              key.decapsulate(new Uint8Array(ciphertext.length)),
            );
          }
        }
      }
    });

    it("writes the seed alone where it knows it", async () => {
      assertSame(key.exportSeed(), seed);
      const expected = concatBytes(hexToBytes(seedPrefix[set]), seed);
      assertSame(key.exportPkcs8(), expected);
      const expanded = expandedOf(set, seed);
      const both = pkcs8Of(set, der(0x30, der(0x04, seed), der(0x04, expanded)));
      assertSame(implementation.importPrivateKey(set, both).exportPkcs8(), expected);
      const seedless = implementation.importExpandedKey(set, expanded);
      expect(await codeOf(() => seedless.exportSeed())).toBe("ERR_NOT_SUPPORTED");
      assertSame(seedless.exportPkcs8(), pkcs8Of(set, der(0x04, expanded)));
      assertSame(implementation.generateKey(set).exportPkcs8().subarray(0, 22), hexToBytes(seedPrefix[set]));
    });

    it("keeps nothing of the buffers it is given, and gives its own away as copies", () => {
      const [own, pkcs8, expanded] = [Uint8Array.from(seed), key.exportPkcs8(), expandedOf(set, seed)];
      const imported = [
        implementation.importSeed(set, own),
        implementation.importPrivateKey(set, pkcs8),
        implementation.importExpandedKey(set, expanded),
      ];
      const raw = Uint8Array.from(publicKey);
      const half = implementation.importPublicKey(set, raw);
      for (const buffer of [own, pkcs8, expanded, raw]) buffer.fill(0);
      half.publicKey.fill(0);
      assertSame(half.publicKey, publicKey);
      const { ciphertext, sharedSecret } = half.encapsulate();
      for (const read of imported) {
        read.publicKey.fill(0);
        read.exportPkcs8().fill(0);
        assertSame(read.publicKey, publicKey);
        assertSame(read.decapsulate(ciphertext), sharedSecret);
      }
    });

    it("refuses keys whose parts do not belong together", async () => {
      const expanded = expandedOf(set, seed);
      const other = expandedOf(set, seedOf(2));
      const k384 = (expanded.length - 96) / 2;
      const changes = [0, k384 - 1, k384, 2 * k384, 2 * k384 + 31, 2 * k384 + 32, 2 * k384 + 63];
      const wrong: Uint8Array[] = changes.map((at) => {
        const changed = Uint8Array.from(expanded);
        changed[at] = (changed[at] as number) ^ 1;
        return changed;
      });
      // The secret half of one key and all the rest of another.
      wrong.push(concatBytes(other.subarray(0, k384), expanded.subarray(k384)));
      // A number of 3329, in the secret half and in the public one with its hash made right.
      for (const at of [0, k384]) {
        const changed = Uint8Array.from(expanded);
        changed.set([0x01, ((changed[at + 1] as number) & 0xf0) | 0x0d], at);
        const publicHalf = changed.subarray(k384, 2 * k384 + 32);
        changed.set(nodeCrypto.createHash("sha3-256").update(publicHalf).digest(), 2 * k384 + 32);
        wrong.push(changed);
      }
      for (const bytes of wrong) {
        expect(await codeOf(() => implementation.importExpandedKey(set, bytes))).toBe("ERR_KEY_INVALID");
        expect(await codeOf(() => implementation.importPrivateKey(set, pkcs8Of(set, der(0x04, bytes))))).toBe(
          "ERR_KEY_INVALID",
        );
        const both = pkcs8Of(set, der(0x30, der(0x04, seed), der(0x04, bytes)));
        expect(await codeOf(() => implementation.importPrivateKey(set, both))).toBe("ERR_KEY_INVALID");
      }
      // The secret z belongs to nothing else: another one makes another key.
      const changed = Uint8Array.from(expanded);
      changed[changed.length - 1] = (changed.at(-1) as number) ^ 1;
      assertSame(implementation.importExpandedKey(set, changed).publicKey, publicKey);
    });

    it("refuses private keys of other algorithms, other forms, and every damaged one", async () => {
      const pkcs8 = key.exportPkcs8();
      const refused: Uint8Array[] = sets
        .filter((name) => name !== set)
        .map((name) => implementation.importSeed(name, seed).exportPkcs8());
      for (let length = 0; length < pkcs8.length; length++) refused.push(pkcs8.subarray(0, length));
      const expanded = expandedOf(set, seed);
      refused.push(
        concatBytes(pkcs8, Uint8Array.of(0)),
        seed,
        expanded,
        mlKemPublicKeyToSpki(set, publicKey),
        // Forms that OpenSSL takes and no RFC has: the bare seed and the bare expanded key.
        pkcs8Of(set, seed),
        pkcs8Of(set, expanded),
        pkcs8Of(set, der(0x80, seed.subarray(1))),
        pkcs8Of(set, der(0x80, concatBytes(seed, Uint8Array.of(0)))),
        pkcs8Of(set, der(0x04, seed)),
        pkcs8Of(set, der(0x80, expanded)),
        pkcs8Of(set, concatBytes(der(0x80, seed), Uint8Array.of(5, 0))),
        pkcs8Of(set, der(0x30, der(0x04, seed))),
        pkcs8Of(set, der(0x30, der(0x04, expanded), der(0x04, seed))),
        pkcs8Of(set, der(0x30, der(0x80, seed), der(0x04, expanded))),
        pkcs8Of(set, der(0x30, der(0x04, seed), der(0x04, expanded), Uint8Array.of(5, 0))),
      );
      for (const bytes of refused) {
        expect(await codeOf(() => implementation.importPrivateKey(set, bytes))).toBe("ERR_KEY_INVALID");
      }
      for (const length of [0, 32, 63, 65, 128]) {
        expect(await codeOf(() => implementation.importSeed(set, new Uint8Array(length)))).toBe("ERR_KEY_INVALID");
        expect(await codeOf(() => implementation.importExpandedKey(set, new Uint8Array(length)))).toBe(
          "ERR_KEY_INVALID",
        );
      }
    });

    it("refuses public keys of other lengths and with any number that is not reduced", async () => {
      const refused = [publicKey.subarray(1), concatBytes(publicKey, Uint8Array.of(0)), new Uint8Array(0)];
      const polynomials = publicKey.length - 32;
      for (const at of [0, 1, 2 * Math.floor(polynomials / 6), (polynomials * 2) / 3 - 1]) {
        for (const number of [3329, 4095]) {
          const changed = Uint8Array.from(publicKey);
          const offset = 3 * (at >> 1);
          if (at % 2 === 0)
            changed.set([number & 255, ((changed[offset + 1] as number) & 0xf0) | (number >> 8)], offset);
          else changed.set([((changed[offset + 1] as number) & 15) | ((number & 15) << 4), number >> 4], offset + 1);
          refused.push(changed);
        }
      }
      for (const bytes of refused) {
        expect(await codeOf(() => implementation.importPublicKey(set, bytes))).toBe("ERR_KEY_INVALID");
        expect(await codeOf(() => mlKemPublicKeyToSpki(set, bytes))).toBe("ERR_KEY_INVALID");
      }
      // The largest one is right.
      const largest = Uint8Array.from(publicKey);
      largest.set([0x00, 0x0d, 0xd0], 0);
      expect(implementation.importPublicKey(set, largest).encapsulate().sharedSecret).toHaveLength(32);
    });
  });

  it("refuses wrong arguments", () => {
    const key = implementation.importSeed("ML-KEM-512", seedOf(0));
    const wrong = "text" as unknown as Uint8Array;
    for (const call of [
      () => implementation.importSeed("ML-KEM-512", wrong),
      () => implementation.importExpandedKey("ML-KEM-512", wrong),
      () => implementation.importPrivateKey("ML-KEM-512", wrong),
      () => implementation.importPublicKey("ML-KEM-512", wrong),
      () => key.decapsulate(wrong),
    ]) {
      expect(call).toThrow(expect.objectContaining({ name: "TypeError", code: "ERR_ARGUMENT" }));
    }
    for (const set of ["ML-KEM-256", "constructor", undefined] as unknown as MlKemParameterSet[]) {
      expect(() => implementation.generateKey(set)).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
    }
  });
});

describe.runIf(hasNative)("node:crypto itself", () => {
  // Types of an older Node.
  const native = nodeCrypto as unknown as {
    generateKeyPairSync(type: string): {
      readonly publicKey: nodeCrypto.KeyObject;
      readonly privateKey: nodeCrypto.KeyObject;
    };
    encapsulate(key: nodeCrypto.KeyObject): { readonly sharedKey: Buffer; readonly ciphertext: Buffer };
  };

  it.each(sets)("writes %s keys that every implementation reads, and reads ours", (set) => {
    const { privateKey, publicKey } = native.generateKeyPairSync(set.toLowerCase());
    const spki = publicKey.export({ format: "der", type: "spki" });
    // Node 24 writes seed and expanded key, Node 26 the seed alone.
    const pkcs8 = privateKey.export({ format: "der", type: "pkcs8" });
    const raw = mlKemPublicKeyFromSpki(set, spki);
    assertSame(mlKemPublicKeyToSpki(set, raw), spki);
    const { sharedKey, ciphertext } = native.encapsulate(publicKey);
    for (const implementation of implementations) {
      const key = implementation.importPrivateKey(set, pkcs8);
      assertSame(key.publicKey, raw);
      assertSame(key.decapsulate(ciphertext), sharedKey);
      const back = nodeCrypto.createPrivateKey({ key: Buffer.from(key.exportPkcs8()), format: "der", type: "pkcs8" });
      assertSame(back.export({ format: "der", type: "pkcs8" }), pkcs8);
    }
  });

  it("is left with no copy of a private key that it was given", () => {
    const node = process.getBuiltinModule("node:crypto");
    const spy = vi.spyOn(node, "createPrivateKey");
    try {
      importMlKemSeed("ML-KEM-768", seedOf(3));
      const [options] = spy.mock.calls[0] as unknown as [{ readonly key: Uint8Array }];
      expect(options.key.length).toBe(86);
      expect(options.key.every((byte) => byte === 0)).toBe(true);
    } finally {
      spy.mockRestore();
    }
  });
});

describe("public keys in SPKI", () => {
  it.each(sets)("%s: refuses other algorithms and every damaged one", async (set) => {
    const { publicKey } = importMlKemSeed(set, seedOf(1));
    const spki = mlKemPublicKeyToSpki(set, publicKey);
    assertSame(mlKemPublicKeyFromSpki(set, spki), publicKey);
    const refused = [concatBytes(spki, Uint8Array.of(0)), publicKey, new Uint8Array(0)];
    for (let length = 1; length < spki.length; length += 7) refused.push(spki.subarray(0, length));
    for (let at = 0; at < 22; at++) {
      const changed = Uint8Array.from(spki);
      changed[at] = (changed[at] as number) ^ 1;
      refused.push(changed);
    }
    for (const name of sets) {
      if (name !== set) refused.push(mlKemPublicKeyToSpki(name, importMlKemSeed(name, seedOf(1)).publicKey));
    }
    for (const bytes of refused) {
      expect(await codeOf(() => mlKemPublicKeyFromSpki(set, bytes))).toBe("ERR_KEY_INVALID");
    }
    expect(() => mlKemPublicKeyFromSpki(set, "text" as unknown as Uint8Array)).toThrow(TypeError);
  });
});

it("offers the chosen implementation as functions", () => {
  fc.assert(
    fc.property(fc.constantFrom(...sets), (set) => {
      const key = generateMlKemKey(set);
      const { ciphertext, sharedSecret } = importMlKemPublicKey(set, key.publicKey).encapsulate();
      assertSame(importMlKemSeed(set, key.exportSeed()).decapsulate(ciphertext), sharedSecret);
      assertSame(importMlKemPrivateKey(set, key.exportPkcs8()).decapsulate(ciphertext), sharedSecret);
      const expanded = expandedOf(set, key.exportSeed());
      assertSame(importMlKemExpandedKey(set, expanded).decapsulate(ciphertext), sharedSecret);
    }),
    runs(10),
  );
});
