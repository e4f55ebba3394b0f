// ML-DSA and SLH-DSA in the browser, with every implementation. It must not know how an implementation does it.
import { bytesToHex, hexToBytes, utf8ToBytes } from "@fengni/crypto/bytes";
import {
  type MlDsaImplementation,
  type MlDsaParameterSet,
  type MlDsaPrivateKey,
  mlDsaImplementations,
  mlDsaMu,
  mlDsaPublicKeyFromSpki,
} from "@fengni/crypto/ml-dsa";
import { slhDsaImplementations } from "@fengni/crypto/slh-dsa";
import {
  type Emit,
  equal,
  expectNames,
  flipped,
  refused,
  runOwn,
  runWycheproof,
  same,
  type WycheproofCase,
} from "../harness.js";

interface SignCase extends WycheproofCase {
  readonly msg?: string;
  readonly mu?: string;
  readonly ctx?: string;
  readonly rnd?: string;
  readonly sig: string;
}

interface VerifyGroup {
  readonly publicKey: string;
  readonly publicKeyDer: string;
  readonly tests: readonly SignCase[];
}

interface SignGroup {
  readonly privateSeed?: string;
  readonly privateKeyPkcs8?: string;
  readonly privateKey?: string;
  readonly publicKey: string | null;
  readonly tests: readonly SignCase[];
}

const text = utf8ToBytes("a message");

async function verification(emit: Emit, implementation: MlDsaImplementation): Promise<void> {
  for (const [set, name, valid, invalid] of [
    ["ML-DSA-65", "mldsa_65_verify_test.json", 79, 122],
    ["ML-DSA-87", "mldsa_87_verify_test.json", 71, 161],
  ] as const) {
    await runWycheproof<VerifyGroup>(emit, {
      name,
      implementation: implementation.name,
      expected: { valid, invalid, "key refused": 4, "context refused": 5 },
      check: async (test, group) => {
        const read = () => implementation.importPublicKey(set, hexToBytes(group.publicKey));
        if (test.flags.includes("IncorrectPublicKeyLength")) {
          await refused(read, "ERR_KEY_INVALID");
          return "key refused";
        }
        same(mlDsaPublicKeyFromSpki(set, hexToBytes(group.publicKeyDer)), hexToBytes(group.publicKey), "SPKI");
        const [message, signature] = [hexToBytes(test.msg ?? ""), hexToBytes(test.sig)];
        const options = test.ctx === undefined ? {} : { context: hexToBytes(test.ctx) };
        const verify = () => read().verify(message, signature, options);
        if (test.flags.includes("InvalidContext")) {
          await refused(verify, "ERR_ARGUMENT");
          return "context refused";
        }
        equal(verify(), test.result === "valid", "verifies");
        return test.result;
      },
    });
  }
}

/** Runs one case of a signing file; gives its label. */
async function checkSigning(
  implementation: MlDsaImplementation,
  set: MlDsaParameterSet,
  key: MlDsaPrivateKey,
  test: SignCase,
): Promise<string> {
  const context = hexToBytes(test.ctx ?? "");
  const message = hexToBytes(test.msg ?? "");
  if (test.flags.includes("InvalidContext")) {
    await refused(() => key.sign(message, { context }), "ERR_ARGUMENT");
    return "context refused";
  }
  const [signature, mu] = [hexToBytes(test.sig), hexToBytes(test.mu ?? "")];
  const publicKey = implementation.importPublicKey(set, key.publicKey);
  equal(publicKey.verifyMu(mu, signature), true, "verifies the representative");
  if (test.msg === undefined) {
    same(key.signMu(mu, { deterministic: true }), signature, "signature");
    return "by representative";
  }
  same(mlDsaMu(set, key.publicKey, message, { context }), mu, "representative");
  equal(publicKey.verify(message, signature, { context }), true, "verifies");
  // The randomness of a signature is no option of the API.
  if (test.rnd !== undefined) return "other randomness";
  same(key.sign(message, { context, deterministic: true }), signature, "signature");
  return "signed";
}

