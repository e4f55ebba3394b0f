// Asymmetric decryption and public keys: what other software encrypted to the exported key opens, and nothing tells apart why
// anything else does not.
import { constants, createPrivateKey, createPublicKey, publicEncrypt } from "node:crypto";
import type { KeySpec, KeyUsage } from "@fengni/core";
import { mlDsaPublicKeyFromSpki } from "@fengni/crypto/ml-dsa";
import { mlKemPublicKeyFromSpki } from "@fengni/crypto/ml-kem";
import { importSm2PublicKey, sm2Implementations } from "@fengni/crypto/sm2";
import { describe, expect, test } from "vitest";
import { type AsymmetricRsaDecryptRequest, asymmetricOperations, MAX_SM2_CIPHERTEXT_BYTES } from "../src/asymmetric.js";
import type { Room } from "../src/room.js";
import { ASYMMETRIC_ENCRYPTION_ALGORITHMS, KEY_SPECS, specOf } from "../src/specs.js";
import { codeOf, errorOf, filled, refusalOf, withBitFlipped } from "./assertions.js";
import { createRoom, putKey, setState } from "./room.js";

type RsaAlgorithm = AsymmetricRsaDecryptRequest["algorithm"];

const RSA_ALGORITHMS: readonly (readonly [RsaAlgorithm, object, number])[] = [
  ["RSAES_OAEP_SHA_256", { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" }, 190],
  ["RSAES_OAEP_SHA_1", { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha1" }, 214],
  ["RSAES_PKCS1_V1_5", { padding: constants.RSA_PKCS1_PADDING }, 245],
];

const plaintext = filled(32, 7);

/** Every pair of spec and usage. */
const USAGES: readonly [KeySpec, KeyUsage][] = KEY_SPECS.flatMap((keySpec) =>
  specOf(keySpec).usages.map((usage): [KeySpec, KeyUsage] => [keySpec, usage]),
);

async function spkiOf(room: Room, keyId: string): Promise<Buffer> {
  return Buffer.from((await asymmetricOperations(room).getPublicKey({ keyId })).publicKey);
}

test("the specs and their usages, the default first", () => {
  expect(Object.fromEntries(KEY_SPECS.map((keySpec) => [keySpec, specOf(keySpec).usages]))).toEqual({
    AES_256: ["encrypt-decrypt"],
    SM4: ["encrypt-decrypt"],
    RSA_2048: ["asymmetric-decrypt", "sign-verify"],
    SM2: ["asymmetric-decrypt", "sign-verify"],
    ECC_P256: ["sign-verify"],
    ECC_P384: ["sign-verify"],
    ML_KEM_768: ["post-quantum-encrypt-decrypt"],
    ML_DSA_65: ["sign-verify"],
  });
  for (const name of ["RSA_4096", "constructor", ""]) {
    expect(() => specOf(name)).toThrow(expect.objectContaining({ code: "ERR_NOT_SUPPORTED" }));
  }
});

test("the symmetric specs, and the form of every spec's material", async () => {
  const { symmetric: aes } = specOf("AES_256");
  const { symmetric: sm4 } = specOf("SM4");
  expect([aes?.algorithmId, aes?.keyBytes, aes?.hash]).toEqual([1, 32, "sha256"]);
  expect([sm4?.algorithmId, sm4?.keyBytes, sm4?.hash]).toEqual([2, 16, "sm3"]);
  const lengths: Partial<Record<KeySpec, number>> = { AES_256: 32, SM4: 16, ML_KEM_768: 64, ML_DSA_65: 32 };
  for (const keySpec of KEY_SPECS) {
    const material = await specOf(keySpec).generate();
    expect(material.constructor).toBe(Uint8Array);
    expect(await specOf(keySpec).generate()).not.toEqual(material);
    const length = lengths[keySpec];
    if (length !== undefined) expect(material.length).toBe(length);
    else expect(createPrivateKey({ key: Buffer.from(material), format: "der", type: "pkcs8" }).type).toBe("private");
  }
});

describe.each(RSA_ALGORITHMS)("asymmetricRsaDecrypt by %s", (algorithm, options, longest) => {
  async function encrypted(
    bytes: Uint8Array = plaintext,
  ): Promise<{ room: Room; request: AsymmetricRsaDecryptRequest }> {
    const room = createRoom();
    const { id: keyId } = await putKey(room, "RSA_2048");
    const key = createPublicKey({ key: await spkiOf(room, keyId), format: "der", type: "spki" });
    return { room, request: { keyId, algorithm, ciphertext: publicEncrypt({ key, ...options }, bytes) } };
  }

  test("opens what node:crypto encrypted to the exported key", async () => {
    for (const bytes of [plaintext, filled(1), filled(longest)]) {
      const { room, request } = await encrypted(bytes);
      const opened = await asymmetricOperations(room).asymmetricRsaDecrypt(request);
      expect(opened).toEqual({ keyId: request.keyId, plaintext: bytes });
      expect(opened.plaintext.constructor).toBe(Uint8Array);
    }
  });

  test("what was changed, or is another key's, does not open", async () => {
    const { room, request } = await encrypted();
    const { asymmetricRsaDecrypt } = asymmetricOperations(room);
    const other = await encrypted();
    const wrong = [other.request.ciphertext, filled(256, 0xff), filled(256, 1), filled(256, 0)];
    for (let bit = 8; bit < 2048; bit += 111) wrong.push(withBitFlipped(request.ciphertext, bit));
    const messages = new Set<string>();
    for (const ciphertext of wrong) {
      const call = asymmetricRsaDecrypt({ ...request, ciphertext });
      if (algorithm === "RSAES_PKCS1_V1_5") {
        // Implicit rejection: a made-up message, but always the same one; a number above the modulus is public.
        const opened = await call.catch(() => undefined);
        expect(opened?.plaintext).not.toEqual(plaintext);
        const again = await asymmetricRsaDecrypt({ ...request, ciphertext }).catch(() => undefined);
        expect(again).toEqual(opened);
      } else {
        const { code, message, details, cause } = await errorOf(call);
        expect([code, details, cause]).toEqual(["ERR_AUTHENTICATION", undefined, undefined]);
        messages.add(message);
      }
    }
    expect(messages.size).toBe(algorithm === "RSAES_PKCS1_V1_5" ? 0 : 1);
  });

  test("malformed requests are refused", async () => {
    const { room, request } = await encrypted();
    const { asymmetricRsaDecrypt } = asymmetricOperations(room);
    const malformed: readonly [object, string][] = [
      [{ ciphertext: filled(0) }, "ERR_CIPHERTEXT_INVALID"],
      [{ ciphertext: filled(255) }, "ERR_CIPHERTEXT_INVALID"],
      [{ ciphertext: filled(257) }, "ERR_CIPHERTEXT_INVALID"],
      [{ ciphertext: "text" }, "ERR_ARGUMENT"],
      [{ algorithm: "SM2_C1C3C2_ASN1" }, "ERR_NOT_SUPPORTED"],
      [{ algorithm: "RSAES_OAEP_SHA_512" }, "ERR_NOT_SUPPORTED"],
      [{ algorithm: undefined }, "ERR_ARGUMENT"],
      [{ encryptionContext: {} }, "ERR_ARGUMENT"],
      [{ keyId: "nobody" }, "ERR_KEY_NOT_FOUND"],
    ];
    for (const [fields, code] of malformed) {
      expect(await codeOf(asymmetricRsaDecrypt({ ...request, ...fields } as never))).toBe(code);
    }
  });

  test("other keys are refused", async () => {
    const { room, request } = await encrypted();
    const { asymmetricRsaDecrypt } = asymmetricOperations(room);
    const others = USAGES.filter(([spec, usage]) => spec !== "RSA_2048" || usage !== "asymmetric-decrypt");
    expect(others.length).toBe(9);
    for (const [keySpec, keyUsage] of others) {
      const { id: keyId } = await putKey(room, keySpec, { keyUsage });
      expect(await refusalOf(asymmetricRsaDecrypt({ ...request, keyId }))).toBe("ERR_KEY_USAGE key-usage");
    }
  });
});

describe("asymmetricSm2Decrypt", () => {
  async function encrypted(): Promise<{ room: Room; keyId: string; ciphertext: Uint8Array; spki: Uint8Array }> {
    const room = createRoom();
    const { id: keyId } = await putKey(room, "SM2");
    const spki = await spkiOf(room, keyId);
    return { room, keyId, spki, ciphertext: importSm2PublicKey(spki).encrypt(plaintext, { format: "asn1" }) };
  }

  test("opens what every implementation encrypted to the exported key", async () => {
    const { room, keyId, spki } = await encrypted();
    const { asymmetricSm2Decrypt } = asymmetricOperations(room);
    expect(sm2Implementations().map(({ name }) => name)).toContain("noble");
    for (const implementation of sm2Implementations()) {
      for (const bytes of [filled(1), plaintext, filled(140)]) {
        const ciphertext = implementation.importPublicKey(spki).encrypt(bytes, { format: "asn1" });
        expect(await asymmetricSm2Decrypt({ keyId, ciphertext })).toEqual({ keyId, plaintext: bytes });
      }
    }
  });

  test("what was changed, is another key's or of another form does not open", async () => {
    const { room, keyId, spki, ciphertext } = await encrypted();
    const { asymmetricSm2Decrypt } = asymmetricOperations(room);
    const codes = new Set<string | undefined>();
    for (let byte = 0; byte < ciphertext.length; byte++) {
      codes.add(await codeOf(asymmetricSm2Decrypt({ keyId, ciphertext: withBitFlipped(ciphertext, 8 * byte + 3) })));
    }
    expect(codes).toEqual(new Set(["ERR_AUTHENTICATION", "ERR_CIPHERTEXT_INVALID"]));
    const other = await encrypted();
    expect(await codeOf(asymmetricSm2Decrypt({ keyId, ciphertext: other.ciphertext }))).toBe("ERR_AUTHENTICATION");
    const raw = importSm2PublicKey(spki).encrypt(plaintext);
    for (const bytes of [raw, ciphertext.subarray(1), ciphertext.subarray(0, -1), filled(0), filled(256)]) {
      expect(await codeOf(asymmetricSm2Decrypt({ keyId, ciphertext: bytes }))).toBe("ERR_CIPHERTEXT_INVALID");
    }
  });

  test("malformed requests and longer ciphertexts are refused", async () => {
    const { room, keyId, ciphertext, spki } = await encrypted();
    const { asymmetricSm2Decrypt } = asymmetricOperations(room);
    const long = importSm2PublicKey(spki).encrypt(filled(200), { format: "asn1" });
    expect(await errorOf(asymmetricSm2Decrypt({ keyId, ciphertext: long }))).toMatchObject({
      code: "ERR_LIMIT",
      details: { maximum: MAX_SM2_CIPHERTEXT_BYTES, actual: long.length },
    });
    const algorithm = "SM2_C1C3C2_ASN1";
    expect(await codeOf(asymmetricSm2Decrypt({ keyId, ciphertext, algorithm } as never))).toBe("ERR_ARGUMENT");
    expect(await codeOf(asymmetricSm2Decrypt({ keyId, ciphertext: "" as never }))).toBe("ERR_ARGUMENT");
    expect(await codeOf(asymmetricSm2Decrypt({ keyId: "nobody", ciphertext }))).toBe("ERR_KEY_NOT_FOUND");
  });

  test("other keys are refused", async () => {
    const { room, ciphertext } = await encrypted();
    const { asymmetricSm2Decrypt } = asymmetricOperations(room);
    const others = USAGES.filter(([spec, usage]) => spec !== "SM2" || usage !== "asymmetric-decrypt");
    expect(others.length).toBe(9);
    for (const [keySpec, keyUsage] of others) {
      const { id: keyId } = await putKey(room, keySpec, { keyUsage });
      expect(await refusalOf(asymmetricSm2Decrypt({ keyId, ciphertext }))).toBe("ERR_KEY_USAGE key-usage");
    }
  });

  test("an archived key opens, a disabled one does not", async () => {
    const { room, keyId, ciphertext } = await encrypted();
    const { asymmetricSm2Decrypt } = asymmetricOperations(room);
    const record = room.current("key", "local", keyId);
    await setState(room, record, "archived");
    expect((await asymmetricSm2Decrypt({ keyId, ciphertext })).plaintext).toEqual(plaintext);
    await setState(room, record, "disabled");
    expect(await refusalOf(asymmetricSm2Decrypt({ keyId, ciphertext }))).toBe("ERR_KEY_STATE key-disabled");
  });
});

describe("getPublicKey", () => {
  const READERS: Readonly<Partial<Record<KeySpec, (spki: Buffer) => unknown>>> = {
    RSA_2048: (spki) => createPublicKey({ key: spki, format: "der", type: "spki" }).asymmetricKeyDetails?.modulusLength,
    SM2: (spki) => importSm2PublicKey(spki).point.length,
    ECC_P256: (spki) => createPublicKey({ key: spki, format: "der", type: "spki" }).asymmetricKeyDetails?.namedCurve,
    ECC_P384: (spki) => createPublicKey({ key: spki, format: "der", type: "spki" }).asymmetricKeyDetails?.namedCurve,
    ML_KEM_768: (spki) => mlKemPublicKeyFromSpki("ML-KEM-768", spki).length,
    ML_DSA_65: (spki) => mlDsaPublicKeyFromSpki("ML-DSA-65", spki).length,
  };

  test("gives the public half of every asymmetric key, by id or alias, in DER and PEM", async () => {
    const room = createRoom();
    const { getPublicKey } = asymmetricOperations(room);
    const read: Record<string, unknown> = {};
    for (const [keySpec, keyUsage] of USAGES) {
      const name = `${keySpec}-${keyUsage}`;
      const { id: keyId } = await putKey(room, keySpec, { keyUsage, name });
      if (specOf(keySpec).symmetric !== undefined) {
        expect(await refusalOf(getPublicKey({ keyId }))).toBe("ERR_KEY_USAGE key-usage");
        continue;
      }
      const { publicKey, publicKeyPem, ...about } = await getPublicKey({ keyId: name });
      expect(about).toEqual({ keyId, keySpec, keyUsage });
      expect(publicKeyPem.split("\n").every((line) => line.length <= 64)).toBe(true);
      expect(Buffer.from(publicKeyPem.replace(/-----(BEGIN|END) PUBLIC KEY-----/g, ""), "base64")).toEqual(
        Buffer.from(publicKey),
      );
      read[keySpec] = READERS[keySpec]?.(Buffer.from(publicKey));
      expect((await getPublicKey({ keyId })).publicKey).toEqual(publicKey);
    }
    expect(read).toEqual({
      RSA_2048: 2048,
      SM2: 65,
      ECC_P256: "prime256v1",
      ECC_P384: "secp384r1",
      ML_KEM_768: 1184,
      ML_DSA_65: 1952,
    });
    const rsa = await putKey(room, "RSA_2048");
    expect(createPublicKey((await getPublicKey({ keyId: rsa.id })).publicKeyPem).asymmetricKeyType).toBe("rsa");
  });

  test("malformed requests are refused", async () => {
    const { getPublicKey } = asymmetricOperations(createRoom());
    expect(await codeOf(getPublicKey({} as never))).toBe("ERR_ARGUMENT");
    expect(await codeOf(getPublicKey({ keyId: "a", other: 1 } as never))).toBe("ERR_ARGUMENT");
    expect(await codeOf(getPublicKey({ keyId: "nobody" }))).toBe("ERR_KEY_NOT_FOUND");
    expect(await codeOf(getPublicKey({ keyId: "a" }, { region: "nowhere" }))).toBe("ERR_NOT_SUPPORTED");
  });
});

test("every algorithm that is claimed was opened above", () => {
  const opened = [...RSA_ALGORITHMS.map(([algorithm]) => algorithm), "SM2_C1C3C2_ASN1"];
  expect(new Set(opened)).toEqual(new Set(ASYMMETRIC_ENCRYPTION_ALGORITHMS));
});

test("each operation asks for access under its own name, and is refused before anything is told of the key", async () => {
  const asked: string[] = [];
  const room = createRoom({
    authorizer: ({ operation, resource }) => {
      asked.push(`${operation} ${String(resource?.exists)}`);
      return false;
    },
  });
  const operations = asymmetricOperations(room);
  const { id: keyId } = await putKey(room, "AES_256");
  const ciphertext = filled(256);
  for (const key of [keyId, "nobody"]) {
    for (const call of [
      operations.asymmetricRsaDecrypt({ keyId: key, algorithm: "RSAES_OAEP_SHA_1", ciphertext }),
      operations.asymmetricSm2Decrypt({ keyId: key, ciphertext }),
      operations.signByAsymmetricKey({ keyId: key, algorithm: "SM2DSA", message: ciphertext }),
      operations.verifyByAsymmetricKey({ keyId: key, algorithm: "SM2DSA", message: ciphertext, signature: ciphertext }),
      operations.getPublicKey({ keyId: key }),
    ]) {
      expect(await codeOf(call)).toBe("ERR_DENIED");
    }
  }
  const names = Object.keys(operations);
  expect(asked).toEqual([...names.map((name) => `${name} true`), ...names.map((name) => `${name} false`)]);
});

test("keys of another region are not found", async () => {
  const room = createRoom();
  const { getPublicKey } = asymmetricOperations(room);
  const { id: keyId } = await putKey(room, "SM2", { region: "elsewhere" });
  expect(await codeOf(getPublicKey({ keyId }))).toBe("ERR_KEY_NOT_FOUND");
  expect((await getPublicKey({ keyId }, { region: "elsewhere" })).keyId).toBe(keyId);
});
