// Runs the signing vectors of ML-DSA: one test file for each parameter set, since noble's signatures take tens of milliseconds. It
// must not know which files there are.
import { describe, expect, it } from "vitest";
import { hexToBytes } from "../src/bytes.js";
import {
  type MlDsaImplementation,
  type MlDsaParameterSet,
  type MlDsaPrivateKey,
  mlDsaImplementations,
  mlDsaMu,
} from "../src/ml-dsa.js";
import { mlDsaSet } from "../src/ml-dsa-checked.js";
import { nobleExpandMlDsa, nobleSign } from "../src/ml-dsa-noble.js";
import { parseLatticePkcs8 } from "../src/pq-encoding.js";
import {
  assertSame,
  codeOf,
  readWycheproof,
  runCases,
  type WycheproofCase,
  type WycheproofGroup,
} from "./wycheproof.js";

interface SignCase extends WycheproofCase {
  readonly msg?: string;
  readonly mu?: string;
  readonly ctx?: string;
  readonly rnd?: string;
  readonly sig: string;
}

interface SignGroup extends WycheproofGroup<SignCase> {
  readonly privateSeed?: string;
  readonly privateKeyPkcs8?: string;
  readonly privateKey?: string;
  readonly publicKey: string | null;
}

const implementations = mlDsaImplementations();

/** The key of a group, by its seed or by its expanded form. */
function keyOf(implementation: MlDsaImplementation, set: MlDsaParameterSet, group: SignGroup): MlDsaPrivateKey {
  if (group.privateSeed === undefined) {
    return implementation.importExpandedKey(set, hexToBytes(group.privateKey as string));
  }
  return implementation.importSeed(set, hexToBytes(group.privateSeed));
}

/** The expanded key of a PKCS#8, which holds it or its seed. */
function expandedOf(set: MlDsaParameterSet, pkcs8: Uint8Array): Uint8Array {
  const row = mlDsaSet(set);
  const { seed, expanded } = parseLatticePkcs8(row, pkcs8);
  return expanded ?? nobleExpandMlDsa(row, seed as Uint8Array);
}

/** Runs one case; gives a label for what happened. */
async function check(
  implementation: MlDsaImplementation,
  set: MlDsaParameterSet,
  key: MlDsaPrivateKey,
  test: SignCase,
): Promise<string> {
  const signature = hexToBytes(test.sig);
  const context = hexToBytes(test.ctx ?? "");
  if (test.flags.includes("InvalidContext")) {
    const sign = () => key.sign(hexToBytes(test.msg ?? ""), { context });
    expect(await codeOf(sign)).toBe("ERR_ARGUMENT");
    return "context refused";
  }
  expect(test.result).toBe("valid");
  const publicKey = implementation.importPublicKey(set, key.publicKey);
  const mu = hexToBytes(test.mu as string);
  expect(publicKey.verifyMu(mu, signature)).toBe(true);
  if (test.msg === undefined) {
    assertSame(key.signMu(mu, { deterministic: true }), signature);
    return "by representative";
  }
  const message = hexToBytes(test.msg);
  assertSame(mlDsaMu(set, key.publicKey, message, { context }), mu);
  expect(publicKey.verify(message, signature, { context })).toBe(true);
  if (test.rnd !== undefined) {
    // The randomness is not an option of ours, so that this is noble's own function.
    const expanded = expandedOf(set, key.exportPkcs8());
    assertSame(nobleSign(mlDsaSet(set), expanded, message, context, hexToBytes(test.rnd)), signature);
    return "with randomness";
  }
  // Signing without randomness is noble's code in every implementation: elsewhere a third of the cases tells that it is reached.
  if (implementation.name === "noble" || test.tcId % 3 === 0)
    assertSame(key.sign(message, { context, deterministic: true }), signature);
  // With randomness too, by the implementation's own means: another signature, as right. noble's are slow.
  if (implementation.name === "noble" && test.tcId % 5 !== 0) return "signed";
  const fresh = key.sign(message, { context });
  expect(Buffer.compare(fresh, signature)).not.toBe(0);
  expect(publicKey.verify(message, fresh, { context })).toBe(true);
  return "signed";
}

/** Where the cases of one parameter set are, how many there are, and how many end how. */
export interface SigningVectors {
  readonly set: MlDsaParameterSet;
  readonly seed: { readonly name: string; readonly count: number; readonly expected: Readonly<Record<string, number>> };
  readonly expanded: SigningVectors["seed"];
}

/** Defines the tests of one parameter set. */
export function testSigning({ set, seed, expanded }: SigningVectors): void {
  describe.each(implementations)(`${set} signing by $name`, (implementation) => {
    it(`passes ${seed.name}`, async () => {
      const file = readWycheproof<SignCase, SignGroup>(seed.name, seed.count);
      const keys = new Map<SignGroup, MlDsaPrivateKey>();
      const counts = await runCases<SignCase, SignGroup>(file, async (test, group) => {
        if (test.flags.includes("IncorrectPrivateKeyLength")) {
          expect(await codeOf(() => keyOf(implementation, set, group))).toBe("ERR_KEY_INVALID");
          return "key refused";
        }
        const key = keys.get(group) ?? keyOf(implementation, set, group);
        if (!keys.has(group)) {
          keys.set(group, key);
          assertSame(key.publicKey, hexToBytes(group.publicKey as string));
          if (group.privateKeyPkcs8 !== undefined) {
            const pkcs8 = hexToBytes(group.privateKeyPkcs8);
            assertSame(key.exportPkcs8(), pkcs8);
            assertSame(implementation.importPrivateKey(set, pkcs8).publicKey, key.publicKey);
          }
        }
        return check(implementation, set, key, test);
      });
      expect(counts).toEqual(seed.expected);
    });

    it(`passes ${expanded.name}: expanded keys`, async () => {
      const file = readWycheproof<SignCase, SignGroup>(expanded.name, expanded.count);
      const keys = new Map<SignGroup, MlDsaPrivateKey>();
      const counts = await runCases<SignCase, SignGroup>(file, async (test, group) => {
        if (test.flags.some((flag) => flag === "IncorrectPrivateKeyLength" || flag === "InvalidPrivateKey")) {
          expect(await codeOf(() => keyOf(implementation, set, group))).toBe("ERR_KEY_INVALID");
          return "key refused";
        }
        const key = keys.get(group) ?? keyOf(implementation, set, group);
        if (!keys.has(group)) {
          keys.set(group, key);
          assertSame(key.publicKey, hexToBytes(group.publicKey as string));
          expect(await codeOf(() => key.exportSeed())).toBe("ERR_NOT_SUPPORTED");
        }
        return check(implementation, set, key, test);
      });
      expect(counts).toEqual(expanded.expected);
    });
  });
}
