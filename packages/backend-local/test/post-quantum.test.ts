// Post-quantum encryption: round trips, every byte of a ciphertext, other keys, and the layout as it is documented.
import { constants, createDecipheriv, createHmac, generateKeyPairSync, privateDecrypt } from "node:crypto";
import { importMlKemSeed } from "@fengni/crypto/ml-kem";
import { generateSm2Key } from "@fengni/crypto/sm2";
import { describe, expect, test } from "vitest";
import { postQuantumOperations } from "../src/post-quantum.js";
import { POST_QUANTUM_OVERHEAD_BYTES, parsePostQuantumBlob } from "../src/post-quantum-blob.js";
import type { Room } from "../src/room.js";
import { KEY_SPECS, specOf } from "../src/specs.js";
import { codeOf, errorOf, filled, refusalOf, withBitFlipped } from "./assertions.js";
import { createRoom, putKey, setState } from "./room.js";

const plaintext = filled(33, 9);

async function encrypted(bytes: Uint8Array = plaintext): Promise<{
  room: Room;
  operations: ReturnType<typeof postQuantumOperations>;
  keyId: string;
  ciphertext: Uint8Array;
}> {
  const room = createRoom();
  const operations = postQuantumOperations(room);
  const { id: keyId } = await putKey(room, "ML_KEM_768");
  const result = await operations.postQuantumCryptoEncrypt({ keyId, plaintext: bytes });
  expect(result.keyId).toBe(keyId);
  return { room, operations, keyId, ciphertext: result.ciphertext };
}

test("what was encrypted opens, with and without the key named", async () => {
  for (const bytes of [filled(1), plaintext, filled(4096)]) {
    const { operations, keyId, ciphertext } = await encrypted(bytes);
    expect(ciphertext.length).toBe(bytes.length + POST_QUANTUM_OVERHEAD_BYTES);
    expect(await operations.postQuantumCryptoDecrypt({ ciphertext })).toEqual({ keyId, plaintext: bytes });
    const named = await operations.postQuantumCryptoDecrypt({ ciphertext: Buffer.from(ciphertext), keyId });
    expect(named.plaintext).toEqual(bytes);
    expect(named.plaintext.constructor).toBe(Uint8Array);
  }
  expect(POST_QUANTUM_OVERHEAD_BYTES).toBe(1163);
});

test("two ciphertexts of one plaintext share their header only", async () => {
  const { operations, keyId, ciphertext } = await encrypted();
  const other = await operations.postQuantumCryptoEncrypt({ keyId, plaintext });
  expect(other.ciphertext.subarray(0, 47)).toEqual(ciphertext.subarray(0, 47));
  expect(parsePostQuantumBlob(other.ciphertext).encapsulation).not.toEqual(
    parsePostQuantumBlob(ciphertext).encapsulation,
  );
  expect(parsePostQuantumBlob(other.ciphertext).nonce).not.toEqual(parsePostQuantumBlob(ciphertext).nonce);
});

test("the layout is the documented one: whoever has the seed opens it with primitives alone", async () => {
  const { room, keyId, ciphertext } = await encrypted();
  const bytes = Buffer.from(ciphertext);
  expect(bytes.subarray(0, 7).toString("hex")).toBe("464e5051010124");
  expect(bytes.subarray(7, 43).toString("ascii")).toBe(keyId);
  expect(bytes.readUInt32BE(43)).toBe(1);
  const [header, encapsulation, nonce] = [bytes.subarray(0, 47), bytes.subarray(47, 1135), bytes.subarray(1135, 1147)];
  const seed = room.secret(room.current("key", "local", keyId), 1).bytes();
  const sharedSecret = importMlKemSeed("ML-KEM-768", seed).decapsulate(encapsulation);
  const pseudorandom = createHmac("sha256", Buffer.alloc(32)).update(sharedSecret).digest();
  const label = Buffer.from("fengni local kms post-quantum ciphertext v1");
  const info = Buffer.concat([label, header, encapsulation, Buffer.of(1)]);
  const key = createHmac("sha256", pseudorandom).update(info).digest();
  const decipher = createDecipheriv("aes-256-gcm", key, nonce);
  decipher.setAAD(Buffer.concat([header, encapsulation]));
  decipher.setAuthTag(bytes.subarray(-16));
  const opened = Buffer.concat([decipher.update(bytes.subarray(1147, -16)), decipher.final()]);
  expect(opened).toEqual(Buffer.from(plaintext));
});

