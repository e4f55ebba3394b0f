// Plaintexts that leave encrypted to a caller's public key: they open by node:crypto and by SM2, and the key is checked.
import { constants, generateKeyPairSync, type KeyObject, privateDecrypt } from "node:crypto";
import { LocalKms, type RecipientAlgorithm, type RecipientRequest } from "@fengni/backend-local";
import { generateSm2Key, type Sm2PrivateKey } from "@fengni/crypto/sm2";
import { describe, expect, test } from "vitest";
import { deliver, recipientOf } from "../src/recipient.js";
import { codeOf, errorOf, filled } from "./support.js";

interface RsaPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

function rsaPair(modulusLength: number): RsaPair {
  return generateKeyPairSync("rsa", { modulusLength });
}

const RSA = rsaPair(2048);
const SM2: Sm2PrivateKey = generateSm2Key();
const RSA_SPKI = Uint8Array.from(RSA.publicKey.export({ type: "spki", format: "der" }));
const RSA_PEM = RSA.publicKey.export({ type: "spki", format: "pem" }).toString();

const OPENERS: Readonly<Record<RecipientAlgorithm, (ciphertext: Uint8Array) => Uint8Array>> = {
  SM2: (ciphertext) => SM2.decrypt(ciphertext, { format: "c1c3c2" }),
  SM2_C1C3C2_ASN1: (ciphertext) => SM2.decrypt(ciphertext, { format: "asn1" }),
  // Node 20 refuses to decrypt this padding; encrypted and opened numbers are compared instead.
  RSAES_PKCS1_V1_5: (ciphertext) => unpad(openRsa(ciphertext, { padding: constants.RSA_NO_PADDING })),
  RSAES_OAEP_SHA_1: (ciphertext) =>
    openRsa(ciphertext, { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha1" }),
  RSAES_OAEP_SHA_256: (ciphertext) =>
    openRsa(ciphertext, { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" }),
};
const ALGORITHMS = Object.keys(OPENERS) as RecipientAlgorithm[];

function openRsa(ciphertext: Uint8Array, options: { padding: number; oaepHash?: string }): Uint8Array {
  return Uint8Array.from(privateDecrypt({ key: RSA.privateKey, ...options }, ciphertext));
}

/** RFC 8017 section 7.2.2: 00 02, at least eight bytes that are not zero, 00, the message. */
function unpad(encoded: Uint8Array): Uint8Array {
  expect([...encoded.subarray(0, 2)]).toEqual([0, 2]);
  const separator = encoded.indexOf(0, 2);
  expect(separator).toBeGreaterThanOrEqual(10);
  return encoded.slice(separator + 1);
}

function recipientRequest(encryptionAlgorithm: RecipientAlgorithm): RecipientRequest {
  const encryptionPublicKey = encryptionAlgorithm.startsWith("SM2") ? SM2.publicKey.exportSpki() : RSA_SPKI;
  return { encryptionPublicKey, encryptionAlgorithm };
}

describe.each(ALGORITHMS)("%s", (algorithm) => {
  test("serves generateDataKey, decrypt, getDataKeyPlaintext and postQuantumCryptoDecrypt", async () => {
    const kms = new LocalKms();
    const { keyId } = await kms.createKey();
    const recipient = recipientRequest(algorithm);
    const hosting = { isHostedByKms: true, dataKeyName: "hosted" };
    const generated = await kms.generateDataKey({ keyId, numberOfBytes: 32, ...hosting, ...recipient });
    expect(generated.encryptionAlgorithm).toBe(algorithm);
    const dataKey = OPENERS[algorithm](generated.plaintext);
    expect(dataKey.length).toBe(32);
    const { ciphertext } = generated;
    expect((await kms.decrypt({ ciphertext })).plaintext).toEqual(dataKey);

    const opened = await kms.decrypt({ ciphertext, ...recipient });
    expect(opened).toMatchObject({ keyId, encryptionAlgorithm: algorithm });
    expect(opened.plaintext).not.toEqual(generated.plaintext);
    expect(OPENERS[algorithm](opened.plaintext)).toEqual(dataKey);

    const { dataKeyId = "" } = generated;
    const hosted = await kms.getDataKeyPlaintext({ dataKeyId, ...recipient });
    expect(hosted).toMatchObject({ keyId, dataKeyId, encryptionAlgorithm: algorithm });
    expect(OPENERS[algorithm](hosted.plaintext)).toEqual(dataKey);

    const { keyId: quantum } = await kms.createKey({ keySpec: "ML_KEM_768" });
    const sealed = await kms.postQuantumCryptoEncrypt({ keyId: quantum, plaintext: dataKey });
    const sent = await kms.postQuantumCryptoDecrypt({ ciphertext: sealed.ciphertext, ...recipient });
    expect(sent.encryptionAlgorithm).toBe(algorithm);
    expect(OPENERS[algorithm](sent.plaintext)).toEqual(dataKey);
  });

  test("the plaintext is wiped, and no algorithm is named for one that leaves as it is", async () => {
    const plaintext = filled(16);
    const delivered = await deliver(plaintext, recipientOf(recipientRequest(algorithm)));
    expect(plaintext).toEqual(new Uint8Array(16));
    expect(OPENERS[algorithm](delivered.plaintext)).toEqual(filled(16));
    expect(await deliver(filled(3), undefined)).toEqual({ plaintext: filled(3) });
  });
});

test("the default algorithm is SM2, the result raw: 04, the point, the digest, the text", async () => {
  const recipient = recipientOf({ encryptionPublicKey: SM2.publicKey.exportSpkiPem() });
  const { plaintext, encryptionAlgorithm } = await deliver(filled(16), recipient);
  expect([encryptionAlgorithm, plaintext.length, plaintext[0]]).toEqual(["SM2", 97 + 16, 4]);
});

test.each([
  ["RSAES_PKCS1_V1_5", 256 - 11],
  ["RSAES_OAEP_SHA_1", 256 - 42],
  ["RSAES_OAEP_SHA_256", 256 - 66],
] as const)(
  "%s with RSA-2048: the longest plaintext is %i bytes, one more is refused before it is made",
  async (encryptionAlgorithm, maximum) => {
    const kms = new LocalKms();
    const { keyId } = await kms.createKey();
    const request = { keyId, encryptionPublicKey: RSA_PEM, encryptionAlgorithm };
    const generated = await kms.generateDataKey({ ...request, numberOfBytes: maximum });
    expect(OPENERS[encryptionAlgorithm](generated.plaintext).length).toBe(maximum);
    const tooLong = { isHostedByKms: true, dataKeyName: "long", numberOfBytes: maximum + 1 };
    expect(await errorOf(kms.generateDataKey({ ...request, ...tooLong }))).toMatchObject({
      code: "ERR_LIMIT",
      details: { maximum, actual: maximum + 1 },
    });
    expect((await kms.listDataKeys()).total).toBe(0);
    const { ciphertext } = await kms.encrypt({ keyId, plaintext: filled(maximum + 1) });
    expect(await codeOf(kms.decrypt({ ciphertext, encryptionPublicKey: RSA_PEM, encryptionAlgorithm }))).toBe(
      "ERR_LIMIT",
    );
  },
);

test("SM2 takes the longest plaintext that there is", async () => {
  const kms = new LocalKms();
  const { keyId } = await kms.createKey();
  const { ciphertext } = await kms.encrypt({ keyId, plaintext: filled(4096) });
  const { plaintext } = await kms.decrypt({ ciphertext, encryptionPublicKey: SM2.publicKey.exportSpki() });
  expect(OPENERS.SM2(plaintext)).toEqual(filled(4096));
});

describe("public keys", () => {
  const rsa = { encryptionAlgorithm: "RSAES_OAEP_SHA_256" } as const;
  const pkcs1 = RSA.publicKey.export({ type: "pkcs1", format: "pem" }).toString();
  const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });

  test("of RSA may be PEM, PEM as bytes, or DER; of 2,048 to 4,096 bits", () => {
    for (const encryptionPublicKey of [RSA_PEM, new TextEncoder().encode(RSA_PEM), RSA_SPKI, pkcs1]) {
      expect(recipientOf({ encryptionPublicKey, ...rsa })?.maxPlaintextBytes).toBe(190);
    }
    const long = rsaPair(4096).publicKey.export({ type: "spki", format: "pem" }).toString();
    expect(recipientOf({ encryptionPublicKey: long, ...rsa })?.maxPlaintextBytes).toBe(446);
  });

  const refused: readonly [string, RecipientRequest, string][] = [
    ["RSA for SM2", { encryptionPublicKey: RSA_PEM }, "ERR_KEY_INVALID"],
    ["SM2 for RSA", { encryptionPublicKey: SM2.publicKey.exportSpki(), ...rsa }, "ERR_KEY_INVALID"],
    ["P-256", { encryptionPublicKey: ec.publicKey.export({ type: "spki", format: "der" }) }, "ERR_KEY_INVALID"],
    ["a bare point", { encryptionPublicKey: SM2.publicKey.point }, "ERR_KEY_INVALID"],
    ["no bytes", { encryptionPublicKey: new Uint8Array(0) }, "ERR_KEY_INVALID"],
    ["no text", { encryptionPublicKey: "" }, "ERR_KEY_INVALID"],
    ["DER cut off", { encryptionPublicKey: RSA_SPKI.subarray(0, 200), ...rsa }, "ERR_KEY_INVALID"],
    ["a private key", { encryptionPublicKey: SM2.exportPkcs8Pem() }, "ERR_KEY_INVALID"],
    ["too many characters", { encryptionPublicKey: "x".repeat(4097) }, "ERR_LIMIT"],
    ["another type", { encryptionPublicKey: 7 as unknown as string }, "ERR_ARGUMENT"],
    ["no key", { encryptionAlgorithm: "SM2" }, "ERR_ARGUMENT"],
    ["an unknown algorithm", { encryptionPublicKey: RSA_PEM, encryptionAlgorithm: "x" as "SM2" }, "ERR_NOT_SUPPORTED"],
    [
      "an inherited name",
      { encryptionPublicKey: RSA_PEM, encryptionAlgorithm: "constructor" as "SM2" },
      "ERR_NOT_SUPPORTED",
    ],
  ];

  test.each(refused)("are refused: %s", async (_name, request, code) => {
    const kms = new LocalKms();
    const { keyId } = await kms.createKey();
    expect(await codeOf(kms.generateDataKey({ keyId, numberOfBytes: 16, ...request }))).toBe(code);
    const { ciphertext } = await kms.encrypt({ keyId, plaintext: filled(1) });
    expect(await codeOf(kms.decrypt({ ciphertext, ...request }))).toBe(code);
  });

  test("of RSA are refused: too short, and too long", () => {
    const spki = (bits: number): Uint8Array =>
      Uint8Array.from(rsaPair(bits).publicKey.export({ type: "spki", format: "der" }));
    const refusal = (encryptionPublicKey: Uint8Array): unknown => {
      try {
        return recipientOf({ encryptionPublicKey, ...rsa });
      } catch (error) {
        return error;
      }
    };
    expect(refusal(spki(1024))).toMatchObject({ code: "ERR_KEY_INVALID" });
    // A modulus of 4,104 bits, without the minutes that it takes to find one: only its length is looked at.
    const modulus = filled(513, 0xff);
    expect(refusal(longRsaSpki(modulus))).toMatchObject({
      code: "ERR_LIMIT",
      details: { maximum: 4096, actual: 4104 },
    });
  });
});

/** SubjectPublicKeyInfo of an RSA key with this modulus, and the exponent 65,537. */
function longRsaSpki(modulus: Uint8Array): Uint8Array {
  const element = (tag: number, ...contents: readonly Uint8Array[]): Uint8Array => {
    const body = Buffer.concat(contents);
    const length = body.length < 128 ? [body.length] : [0x82, body.length >> 8, body.length & 255];
    return Buffer.concat([Uint8Array.of(tag, ...length), body]);
  };
  const numbers = element(0x30, element(0x02, Uint8Array.of(0), modulus), element(0x02, Uint8Array.of(1, 0, 1)));
  const algorithm = Buffer.from("300d06092a864886f70d0101010500", "hex");
  return Uint8Array.from(element(0x30, algorithm, element(0x03, Uint8Array.of(0), numbers)));
}
