import * as nodeCrypto from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concatBytes, hexToBytes, utf8ToBytes } from "../src/bytes.js";
import {
  generateMlDsaKey,
  importMlDsaExpandedKey,
  importMlDsaPrivateKey,
  importMlDsaPublicKey,
  importMlDsaSeed,
  type MlDsaParameterSet,
  type MlDsaPublicKey,
  mlDsaImplementations,
  mlDsaMu,
  mlDsaPublicKeyFromSpki,
  mlDsaPublicKeyToSpki,
} from "../src/ml-dsa.js";
import { mlDsaSet } from "../src/ml-dsa-checked.js";
import { nobleExpandMlDsa } from "../src/ml-dsa-noble.js";
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

interface VerifyCase extends WycheproofCase {
  readonly msg: string;
  readonly ctx?: string;
  readonly sig: string;
}

interface VerifyGroup extends WycheproofGroup<VerifyCase> {
  readonly publicKey: string;
  readonly publicKeyDer: string;
}

const implementations = mlDsaImplementations();
const hasNative = Number(process.versions.node.split(".")[0]) >= 24;
const sets: readonly MlDsaParameterSet[] = ["ML-DSA-44", "ML-DSA-65", "ML-DSA-87"];
const lengths = {
  "ML-DSA-44": { publicKey: 1312, signature: 2420, expanded: 2560 },
  "ML-DSA-65": { publicKey: 1952, signature: 3309, expanded: 4032 },
  "ML-DSA-87": { publicKey: 2592, signature: 4627, expanded: 4896 },
};
/** PKCS#8 up to the seed, as OpenSSL writes it. */
const seedPrefix = {
  "ML-DSA-44": "3034020100300b060960864801650304031104228020",
  "ML-DSA-65": "3034020100300b060960864801650304031204228020",
  "ML-DSA-87": "3034020100300b060960864801650304031304228020",
};
const text = utf8ToBytes("a message");

function der(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const body = concatBytes(...contents);
  const { length } = body;
  const header = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return concatBytes(Uint8Array.of(tag, ...header), body);
}

/** PKCS#8 with any contents of the private key. */
function pkcs8Of(set: MlDsaParameterSet, privateKey: Uint8Array): Uint8Array {
  const algorithm = hexToBytes(seedPrefix[set].slice(10, 36));
  return der(0x30, hexToBytes("020100"), algorithm, der(0x04, privateKey));
}

const seedOf = (byte: number): Uint8Array => new Uint8Array(32).map((_, index) => byte + 3 * index);
const expandedOf = (set: MlDsaParameterSet, seed: Uint8Array): Uint8Array => nobleExpandMlDsa(mlDsaSet(set), seed);

it("runs noble everywhere, and node first where it has ML-DSA", () => {
  expect(implementations.map(({ name }) => name)).toEqual(hasNative ? ["node", "noble"] : ["noble"]);
  expect(runtimeReport().find(({ primitive }) => primitive === "ML-DSA")).toMatchObject({
    chosen: hasNative ? "node" : "noble",
  });
});