test("no changed byte goes unnoticed", async () => {
  const { operations, keyId, ciphertext } = await encrypted();
  const codes: Record<string, number> = {};
  for (let byte = 0; byte < ciphertext.length; byte++) {
    const changed = withBitFlipped(ciphertext, 8 * byte);
    const code = String(await codeOf(operations.postQuantumCryptoDecrypt({ ciphertext: changed })));
    codes[code] = (codes[code] ?? 0) + 1;
    if (byte >= 47) expect(code).toBe("ERR_AUTHENTICATION");
    if (byte < 7 || (byte >= 43 && byte < 47)) expect(code).toBe("ERR_CIPHERTEXT_INVALID");
  }
  // In the key id, a changed digit names another key, unless it is no digit any more.
  expect(Object.keys(codes).sort()).toEqual(["ERR_AUTHENTICATION", "ERR_CIPHERTEXT_INVALID", "ERR_KEY_NOT_FOUND"]);
  expect(Object.values(codes).reduce((sum, count) => sum + count, 0)).toBe(ciphertext.length);
  expect((await operations.postQuantumCryptoDecrypt({ ciphertext, keyId })).plaintext).toEqual(plaintext);
});

test("no other length is taken", async () => {
  const { operations, ciphertext } = await encrypted(filled(2));
  for (let length = 0; length <= POST_QUANTUM_OVERHEAD_BYTES; length += 83) {
    const cut = ciphertext.subarray(0, length);
    expect(await codeOf(operations.postQuantumCryptoDecrypt({ ciphertext: cut }))).toBe("ERR_CIPHERTEXT_INVALID");
  }
  const shorter = ciphertext.subarray(0, -1);
  expect(await codeOf(operations.postQuantumCryptoDecrypt({ ciphertext: shorter }))).toBe("ERR_AUTHENTICATION");
  const longer = Buffer.concat([ciphertext, filled(1)]);
  expect(await codeOf(operations.postQuantumCryptoDecrypt({ ciphertext: longer }))).toBe("ERR_AUTHENTICATION");
  const tooLong = Buffer.concat([ciphertext, filled(100_000)]);
  expect(await codeOf(operations.postQuantumCryptoDecrypt({ ciphertext: tooLong }))).toBe("ERR_CIPHERTEXT_INVALID");
});

test("another key does not open it", async () => {
  const { room, operations, keyId, ciphertext } = await encrypted();
  const { id: other } = await putKey(room, "ML_KEM_768", { name: "other" });
  for (const key of [other, "other"]) {
    expect(await errorOf(operations.postQuantumCryptoDecrypt({ ciphertext, keyId: key }))).toMatchObject({
      code: "ERR_NO_MATCHING_KEY",
      details: { available: [keyId] },
    });
  }
  // Told to be the other key's, it is not.
  const renamed = Buffer.from(ciphertext);
  renamed.write(other, 7, "ascii");
  expect(await codeOf(operations.postQuantumCryptoDecrypt({ ciphertext: renamed }))).toBe("ERR_AUTHENTICATION");
});

test("malformed requests are refused", async () => {
  const { operations, keyId, ciphertext } = await encrypted();
  const encryption: readonly [object, string][] = [
    [{ plaintext: filled(0) }, "ERR_ARGUMENT"],
    [{ plaintext: filled(4097) }, "ERR_LIMIT"],
    [{ plaintext: "text" }, "ERR_ARGUMENT"],
    [{ encryptionContext: {} }, "ERR_ARGUMENT"],
    [{ keyId: "nobody" }, "ERR_KEY_NOT_FOUND"],
  ];
  for (const [fields, code] of encryption) {
    expect(await codeOf(operations.postQuantumCryptoEncrypt({ keyId, plaintext, ...fields }))).toBe(code);
  }
  const decryption: readonly [object, string][] = [
    [{ ciphertext: "text" }, "ERR_ARGUMENT"],
    [{ encryptionContext: {} }, "ERR_ARGUMENT"],
    [{ keyId: 7 }, "ERR_ARGUMENT"],
    [{ keyId: "nobody" }, "ERR_KEY_NOT_FOUND"],
    [{ encryptionAlgorithm: "SM2" }, "ERR_ARGUMENT"],
    [{ encryptionPublicKey: "no key" }, "ERR_KEY_INVALID"],
  ];
  for (const [fields, code] of decryption) {
    expect(await codeOf(operations.postQuantumCryptoDecrypt({ ciphertext, ...fields }))).toBe(code);
  }
});

