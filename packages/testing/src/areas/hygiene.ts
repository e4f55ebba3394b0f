// Area: secrets stay out of whatever may be printed or logged: errors, the provider and the admin themselves, and answers.
import { type ImportWrappingAlgorithm, isFengniError, type ProviderOperation } from "@fengni/core";
import { concatBytes, utf8ToBytes } from "@fengni/crypto/bytes";
import { randomBytes } from "@fengni/crypto/random";
import { importRsaPublicKey } from "@fengni/crypto/rsa";
import { callWith, rightSamples, type Sample } from "../calls.js";
import { paddingFor } from "../independent.js";
import type { Area, Kit } from "../kit.js";
import { findSecret, type Secret } from "../secrets.js";

/** A plaintext that would be recognised anywhere: readable text, so that it also shows where bytes were taken as text. */
function marked(): Secret {
  const digits = Array.from(randomBytes(24), (byte) => "abcdefghijklmnop".charAt(byte & 15)).join("");
  return { name: "a plaintext", bytes: utf8ToBytes(digits) };
}

function expectNone(kit: Kit, value: unknown, secrets: readonly Secret[], where: string): void {
  const found = findSecret(value, secrets);
  kit.check.isTrue(found === undefined, `${where}: expected no secret in it, found ${found ?? "none"}`);
}

/** Requests of an operation that are wrong, each in another way, around the secret. */
function wrongRequests(operation: ProviderOperation, sample: Sample, secret: Secret, limit: number): Sample[] {
  const seals = operation === "encrypt" || operation === "postQuantumEncrypt" || operation === "sign";
  const bytes = seals ? secret.bytes : sample.bytes;
  const long = concatBytes(secret.bytes, new Uint8Array(limit));
  return [
    { ...sample, bytes, keyId: "no-such-key-of-the-kit" },
    { ...sample, bytes, keyId: "" },
    { ...sample, bytes: long },
    { ...sample, bytes: secret.bytes.toString() as unknown as Uint8Array },
    {
      ...sample,
      bytes,
      signatureAlgorithm: "nothing" as "SM2DSA",
      encryptionAlgorithm: "nothing" as "SM2_C1C3C2_ASN1",
    },
    ...(seals
      ? []
      : [
          {
            ...sample,
            bytes: Uint8Array.from(sample.bytes, (byte, i) => (i === sample.bytes.length - 1 ? byte ^ 1 : byte)),
          },
        ]),
  ];
}

async function errorsAreClean(kit: Kit): Promise<void> {
  const { provider } = kit;
  const { maxPlaintextBytes, maxMessageBytes } = provider.capabilities;
  const limit = Math.max(maxPlaintextBytes, maxMessageBytes, 1);
  for (const [operation, sample] of await rightSamples(kit)) {
    const secret = marked();
    const opened = { name: "an opened plaintext", bytes: await plaintextOf(kit, operation, sample) };
    for (const wrong of wrongRequests(operation, sample, secret, limit)) {
      const outcome = await callWith(provider, operation, wrong).catch((error: unknown) => error);
      const secrets = opened.bytes.length >= 8 ? [secret, opened] : [secret];
      if (outcome instanceof Error) expectNone(kit, outcome, secrets, `an error of ${operation}`);
    }
  }
}

/** What a ciphertext of a sample holds; nothing for operations that open none. */
async function plaintextOf(kit: Kit, operation: ProviderOperation, sample: Sample): Promise<Uint8Array> {
  if (!["decrypt", "asymmetricDecrypt", "postQuantumDecrypt"].includes(operation)) return new Uint8Array(0);
  const answer = await kit.check.resolves(callWith(kit.provider, operation, sample), operation);
  return "plaintext" in answer && answer.plaintext instanceof Uint8Array ? answer.plaintext : new Uint8Array(0);
}

async function wrongContexts(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  const secret = marked();
  const [keyId, other] = kit.symmetric;
  const encryptionContext = { tenant: "7" };
  const { ciphertext } = await check.resolves(
    provider.encrypt({ keyId, plaintext: secret.bytes, encryptionContext }),
    "encrypt",
  );
  const calls = [
    provider.decrypt({ ciphertext }),
    provider.decrypt({ ciphertext, encryptionContext: { tenant: "8" } }),
    provider.decrypt({ ciphertext, encryptionContext, keyId: other }),
    provider.decrypt({ ciphertext: ciphertext.slice(1), encryptionContext }),
    provider.decrypt({ ciphertext: ciphertext.slice(0, -1), encryptionContext }),
  ];
  for (const call of calls) {
    const error = await check.refuses(call, "decrypt of what must not open");
    expectNone(kit, error, [secret], "an error of decrypt");
  }
}

