// RSA in the browser, which is WebCrypto's: OAEP, PSS and PKCS#1 v1.5 signatures by the vectors of Wycheproof, and the typed refusal
// of PKCS#1 v1.5 encryption, which WebCrypto lacks. It must not know how it is done.
import { hexToBytes, utf8ToBytes } from "@fengni/crypto/bytes";
import { type RsaImplementation, type RsaSignatureScheme, rsaImplementations } from "@fengni/crypto/rsa";
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

interface DecryptGroup {
  readonly privateKeyPem: string;
  readonly tests: readonly (WycheproofCase & Readonly<Record<"msg" | "ct", string>> & { readonly label?: string })[];
}

interface VerifyGroup {
  readonly publicKeyDer: string;
  readonly sLen?: number;
  readonly tests: readonly (WycheproofCase & Readonly<Record<"msg" | "sig", string>>)[];
}

interface SignGroup {
  readonly privateKeyPkcs8: string;
  readonly sha: string;
  readonly tests: VerifyGroup["tests"];
}

const schemes = ["pss-sha256", "pss-sha384", "pss-sha512", "pkcs1-sha256", "pkcs1-sha384", "pkcs1-sha512"] as const;
const text = utf8ToBytes("a message");

async function decryption(emit: Emit, implementation: RsaImplementation): Promise<void> {
  for (const [padding, name, expected] of [
    // The label is always empty here, so that a message made with one must not open.
    ["oaep-sha1", "rsa_oaep_2048_sha1_mgf1sha1_test.json", { opened: 10, rejected: 19, "label rejected": 7 }],
    ["oaep-sha256", "rsa_oaep_2048_sha256_mgf1sha256_test.json", { opened: 10, rejected: 19, "label rejected": 8 }],
    // MGF1 with another hash than OAEP's is not offered, so that nothing of this file may open.
    ["oaep-sha256", "rsa_oaep_2048_sha256_mgf1sha1_test.json", { rejected: 18, "two hashes rejected": 13 }],
  ] as const) {
    const hasTwoHashes = name.includes("sha256_mgf1sha1");
    await runWycheproof<DecryptGroup>(emit, {
      name,
      implementation: implementation.name,
      expected,
      outOfScope: ["label rejected", "two hashes rejected"],
      check: async (test, group) => {
        const key = implementation.importPrivateKey(group.privateKeyPem);
        const decrypt = () => key.decrypt(padding, hexToBytes(test.ct));
        if (test.result === "valid" && !hasTwoHashes && test.label === "") {
          same(await decrypt(), hexToBytes(test.msg), "message");
          return "opened";
        }
        await refused(decrypt, "ERR_AUTHENTICATION");
        if (test.result === "invalid") return "rejected";
        return hasTwoHashes ? "two hashes rejected" : "label rejected";
      },
    });
  }
  await runWycheproof<DecryptGroup>(emit, {
    name: "rsa_pkcs1_2048_test.json",
    implementation: implementation.name,
    expected: { "not supported": 67 },
    outOfScope: ["not supported"],
    check: async (test, group) => {
      const key = implementation.importPrivateKey(group.privateKeyPem);
      await refused(() => key.decrypt("pkcs1", hexToBytes(test.ct)), "ERR_NOT_SUPPORTED");
      return "not supported";
    },
  });
}

async function signatures(emit: Emit, implementation: RsaImplementation): Promise<void> {
  for (const [scheme, name, expected] of [
    ["pss-sha256", "rsa_pss_2048_sha256_mgf1_32_test.json", { valid: 63, invalid: 45 }],
    ["pss-sha256", "rsa_pss_2048_sha256_mgf1_0_test.json", { valid: 61, invalid: 42 }],
    // The acceptable one leaves the NULL of the DigestInfo out, which RFC 8017 allows old signers: it is refused.
    ["pkcs1-sha256", "rsa_signature_2048_sha256_test.json", { valid: 9, invalid: 249, acceptable: 1 }],
  ] as const) {
    await runWycheproof<VerifyGroup>(emit, {
      name,
      implementation: implementation.name,
      expected,
      check: async (test, group) => {
        const key = implementation.importPublicKey(hexToBytes(group.publicKeyDer));
        const options = group.sLen === undefined ? {} : { saltLength: group.sLen };
        const result = await key.verify(scheme, hexToBytes(test.msg), hexToBytes(test.sig), options);
        equal(result, test.result === "valid", "verifies");
        return test.result;
      },
    });
  }
  await runWycheproof<SignGroup>(emit, {
    name: "rsa_pkcs1_2048_sig_gen_test.json",
    implementation: implementation.name,
    expected: { signed: 27, "hash refused": 16 },
    outOfScope: ["hash refused"],
    check: async (test, group) => {
      const scheme = `pkcs1-${group.sha.replace("-", "").toLowerCase()}` as RsaSignatureScheme;
      const key = implementation.importPrivateKey(hexToBytes(group.privateKeyPkcs8));
      const sign = () => key.sign(scheme, hexToBytes(test.msg));
      if (!schemes.includes(scheme)) {
        await refused(sign, "ERR_ARGUMENT");
        return "hash refused";
      }
      same(await sign(), hexToBytes(test.sig), "signature");
      return "signed";
    },
  });
}

async function roundTrips(emit: Emit, implementation: RsaImplementation): Promise<void> {
  const key = await implementation.generateKey(2048);
  const publicKey = implementation.importPublicKey(key.exportSpki());
  const again = implementation.importPrivateKey(key.exportPkcs8());
  const sealing = (["oaep-sha1", "oaep-sha256", "oaep-sha384", "oaep-sha512"] as const).map((padding) => {
    const work = async (): Promise<void> => {
      const ciphertext = await publicKey.encrypt(padding, text);
      same(await again.decrypt(padding, ciphertext), text, "message");
      await refused(() => again.decrypt(padding, flipped(ciphertext, 200)), "ERR_AUTHENTICATION");
    };
    return [`${padding} opens what it sealed`, work] as const;
  });
  const signing = schemes.map((scheme) => {
    const work = async (): Promise<void> => {
      const signature = await again.sign(scheme, text);
      equal(await publicKey.verify(scheme, text, signature), true, "verifies");
      equal(await publicKey.verify(scheme, text, flipped(signature, 9)), false, "verifies what was changed");
      await refused(() => key.signDigest(scheme, new Uint8Array(Number(scheme.slice(-3)) / 8)), "ERR_NOT_SUPPORTED");
    };
    return [`${scheme} verifies what it signed`, work] as const;
  });
  const noPkcs1 = (): Promise<void> => refused(() => publicKey.encrypt("pkcs1", text), "ERR_NOT_SUPPORTED");
  const cases = [...sealing, ...signing, ["no PKCS#1 v1.5 encryption", noPkcs1] as const];
  await runOwn(emit, "RSA: round trips", implementation.name, Object.fromEntries(cases));
}

export async function rsa(emit: Emit): Promise<void> {
  const implementations = rsaImplementations();
  expectNames(implementations, ["webcrypto"]);
  for (const implementation of implementations) {
    await decryption(emit, implementation);
    await signatures(emit, implementation);
    await roundTrips(emit, implementation);
  }
}