test("other keys are refused", async () => {
  const { room, operations, ciphertext } = await encrypted();
  let refused = 0;
  for (const keySpec of KEY_SPECS) {
    for (const keyUsage of specOf(keySpec).usages) {
      if (keySpec === "ML_KEM_768") continue;
      const { id: keyId } = await putKey(room, keySpec, { keyUsage });
      expect(await refusalOf(operations.postQuantumCryptoEncrypt({ keyId, plaintext }))).toBe(
        "ERR_KEY_USAGE key-usage",
      );
      const renamed = Buffer.from(ciphertext);
      renamed.write(keyId, 7, "ascii");
      const call = operations.postQuantumCryptoDecrypt({ ciphertext: renamed });
      expect(await refusalOf(call)).toBe("ERR_KEY_USAGE key-usage");
      refused++;
    }
  }
  expect(refused).toBe(9);
});

test("states: an archived key opens and seals nothing more, a disabled one does nothing", async () => {
  const { room, operations, keyId, ciphertext } = await encrypted();
  const record = room.current("key", "local", keyId);
  await setState(room, record, "archived");
  expect(await refusalOf(operations.postQuantumCryptoEncrypt({ keyId, plaintext }))).toBe("ERR_KEY_STATE key-archived");
  expect((await operations.postQuantumCryptoDecrypt({ ciphertext })).plaintext).toEqual(plaintext);
  await setState(room, record, "disabled");
  expect(await refusalOf(operations.postQuantumCryptoEncrypt({ keyId, plaintext }))).toBe("ERR_KEY_STATE key-disabled");
  expect(await refusalOf(operations.postQuantumCryptoDecrypt({ ciphertext }))).toBe("ERR_KEY_STATE key-disabled");
});

describe("for a public key of the caller's", () => {
  test("the plaintext comes encrypted to it", async () => {
    const { operations, keyId, ciphertext } = await encrypted();
    const sm2 = generateSm2Key();
    const bySm2 = await operations.postQuantumCryptoDecrypt({
      ciphertext,
      encryptionPublicKey: sm2.publicKey.exportSpkiPem(),
      encryptionAlgorithm: "SM2_C1C3C2_ASN1",
    });
    expect(bySm2).toMatchObject({ keyId, encryptionAlgorithm: "SM2_C1C3C2_ASN1" });
    expect(sm2.decrypt(bySm2.plaintext, { format: "asn1" })).toEqual(plaintext);
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const byRsa = await operations.postQuantumCryptoDecrypt({
      ciphertext,
      encryptionPublicKey: publicKey.export({ format: "pem", type: "spki" }).toString(),
      encryptionAlgorithm: "RSAES_OAEP_SHA_256",
    });
    const padding = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" };
    expect(privateDecrypt({ key: privateKey, ...padding }, byRsa.plaintext)).toEqual(Buffer.from(plaintext));
  });

  test("a plaintext that does not fit is refused", async () => {
    const { operations, ciphertext } = await encrypted(filled(191));
    const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const call = operations.postQuantumCryptoDecrypt({
      ciphertext,
      encryptionPublicKey: publicKey.export({ format: "pem", type: "spki" }).toString(),
      encryptionAlgorithm: "RSAES_OAEP_SHA_256",
    });
    expect(await codeOf(call)).toBe("ERR_LIMIT");
  });
});

test("what a caller does to its buffers during the call changes nothing", async () => {
  const room = createRoom({ authorizer: () => new Promise((resolve) => setImmediate(() => resolve(true))) });
  const { postQuantumCryptoDecrypt, postQuantumCryptoEncrypt } = postQuantumOperations(room);
  const { id: keyId } = await putKey(room, "ML_KEM_768");
  const own = Buffer.from(plaintext);
  const encrypting = postQuantumCryptoEncrypt({ keyId, plaintext: own });
  own.fill(0);
  const sent = Buffer.from((await encrypting).ciphertext);
  const decrypting = postQuantumCryptoDecrypt({ ciphertext: sent });
  sent.fill(0);
  expect((await decrypting).plaintext).toEqual(plaintext);
});