describe.each(implementations)("ML-DSA by $name", (implementation) => {
  it.each([
    ["ML-DSA-65", "mldsa_65_verify_test.json", 210, { valid: 79, invalid: 122 }],
    ["ML-DSA-87", "mldsa_87_verify_test.json", 241, { valid: 71, invalid: 161 }],
  ] as const)("%s passes %s", async (set, name, count, expected) => {
    const file = readWycheproof<VerifyCase, VerifyGroup>(name, count);
    const keys = new Map<VerifyGroup, MlDsaPublicKey>();
    const counts = await runCases<VerifyCase, VerifyGroup>(file, async (test, group) => {
      const bytes = hexToBytes(group.publicKey);
      if (test.flags.includes("IncorrectPublicKeyLength")) {
        expect(await codeOf(() => implementation.importPublicKey(set, bytes))).toBe("ERR_KEY_INVALID");
        return "key refused";
      }
      const key = keys.get(group) ?? implementation.importPublicKey(set, bytes);
      if (!keys.has(group)) {
        keys.set(group, key);
        assertSame(mlDsaPublicKeyFromSpki(set, hexToBytes(group.publicKeyDer)), bytes);
        assertSame(mlDsaPublicKeyToSpki(set, bytes), hexToBytes(group.publicKeyDer));
      }
      const [message, signature] = [hexToBytes(test.msg), hexToBytes(test.sig)];
      const options = test.ctx === undefined ? {} : { context: hexToBytes(test.ctx) };
      if (test.flags.includes("InvalidContext")) {
        expect(await codeOf(() => key.verify(message, signature, options))).toBe("ERR_ARGUMENT");
        return "context refused";
      }
      expect(key.verify(message, signature, options)).toBe(test.result === "valid");
      return test.result;
    });
    expect(counts).toEqual({ ...expected, "key refused": 4, "context refused": 5 });
  });

  describe.each(sets)("%s", (set) => {
    const seed = seedOf(1);
    const key = implementation.importSeed(set, seed);
    const { publicKey } = key;
    const half = implementation.importPublicKey(set, publicKey);

    it("signs what every implementation verifies, with every form of context", () => {
      for (const context of [undefined, new Uint8Array(0), text, new Uint8Array(255).fill(7)]) {
        const options = context === undefined ? {} : { context };
        const mu = mlDsaMu(set, publicKey, text, options);
        const signatures = [
          key.sign(text, options),
          key.sign(text, { ...options, deterministic: true }),
          key.sign(text, { ...options, deterministic: false }),
          key.signMu(mu),
          key.signMu(mu, { deterministic: true }),
        ];
        for (const [index, signature] of signatures.entries()) {
          expect(signature).toHaveLength(lengths[set].signature);
          expect(Buffer.isBuffer(signature)).toBe(false);
          for (const other of implementations) {
            const verifier = other.importPublicKey(set, publicKey);
            expect(verifier.verify(text, signature, options)).toBe(true);
            if (index > 1) continue;
            expect(verifier.verifyMu(mu, signature)).toBe(true);
            expect(verifier.verify(concatBytes(text, text), signature, options)).toBe(false);
            expect(verifier.verify(text, signature, { context: Uint8Array.of(1) })).toBe(false);
            if ((context?.length ?? 0) > 0) expect(verifier.verify(text, signature)).toBe(false);
          }
        }
        // Without randomness both ways give the same; with it each gives another.
        assertSame(signatures[1] as Uint8Array, signatures[4] as Uint8Array);
        expect(new Set(signatures.map((signature) => Buffer.from(signature).toString("hex"))).size).toBe(4);
      }
    });

    it("rejects every changed, cut and prolonged signature, and never throws", () => {
      const signature = key.sign(text);
      expect(half.verify(text, signature)).toBe(true);
      const { length } = signature;
      const step = process.env["SLOW"] === "1" ? 1 : 41;
      for (let at = 0; at < length; at += at < length - 90 ? step : 9) {
        const changed = Uint8Array.from(signature);
        changed[at] = (changed[at] as number) ^ (1 << (at & 7));
        expect(half.verify(text, changed)).toBe(false);
      }
      const mu = mlDsaMu(set, publicKey, text);
      for (const wrong of [
        new Uint8Array(0),
        signature.subarray(1),
        signature.subarray(0, -1),
        concatBytes(signature, Uint8Array.of(0)),
        new Uint8Array(length),
        new Uint8Array(length).fill(255),
      ]) {
        expect(half.verify(text, wrong)).toBe(false);
        expect(half.verifyMu(mu, wrong)).toBe(false);
      }
      expect(half.verifyMu(mlDsaMu(set, publicKey, signature), signature)).toBe(false);
      const other = implementation.importPublicKey(set, implementation.generateKey(set).publicKey);
      expect(other.verify(text, signature)).toBe(false);
    });

    it("exchanges keys in every encoding with every implementation", () => {
      const expanded = expandedOf(set, seed);
      const expected = key.sign(text, { deterministic: true });
      for (const other of implementations) {
        const theirs = other.importSeed(set, seed);
        for (const read of [
          implementation.importSeed(set, theirs.exportSeed()),
          implementation.importPrivateKey(set, theirs.exportPkcs8()),
          implementation.importPrivateKey(set, pkcs8Of(set, der(0x04, expanded))),
          implementation.importPrivateKey(set, pkcs8Of(set, der(0x30, der(0x04, seed), der(0x04, expanded)))),
          implementation.importExpandedKey(set, expanded),
          implementation.importPrivateKey(set, other.importExpandedKey(set, expanded).exportPkcs8()),
        ]) {
          assertSame(read.publicKey, publicKey);
          assertSame(read.sign(text, { deterministic: true }), expected);
          expect(half.verify(text, read.sign(text))).toBe(true);
        }
        for (const encoded of [
          theirs.publicKey,
          mlDsaPublicKeyFromSpki(set, mlDsaPublicKeyToSpki(set, theirs.publicKey)),
        ]) {
          expect(implementation.importPublicKey(set, encoded).verify(text, theirs.sign(text))).toBe(true);
        }
      }
    });

    it("generates keys, and writes the seed alone where it knows it", async () => {
      const made = implementation.generateKey(set);
      expect(made.parameterSet).toBe(set);
      expect(made.publicKey).toHaveLength(lengths[set].publicKey);
      const verifier = implementation.importPublicKey(set, made.publicKey);
      expect(verifier.parameterSet).toBe(set);
      expect(verifier.verify(text, made.sign(text))).toBe(true);
      assertSame(made.exportPkcs8().subarray(0, 22), hexToBytes(seedPrefix[set]));
      const expected = concatBytes(hexToBytes(seedPrefix[set]), seed);
      assertSame(key.exportPkcs8(), expected);
      assertSame(key.exportSeed(), seed);
      const expanded = expandedOf(set, seed);
      const both = pkcs8Of(set, der(0x30, der(0x04, seed), der(0x04, expanded)));
      assertSame(implementation.importPrivateKey(set, both).exportPkcs8(), expected);
      const seedless = implementation.importExpandedKey(set, expanded);
      expect(await codeOf(() => seedless.exportSeed())).toBe("ERR_NOT_SUPPORTED");
      assertSame(seedless.exportPkcs8(), pkcs8Of(set, der(0x04, expanded)));
    });

    it("keeps nothing of the buffers it is given, and gives its own away as copies", () => {
      const [own, pkcs8, expanded] = [Uint8Array.from(seed), key.exportPkcs8(), expandedOf(set, seed)];
      const imported = [
        implementation.importSeed(set, own),
        implementation.importPrivateKey(set, pkcs8),
        implementation.importExpandedKey(set, expanded),
      ];
      const raw = Uint8Array.from(publicKey);
      const verifier = implementation.importPublicKey(set, raw);
      for (const buffer of [own, pkcs8, expanded, raw]) buffer.fill(0);
      verifier.publicKey.fill(0);
      assertSame(verifier.publicKey, publicKey);
      for (const read of imported) {
        read.publicKey.fill(0);
        read.exportPkcs8().fill(0);
        assertSame(read.publicKey, publicKey);
        const signature = read.sign(text);
        expect(verifier.verify(text, signature)).toBe(true);
        expect(verifier.verifyMu(mlDsaMu(set, publicKey, text), signature)).toBe(true);
      }
    });

    it("refuses keys whose parts do not belong together", async () => {
      const expanded = expandedOf(set, seed);
      const other = expandedOf(set, seedOf(2));
      const wrong: Uint8Array[] = [];
      // A bit of rho, of tr at both ends, and of the secret vectors.
      for (const at of [0, 31, 64, 127, 128, 400]) {
        const changed = Uint8Array.from(expanded);
        changed[at] = (changed[at] as number) ^ 1;
        wrong.push(changed);
      }
      // A number of the secret vectors that is out of range, and the t0 of another key.
      const outOfRange = Uint8Array.from(expanded);
      outOfRange[128] = 0xff;
      wrong.push(outOfRange);
      const t0 = expanded.length - 416 * (set === "ML-DSA-44" ? 4 : set === "ML-DSA-65" ? 6 : 8);
      wrong.push(concatBytes(expanded.subarray(0, t0), other.subarray(t0)));
      for (const bytes of wrong) {
        expect(await codeOf(() => implementation.importExpandedKey(set, bytes))).toBe("ERR_KEY_INVALID");
        const alone = pkcs8Of(set, der(0x04, bytes));
        expect(await codeOf(() => implementation.importPrivateKey(set, alone))).toBe("ERR_KEY_INVALID");
        const both = pkcs8Of(set, der(0x30, der(0x04, seed), der(0x04, bytes)));
        expect(await codeOf(() => implementation.importPrivateKey(set, both))).toBe("ERR_KEY_INVALID");
      }
    });

    it("refuses private keys of other algorithms, other forms, and every damaged one", async () => {
      const pkcs8 = key.exportPkcs8();
      const expanded = expandedOf(set, seed);
      const refused: Uint8Array[] = [
        concatBytes(pkcs8, Uint8Array.of(0)),
        seed,
        expanded,
        mlDsaPublicKeyToSpki(set, publicKey),
        pkcs8Of(set, seed),
        pkcs8Of(set, expanded),
        pkcs8Of(set, der(0x80, seed.subarray(1))),
        pkcs8Of(set, der(0x80, concatBytes(seed, Uint8Array.of(0)))),
        pkcs8Of(set, der(0x04, seed)),
        pkcs8Of(set, der(0x80, expanded)),
        pkcs8Of(set, der(0x30, der(0x04, seed))),
        pkcs8Of(set, der(0x30, der(0x04, expanded), der(0x04, seed))),
      ];
      for (const name of sets) {
        if (name !== set) refused.push(implementation.importSeed(name, seed).exportPkcs8());
      }
      for (let length = 0; length < pkcs8.length; length++) refused.push(pkcs8.subarray(0, length));
      for (const bytes of refused) {
        expect(await codeOf(() => implementation.importPrivateKey(set, bytes))).toBe("ERR_KEY_INVALID");
      }
      for (const length of [0, 31, 33, 64]) {
        expect(await codeOf(() => implementation.importSeed(set, new Uint8Array(length)))).toBe("ERR_KEY_INVALID");
        expect(await codeOf(() => implementation.importExpandedKey(set, new Uint8Array(length)))).toBe(
          "ERR_KEY_INVALID",
        );
      }
      for (const bytes of [publicKey.subarray(1), concatBytes(publicKey, Uint8Array.of(0)), new Uint8Array(0)]) {
        expect(await codeOf(() => implementation.importPublicKey(set, bytes))).toBe("ERR_KEY_INVALID");
        expect(await codeOf(() => mlDsaPublicKeyToSpki(set, bytes))).toBe("ERR_KEY_INVALID");
        expect(await codeOf(() => mlDsaMu(set, bytes, text))).toBe("ERR_KEY_INVALID");
      }
    });
  });

  it("refuses wrong arguments", () => {
    const key = implementation.importSeed("ML-DSA-44", seedOf(0));
    const half = implementation.importPublicKey("ML-DSA-44", key.publicKey);
    const wrong = "text" as unknown as Uint8Array;
    const mu = new Uint8Array(64);
    for (const call of [
      () => implementation.importSeed("ML-DSA-44", wrong),
      () => implementation.importExpandedKey("ML-DSA-44", wrong),
      () => implementation.importPrivateKey("ML-DSA-44", wrong),
      () => implementation.importPublicKey("ML-DSA-44", wrong),
      () => key.sign(wrong),
      () => key.sign(wrong, { deterministic: true }),
      () => key.sign(text, { context: wrong }),
      () => key.sign(text, { deterministic: 1 as unknown as boolean }),
      () => key.sign(text, { ctx: text } as object),
      () => key.sign(text, null as unknown as object),
      () => key.signMu(wrong),
      () => key.signMu(mu, { context: text } as object),
      () => half.verify(wrong, text),
      () => half.verify(text, wrong),
      () => half.verify(text, text, { context: wrong }),
      () => half.verify(text, text, { deterministic: true } as object),
      () => half.verifyMu(wrong, text),
      () => half.verifyMu(mu, wrong),
      () => mlDsaMu("ML-DSA-44", key.publicKey, wrong),
    ]) {
      expect(call).toThrow(expect.objectContaining({ name: "TypeError", code: "ERR_ARGUMENT" }));
    }
    const context = new Uint8Array(256);
    for (const call of [
      () => key.sign(text, { context }),
      () => half.verify(text, text, { context }),
      () => mlDsaMu("ML-DSA-44", key.publicKey, text, { context }),
      () => key.signMu(new Uint8Array(63)),
      () => half.verifyMu(new Uint8Array(65), text),
      () => implementation.generateKey("ML-DSA-99" as MlDsaParameterSet),
      () => implementation.generateKey("constructor" as MlDsaParameterSet),
    ]) {
      expect(call).toThrow(expect.objectContaining({ name: "RangeError", code: "ERR_ARGUMENT" }));
    }
  });
});