async function objectsAreClean(kit: Kit): Promise<void> {
  const { check, provider, subject } = kit;
  const secrets: Secret[] = [];
  const [keyId] = kit.symmetric;
  for (let i = 0; i < 3; i++) {
    const secret = marked();
    secrets.push(secret);
    const { ciphertext } = await check.resolves(provider.encrypt({ keyId, plaintext: secret.bytes }), "encrypt");
    await check.resolves(provider.decrypt({ ciphertext }), "decrypt");
    expectNone(kit, ciphertext, [secret], "a ciphertext");
  }
  if (kit.claims("generateDataKey")) {
    const made = await check.resolves(provider.generateDataKey({ keyId, numberOfBytes: 32 }), "generateDataKey");
    secrets.push({ name: "a data key", bytes: Uint8Array.from(made.plaintext) });
    await check.resolves(provider.decrypt({ ciphertext: made.ciphertext }), "decrypt");
    expectNone(kit, { ...made, plaintext: undefined }, secrets, "what comes with a data key");
  }
  expectNone(kit, subject.provider, secrets, "the provider");
  if (subject.admin !== undefined) expectNone(kit, subject.admin, secrets, "the admin");
}

async function materialIsClean(kit: Kit): Promise<void> {
  const { check, provider, admin, subject } = kit;
  const key = await kit.createKey({ origin: "external" });
  const { keyId } = key;
  const material = randomBytes(key.keySpec === "SM4" ? 16 : 32);
  const secrets = [{ name: "imported key material", bytes: material }];
  for (const wrapping of ["RSAES_OAEP_SHA_256", "RSAES_OAEP_SHA_1", "RSAES_PKCS1_V1_5"] as const) {
    if (!(await isOffered(kit, keyId, wrapping))) continue;
    const parameters = await check.resolves(admin.getParametersForImport(keyId, wrapping), "getParametersForImport");
    const wrapped = async (bytes: Uint8Array): Promise<Uint8Array> =>
      Uint8Array.from(await importRsaPublicKey(parameters.publicKey).encrypt(paddingFor(wrapping) ?? "pkcs1", bytes));
    const { importToken } = parameters;
    const long = await wrapped(concatBytes(material, material));
    const wrong = admin.importKeyMaterial({ keyId, importToken, encryptedKeyMaterial: long });
    expectNone(
      kit,
      await check.refuses(wrong, "import of too much material"),
      secrets,
      "an error of importKeyMaterial",
    );
    const encryptedKeyMaterial = await wrapped(material);
    await check.resolves(admin.importKeyMaterial({ keyId, importToken, encryptedKeyMaterial }), "importKeyMaterial");
    break;
  }
  const { ciphertext } = await check.resolves(provider.encrypt({ keyId, plaintext: randomBytes(16) }), "encrypt");
  await check.resolves(provider.decrypt({ ciphertext }), "decrypt");
  expectNone(kit, ciphertext, secrets, "a ciphertext");
  expectNone(kit, await admin.describeKey(keyId), secrets, "describeKey");
  const refused: readonly (() => Promise<unknown>)[] = [
    () => provider.decrypt({ ciphertext, encryptionContext: { tenant: "another" } }),
    () => provider.decrypt({ ciphertext: ciphertext.slice(0, -1) }),
    () => provider.encrypt({ keyId, plaintext: new Uint8Array(0) }),
    () => provider.encrypt({ keyId, plaintext: new Uint8Array(provider.capabilities.maxPlaintextBytes + 1) }),
    () => provider.sign({ keyId, algorithm: "ECDSA_P256_SHA_256", message: randomBytes(32) }),
    () => provider.getPublicKey({ keyId }),
    () => admin.createKey({ keySpec: "nothing" as "AES_256" }),
  ];
  for (const call of refused) {
    const error = await check.refuses(call(), "a call that must be refused, with imported key material");
    expectNone(kit, error, secrets, "an error, with imported key material");
  }
  expectNone(kit, subject.provider, secrets, "the provider");
  expectNone(kit, admin, secrets, "the admin");
  expectNone(kit, subject.admin, secrets, "the admin");
}

async function isOffered(kit: Kit, keyId: string, wrapping: ImportWrappingAlgorithm): Promise<boolean> {
  try {
    await kit.admin.getParametersForImport(keyId, wrapping);
    return true;
  } catch (error) {
    return !isFengniError(error, "ERR_NOT_SUPPORTED");
  }
}

/** Secret hygiene. */
export const hygiene: Area = {
  name: "hygiene",
  checks: [
    { name: "errors hold no plaintext", needs: {}, run: errorsAreClean },
    {
      name: "errors of what must not open hold no plaintext",
      needs: { operations: ["encrypt", "decrypt"] },
      run: wrongContexts,
    },
    {
      name: "provider, admin and answers show no plaintext",
      needs: { operations: ["encrypt", "decrypt"] },
      run: objectsAreClean,
    },
    {
      name: "imported key material shows nowhere",
      needs: {
        operations: ["encrypt", "decrypt"],
        admin: ["createKey", "describeKey", "getParametersForImport", "importKeyMaterial"],
      },
      run: materialIsClean,
    },
  ],
};
