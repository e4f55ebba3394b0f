// The contract of key providers over the local KMS: in memory, in a key store file, in a region of the SM algorithms, and behind
// the fault injector.
import { join } from "node:path";
import {
  LocalKeyAdmin,
  LocalKeyProvider,
  LocalKms,
  type LocalRegion,
  ManualClock,
  openFileKeystore,
} from "@fengni/backend-local";
import type { AsymmetricEncryptionAlgorithm, KeySpec, KeyUsage, SignatureAlgorithm } from "@fengni/core";
import { describe, expect, test } from "vitest";
import {
  type CheckResult,
  type ConformanceReport,
  type ConformanceSubject,
  conformance,
  faultyProvider,
  formatReport,
  type KeyPair,
  runConformance,
} from "../../testing/src/index.js";
import { ROOT_KEY, temporaryFolder } from "./support.js";

/** A whole run takes 10 s or more where other work goes on beside it. */
const TIMEOUT_MS = 300_000;

const SIGNERS: Readonly<Record<SignatureAlgorithm, KeySpec>> = {
  ECDSA_P256_SHA_256: "ECC_P256",
  ECDSA_P384_SHA_384: "ECC_P384",
  RSA_PKCS1_SHA_256: "RSA_2048",
  RSA_PSS_SHA_256: "RSA_2048",
  SM2DSA: "SM2",
  ML_DSA_65: "ML_DSA_65",
};
const DECRYPTERS: Readonly<Record<AsymmetricEncryptionAlgorithm, KeySpec>> = {
  RSAES_OAEP_SHA_1: "RSA_2048",
  RSAES_OAEP_SHA_256: "RSA_2048",
  RSAES_PKCS1_V1_5: "RSA_2048",
  SM2_C1C3C2_ASN1: "SM2",
};

/** A KMS with two keys for each use, under providers and admins of its own. */
async function subjectOf(kms: LocalKms, clock: ManualClock): Promise<ConformanceSubject> {
  const pairs = new Map<string, KeyPair>();
  const pair = async (keySpec: KeySpec | undefined, keyUsage: KeyUsage): Promise<KeyPair> => {
    const name = `${keySpec} ${keyUsage}`;
    const request = { keyUsage, ...(keySpec !== undefined && { keySpec }) };
    const made = pairs.get(name) ?? [(await kms.createKey(request)).keyId, (await kms.createKey(request)).keyId];
    pairs.set(name, made);
    return made;
  };
  const pairsOf = async <Algorithm extends string>(
    specs: Readonly<Record<Algorithm, KeySpec>>,
    keyUsage: KeyUsage,
  ): Promise<Partial<Record<Algorithm, KeyPair>>> => {
    const made: Partial<Record<Algorithm, KeyPair>> = {};
    for (const algorithm of Object.keys(specs) as Algorithm[]) made[algorithm] = await pair(specs[algorithm], keyUsage);
    return made;
  };
  return {
    provider: new LocalKeyProvider(kms),
    admin: new LocalKeyAdmin(kms),
    keys: {
      symmetric: await pair(undefined, "encrypt-decrypt"),
      sign: await pairsOf(SIGNERS, "sign-verify"),
      asymmetricDecrypt: await pairsOf(DECRYPTERS, "asymmetric-decrypt"),
      postQuantumEncryption: await pair("ML_KEM_768", "post-quantum-encrypt-decrypt"),
    },
    clock,
    sibling: async () => new LocalKeyProvider(kms),
    cleanup: () => kms.close(),
  };
}

// 1 January 2026: a fixed beginning makes tests repeatable.
const newClock = (): ManualClock => new ManualClock(1_767_225_600_000);

async function inMemory(regions?: readonly LocalRegion[]): Promise<ConformanceSubject> {
  const clock = newClock();
  return subjectOf(new LocalKms({ clock, ...(regions && { regions }) }), clock);
}

/** The siblings of this one open the file anew, as other processes do. */
async function inFile(): Promise<ConformanceSubject> {
  const clock = newClock();
  const path = join(temporaryFolder(), "keys.fengni");
  const open = (): Promise<LocalKms> => openFileKeystore(path, { rootKey: { key: ROOT_KEY }, create: true, clock });
  const opened: LocalKms[] = [];
  const kms = await open();
  const subject = await subjectOf(kms, clock);
  return {
    ...subject,
    sibling: async () => {
      const other = await open();
      opened.push(other);
      return new LocalKeyProvider(other);
    },
    cleanup: async () => {
      for (const each of [...opened, kms]) await each.close();
    },
  };
}

async function injectable(): Promise<ConformanceSubject> {
  const subject = await inMemory();
  const provider = faultyProvider(subject.provider);
  return { ...subject, provider, faults: { fail: provider.failNext, hang: provider.hangNext } };
}

conformance({ test, factory: () => inMemory(), name: "local, in memory" });

describe("a report", () => {
  test.each([
    // The checks of a failing backend are for the injector only.
    ["in a key store file", inFile, 2],
    ["behind the fault injector", injectable, 0],
  ] as const)(
    "%s: everything holds",
    async (_name, factory, notClaimed) => {
      const report = await runConformance(factory, { uniqueDataKeys: 1000 });
      expect(failuresOf(report)).toEqual([]);
      expect(report.areas.filter(({ status }) => status !== "exercised")).toEqual([]);
      expect(report.counts).toMatchObject({ failed: 0, notClaimed });
      expect(formatReport(report)).toMatch(/^fengni-local: conforms\n/);
    },
    TIMEOUT_MS,
  );

  test(
    "in a region of the SM algorithms: what symmetric keys do holds",
    async () => {
      const factory = (): Promise<ConformanceSubject> => inMemory([{ name: "sm", symmetric: "sm4" }]);
      const symmetric = [
        "data-keys",
        "encrypt-decrypt",
        "re-encrypt",
        "key-lifecycle",
        "rotation",
        "import",
        "hygiene",
      ];
      const report = await runConformance(factory, { only: [...symmetric, "buffers", "envelope"] });
      expect(failuresOf(report)).toEqual([]);
      expect(report.counts.notClaimed).toBe(0);
    },
    TIMEOUT_MS,
  );
});

function failuresOf({ areas }: ConformanceReport): readonly CheckResult[] {
  return areas.flatMap(({ checks }) => checks).filter(({ status }) => status === "failed");
}
