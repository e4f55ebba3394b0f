// ML-KEM and the hybrid KEMs in the browser, with every implementation. It must not know how an implementation does it.
import { bytesToHex, hexToBytes } from "@fengni/crypto/bytes";
import { type HybridKemName, hybridKemImplementations } from "@fengni/crypto/hybrid-kem";
import {
  type MlKemImplementation,
  type MlKemParameterSet,
  mlKemImplementations,
  mlKemPublicKeyFromSpki,
  mlKemPublicKeyToSpki,
} from "@fengni/crypto/ml-kem";
import {
  type Emit,
  equal,
  expectNames,
  flipped,
  patternOf,
  refused,
  runOwn,
  runWycheproof,
  same,
  type WycheproofCase,
} from "../harness.js";

interface KemGroup {
  readonly tests: readonly (WycheproofCase & Readonly<Record<"seed" | "dk" | "ek" | "c" | "K", string>>)[];
}

const sets = [
  ["ML-KEM-768", "mlkem_768", 1088, 132],
  ["ML-KEM-1024", "mlkem_1024", 1568, 136],
] as const;

async function vectors(emit: Emit, implementation: MlKemImplementation): Promise<void> {
  const { name } = implementation;
  for (const [set, prefix, ciphertextBytes, refusedKeys] of sets) {
    await runWycheproof<KemGroup>(emit, {
      name: `${prefix}_keygen_seed_test.json`,
      implementation: name,
      expected: { valid: 100 },
      check: (test) => {
        const key = implementation.importSeed(set, hexToBytes(test.seed));
        same(key.publicKey, hexToBytes(test.ek), "public key");
        const expanded = implementation.importExpandedKey(set, hexToBytes(test.dk));
        same(expanded.publicKey, hexToBytes(test.ek), "public key of the expanded key");
        same(key.exportSeed(), hexToBytes(test.seed), "seed");
        return test.result;
      },
    });
    await runWycheproof<KemGroup>(emit, {
      name: `${prefix}_test.json`,
      implementation: name,
      expected: { valid: 153, "key refused": 20, "ciphertext refused": 20 },
      check: async (test) => {
        const [seed, ciphertext] = [hexToBytes(test.seed), hexToBytes(test.c)];
        if (test.result === "invalid" && seed.length !== 64) {
          await refused(() => implementation.importSeed(set, seed), "ERR_KEY_INVALID");
          return "key refused";
        }
        const key = implementation.importSeed(set, seed);
        same(key.publicKey, hexToBytes(test.ek), "public key");
        if (test.result === "invalid") {
          await refused(() => key.decapsulate(ciphertext), "ERR_CIPHERTEXT_INVALID");
          return "ciphertext refused";
        }
        same(key.decapsulate(ciphertext), hexToBytes(test.K), "shared secret");
        return test.result;
      },
    });
    await runWycheproof<KemGroup>(emit, {
      name: `${prefix}_encaps_test.json`,
      implementation: name,
      // The randomness of encapsulation is no option of the API: the key is taken, and encapsulated to with fresh randomness.
      expected: { "other randomness": 133, refused: refusedKeys },
      outOfScope: ["other randomness"],
      check: async (test) => {
        const read = () => implementation.importPublicKey(set, hexToBytes(test.ek));
        if (test.result === "invalid") {
          await refused(read, "ERR_KEY_INVALID");
          return "refused";
        }
        const { ciphertext, sharedSecret } = read().encapsulate();
        equal([ciphertext.length, sharedSecret.length], [ciphertextBytes, 32], "lengths");
        return "other randomness";
      },
    });
    await runWycheproof<KemGroup>(emit, {
      name: `${prefix}_semi_expanded_decaps_test.json`,
      implementation: name,
      expected: { valid: 3, "key refused": 4, "ciphertext refused": 2 },
      check: async (test) => {
        const [expanded, ciphertext] = [hexToBytes(test.dk), hexToBytes(test.c)];
        if (test.result === "invalid" && !test.flags.includes("IncorrectCiphertextLength")) {
          await refused(() => implementation.importExpandedKey(set, expanded), "ERR_KEY_INVALID");
          return "key refused";
        }
        const key = implementation.importExpandedKey(set, expanded);
        if (test.result === "invalid") {
          await refused(() => key.decapsulate(ciphertext), "ERR_CIPHERTEXT_INVALID");
          return "ciphertext refused";
        }
        same(key.decapsulate(ciphertext), hexToBytes(test.K), "shared secret");
        return test.result;
      },
    });
  }
}

async function roundTrips(emit: Emit, implementation: MlKemImplementation): Promise<void> {
  const all: readonly MlKemParameterSet[] = ["ML-KEM-512", "ML-KEM-768", "ML-KEM-1024"];
  const cases = all.map((set) => {
    const work = (): void => {
      const key = implementation.generateKey(set);
      const spki = mlKemPublicKeyToSpki(set, key.publicKey);
      const half = implementation.importPublicKey(set, mlKemPublicKeyFromSpki(set, spki));
      const again = implementation.importPrivateKey(set, key.exportPkcs8());
      const { ciphertext, sharedSecret } = half.encapsulate();
      same(again.decapsulate(ciphertext), sharedSecret, "shared secret");
      const rejected = key.decapsulate(flipped(ciphertext, 5));
      equal(bytesToHex(rejected) === bytesToHex(sharedSecret), false, "a changed ciphertext gives the same secret");
      same(again.decapsulate(flipped(ciphertext, 5)), rejected, "implicit rejection");
    };
    return [set, work] as const;
  });
  await runOwn(emit, "ML-KEM: round trips", implementation.name, Object.fromEntries(cases));
}

export async function mlKem(emit: Emit): Promise<void> {
  const implementations = mlKemImplementations();
  expectNames(implementations, ["noble"]);
  for (const implementation of implementations) {
    await vectors(emit, implementation);
    await roundTrips(emit, implementation);
  }
}

/** There are no files of vectors for the hybrids: every implementation against every other. */
export async function hybridKem(emit: Emit): Promise<void> {
  const kems: readonly (readonly [HybridKemName, readonly string[]])[] = [
    ["X-Wing", ["noble+noble"]],
    ["ML-KEM-768+SM2", ["noble+wasm", "noble+noble"]],
  ];
  for (const [kem, names] of kems) {
    const implementations = hybridKemImplementations(kem);
    expectNames(implementations, names);
    for (const implementation of implementations) {
      const key = implementation.importSeed(patternOf(32));
      const cases = implementations.map((other) => {
        const work = async (): Promise<void> => {
          const { ciphertext, sharedSecret } = other.importPublicKey(key.publicKey).encapsulate();
          same(key.decapsulate(ciphertext), sharedSecret, "shared secret");
          same(other.importSeed(key.exportSeed()).decapsulate(ciphertext), sharedSecret, "shared secret of the seed");
          const changed = key.decapsulate(flipped(ciphertext, 7));
          equal(bytesToHex(changed) === bytesToHex(sharedSecret), false, "a changed ciphertext gives the same secret");
          await refused(() => key.decapsulate(ciphertext.subarray(1)), "ERR_CIPHERTEXT_INVALID");
          await refused(() => other.importPublicKey(key.publicKey.subarray(1)), "ERR_KEY_INVALID");
        };
        return [`agrees with ${other.name}`, work] as const;
      });
      await runOwn(emit, `${kem}: between implementations`, implementation.name, Object.fromEntries(cases));
    }
  }
}