describe.runIf(hasNative)("node:crypto itself", () => {
  // Types of an older Node.
  const native = nodeCrypto as unknown as {
    generateKeyPairSync(type: string): Record<"publicKey" | "privateKey", nodeCrypto.KeyObject>;
  };

  it.each(sets)("writes %s keys that every implementation reads, and reads ours", (set) => {
    const { privateKey, publicKey } = native.generateKeyPairSync(set.toLowerCase());
    const spki = publicKey.export({ format: "der", type: "spki" });
    // Node 24 writes seed and expanded key, Node 26 the seed alone.
    const pkcs8 = privateKey.export({ format: "der", type: "pkcs8" });
    const raw = mlDsaPublicKeyFromSpki(set, spki);
    assertSame(mlDsaPublicKeyToSpki(set, raw), spki);
    const context = Uint8Array.of(1, 2);
    const withContext = (key: nodeCrypto.KeyObject): nodeCrypto.KeyObject =>
      ({ key, context }) as unknown as nodeCrypto.KeyObject;
    for (const implementation of implementations) {
      const key = implementation.importPrivateKey(set, pkcs8);
      const half = implementation.importPublicKey(set, raw);
      assertSame(key.publicKey, raw);
      expect(half.verify(text, nodeCrypto.sign(null, text, privateKey))).toBe(true);
      expect(half.verify(text, nodeCrypto.sign(null, text, withContext(privateKey)), { context })).toBe(true);
      expect(nodeCrypto.verify(null, text, publicKey, key.sign(text))).toBe(true);
      expect(nodeCrypto.verify(null, text, withContext(publicKey), key.sign(text, { context }))).toBe(true);
      expect(nodeCrypto.verify(null, text, publicKey, key.signMu(mlDsaMu(set, raw, text)))).toBe(true);
      const back = nodeCrypto.createPrivateKey({ key: Buffer.from(key.exportPkcs8()), format: "der", type: "pkcs8" });
      assertSame(back.export({ format: "der", type: "pkcs8" }), pkcs8);
    }
  });
});

it("offers the chosen implementation as functions", () => {
  fc.assert(
    fc.property(fc.constantFrom(...sets), fc.uint8Array({ maxLength: 200 }), (set, message) => {
      const key = generateMlDsaKey(set);
      const half = importMlDsaPublicKey(set, key.publicKey);
      const expanded = expandedOf(set, key.exportSeed());
      for (const read of [
        key,
        importMlDsaSeed(set, key.exportSeed()),
        importMlDsaPrivateKey(set, key.exportPkcs8()),
        importMlDsaExpandedKey(set, expanded),
      ]) {
        expect(half.verify(message, read.sign(message))).toBe(true);
      }
    }),
    runs(4),
  );
});