async function signing(emit: Emit, implementation: MlDsaImplementation): Promise<void> {
  const fixed = { "other randomness": 1, "context refused": 1 };
  for (const [set, name, expected] of [
    ["ML-DSA-65", "mldsa_65_sign_seed_test.json", { signed: 83, "by representative": 17, "key refused": 3 }],
    ["ML-DSA-65", "mldsa_65_sign_noseed_test.json", { signed: 62, "by representative": 10, "key refused": 4 }],
    ["ML-DSA-87", "mldsa_87_sign_seed_test.json", { signed: 74, "by representative": 17, "key refused": 3 }],
    ["ML-DSA-87", "mldsa_87_sign_noseed_test.json", { signed: 53, "by representative": 10, "key refused": 4 }],
  ] as const) {
    const keys = new Map<SignGroup, MlDsaPrivateKey>();
    await runWycheproof<SignGroup>(emit, {
      name,
      implementation: implementation.name,
      expected: { ...expected, ...fixed },
      outOfScope: ["other randomness"],
      check: async (test, group) => {
        const read = (): MlDsaPrivateKey => {
          if (group.privateSeed !== undefined) return implementation.importSeed(set, hexToBytes(group.privateSeed));
          return implementation.importExpandedKey(set, hexToBytes(group.privateKey ?? ""));
        };
        if (test.flags.some((flag) => flag === "IncorrectPrivateKeyLength" || flag === "InvalidPrivateKey")) {
          await refused(read, "ERR_KEY_INVALID");
          return "key refused";
        }
        let key = keys.get(group);
        if (key === undefined) {
          key = read();
          keys.set(group, key);
          same(key.publicKey, hexToBytes(group.publicKey ?? ""), "public key");
          if (group.privateKeyPkcs8 !== undefined) {
            same(key.exportPkcs8(), hexToBytes(group.privateKeyPkcs8), "PKCS#8");
          }
        }
        return checkSigning(implementation, set, key, test);
      },
    });
  }
}

async function roundTrips(emit: Emit, implementation: MlDsaImplementation): Promise<void> {
  const all: readonly MlDsaParameterSet[] = ["ML-DSA-44", "ML-DSA-65", "ML-DSA-87"];
  const cases = all.map((set) => {
    const work = (): void => {
      const key = implementation.generateKey(set);
      const half = implementation.importPublicKey(set, key.publicKey);
      const again = implementation.importPrivateKey(set, key.exportPkcs8());
      const [first, second] = [key.sign(text, { context: text }), again.sign(text, { context: text })] as const;
      equal(bytesToHex(first) === bytesToHex(second), false, "two signatures are the same");
      for (const signature of [first, second]) {
        equal(half.verify(text, signature, { context: text }), true, "verifies");
        equal(half.verify(text, signature), false, "verifies without its context");
        equal(half.verify(text, flipped(signature, 99), { context: text }), false, "verifies what was changed");
      }
    };
    return [set, work] as const;
  });
  await runOwn(emit, "ML-DSA: round trips", implementation.name, Object.fromEntries(cases));
}

export async function mlDsa(emit: Emit): Promise<void> {
  const implementations = mlDsaImplementations();
  expectNames(implementations, ["noble"]);
  for (const implementation of implementations) {
    await verification(emit, implementation);
    await signing(emit, implementation);
    await roundTrips(emit, implementation);
  }
}

/** The two parameter sets that noble signs with in well under a second; there are no vectors of SLH-DSA here. */
export async function slhDsa(emit: Emit): Promise<void> {
  const implementations = slhDsaImplementations();
  expectNames(implementations, ["noble"]);
  for (const implementation of implementations) {
    const cases = (["SLH-DSA-SHA2-128f", "SLH-DSA-SHAKE-128f"] as const).map((set) => {
      const work = (): void => {
        const key = implementation.generateKey(set);
        const again = implementation.importPrivateKey(set, key.exportPkcs8());
        const signature = again.sign(text);
        const half = implementation.importPublicKey(set, key.publicKey);
        equal(half.verify(text, signature), true, "verifies");
        equal(half.verify(text, flipped(signature, 5000)), false, "verifies what was changed");
      };
      return [set, work] as const;
    });
    await runOwn(emit, "SLH-DSA: round trips", implementation.name, Object.fromEntries(cases));
  }
}
