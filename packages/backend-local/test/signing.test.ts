// Signing keys: signatures that other software verifies and makes, in both forms of the message, and what is refused.
import {
  constants,
  createHash,
  createPublicKey,
  createVerify,
  sign as nodeSign,
  verify as nodeVerify,
} from "node:crypto";
import type { KeySpec, KeyUsage, MessageType, SignatureAlgorithm } from "@fengni/core";
import { mlDsaImplementations, mlDsaPublicKeyFromSpki } from "@fengni/crypto/ml-dsa";
import { importSm2PrivateKey, importSm2PublicKey } from "@fengni/crypto/sm2";
import { describe, expect, test } from "vitest";
import { asymmetricOperations } from "../src/asymmetric.js";
import { postQuantumOperations } from "../src/post-quantum.js";
import { KEY_SPECS, SIGNATURE_ALGORITHMS, specOf } from "../src/specs.js";
import { codeOf, filled, refusalOf, withBitFlipped } from "./assertions.js";
import { createRoom, putKey, setState } from "./room.js";

interface Case {
  readonly keySpec: KeySpec;
  readonly algorithm: SignatureAlgorithm;
  /** The digest that is signed of a message. */
  digest(message: Uint8Array, spki: Uint8Array): Uint8Array;
  /** Whether other software finds the signature right. */
  verify(spki: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
}

function keyOf(spki: Uint8Array): ReturnType<typeof createPublicKey> {
  return createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
}

function ecdsa(keySpec: KeySpec, algorithm: SignatureAlgorithm, hash: string): Case {
  return {
    keySpec,
    algorithm,
    digest: (message) => createHash(hash).update(message).digest(),
    verify: (spki, message, signature) => nodeVerify(hash, message, keyOf(spki), signature),
  };
}

function rsa(algorithm: SignatureAlgorithm, options: { readonly padding: number; readonly saltLength?: number }): Case {
  return {
    keySpec: "RSA_2048",
    algorithm,
    digest: (message) => createHash("sha256").update(message).digest(),
    verify: (spki, message, signature) => nodeVerify("sha256", message, { key: keyOf(spki), ...options }, signature),
  };
}

const CASES: readonly Case[] = [
  ecdsa("ECC_P256", "ECDSA_P256_SHA_256", "sha256"),
  ecdsa("ECC_P384", "ECDSA_P384_SHA_384", "sha384"),
  rsa("RSA_PKCS1_SHA_256", { padding: constants.RSA_PKCS1_PADDING }),
  rsa("RSA_PSS_SHA_256", { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }),
  {
    keySpec: "SM2",
    algorithm: "SM2DSA",
    digest: (message, spki) =>
      createHash("sm3").update(importSm2PublicKey(spki).identityDigest()).update(message).digest(),
    // node:crypto leaves the signer's id to whoever calls it: Z goes before the message.
    verify: (spki, message, signature) =>
      createVerify("sm3")
        .update(importSm2PublicKey(spki).identityDigest())
        .update(message)
        .verify(keyOf(spki), signature),
  },
];

const message = filled(300, 3);

test("the cases cover the classical algorithms of the table", () => {
  const classical = SIGNATURE_ALGORITHMS.filter((algorithm) => algorithm !== "ML_DSA_65");
  expect(new Set(CASES.map(({ algorithm }) => algorithm))).toEqual(new Set(classical));
  expect(SIGNATURE_ALGORITHMS.length).toBe(CASES.length + 1);
});

describe.each(CASES)("$algorithm", ({ keySpec, algorithm, digest, verify }) => {
  async function signed(): Promise<{
    operations: ReturnType<typeof asymmetricOperations>;
    keyId: string;
    spki: Uint8Array;
    forms: readonly [MessageType, Uint8Array][];
    signatures: readonly Uint8Array[];
  }> {
    const room = createRoom();
    const operations = asymmetricOperations(room);
    const { id: keyId } = await putKey(room, keySpec, { keyUsage: "sign-verify" });
    const { publicKey: spki } = await operations.getPublicKey({ keyId });
    const forms: [MessageType, Uint8Array][] = [
      ["raw", message],
      ["digest", digest(message, spki)],
    ];
    const signatures: Uint8Array[] = [];
    for (const [messageType, bytes] of forms) {
      const result = await operations.signByAsymmetricKey({ keyId, algorithm, message: bytes, messageType });
      expect(result).toMatchObject({ keyId, algorithm });
      expect(result.signature.constructor).toBe(Uint8Array);
      signatures.push(result.signature);
    }
    return { operations, keyId, spki, forms, signatures };
  }

  test("signatures of either form verify as either form, and by other software", async () => {
    const { operations, keyId, spki, forms, signatures } = await signed();
    for (const signature of signatures) {
      expect(verify(spki, message, signature)).toBe(true);
      for (const [messageType, bytes] of forms) {
        const request = { keyId, algorithm, message: bytes, messageType, signature };
        expect(await operations.verifyByAsymmetricKey(request)).toEqual({ keyId, algorithm, valid: true });
      }
    }
  });

  test("the message is raw when nothing is said", async () => {
    const { operations, keyId, spki } = await signed();
    const { signature } = await operations.signByAsymmetricKey({ keyId, algorithm, message });
    expect(verify(spki, message, signature)).toBe(true);
    expect((await operations.verifyByAsymmetricKey({ keyId, algorithm, message, signature })).valid).toBe(true);
  });

  test("whatever else is given as a signature is false, not an error", async () => {
    const { operations, keyId, forms, signatures } = await signed();
    const [raw] = signatures as [Uint8Array];
    const wrong = [filled(0), filled(1), filled(20_000), filled(raw.length, 0), filled(raw.length, 0xff)];
    wrong.push(
      raw.subarray(1),
      raw.subarray(0, -1),
      Buffer.concat([raw, filled(1)]),
      Buffer.concat([raw, filled(9000)]),
    );
    for (let bit = 0; bit < 8 * raw.length; bit += 37) wrong.push(withBitFlipped(raw, bit));
    for (const signature of wrong) {
      for (const [messageType, bytes] of forms) {
        const request = { keyId, algorithm, message: bytes, messageType, signature };
        expect((await operations.verifyByAsymmetricKey(request)).valid).toBe(false);
      }
    }
    const changed = { keyId, algorithm, message: withBitFlipped(message, 9), signature: raw };
    expect((await operations.verifyByAsymmetricKey(changed)).valid).toBe(false);
  });

  test("a signature of another key is false", async () => {
    const [one, other] = [await signed(), await signed()];
    const request = { keyId: one.keyId, algorithm, message, signature: other.signatures[0] as Uint8Array };
    expect((await one.operations.verifyByAsymmetricKey(request)).valid).toBe(false);
  });

  test("malformed requests are refused", async () => {
    const { operations, keyId, signatures } = await signed();
    const [signature] = signatures as [Uint8Array];
    const right = { keyId, algorithm, message, signature };
    const malformed: readonly [object, string][] = [
      [{ message: filled(0) }, "ERR_ARGUMENT"],
      [{ message: filled(4097) }, "ERR_LIMIT"],
      [{ message: "text" }, "ERR_ARGUMENT"],
      [{ messageType: "digest" }, "ERR_ARGUMENT"],
      [{ messageType: "digest", message: filled(31) }, "ERR_ARGUMENT"],
      [{ messageType: "hash" }, "ERR_ARGUMENT"],
      [{ algorithm: "RSA_PSS_SHA_1" }, "ERR_NOT_SUPPORTED"],
      [{ algorithm: "constructor" }, "ERR_NOT_SUPPORTED"],
      [{ algorithm: 7 }, "ERR_ARGUMENT"],
      [{ other: 1 }, "ERR_ARGUMENT"],
      [{ keyId: 7 }, "ERR_ARGUMENT"],
      [{ keyId: "nobody" }, "ERR_KEY_NOT_FOUND"],
    ];
    for (const [fields, code] of malformed) {
      const { signature: _, ...toSign } = { ...right, ...fields };
      expect(await codeOf(operations.signByAsymmetricKey(toSign as never))).toBe(code);
      expect(await codeOf(operations.verifyByAsymmetricKey({ ...right, ...fields } as never))).toBe(code);
    }
    expect(await codeOf(operations.verifyByAsymmetricKey({ ...right, signature: "" as never }))).toBe("ERR_ARGUMENT");
  });

  test("longest and shortest messages", async () => {
    const { operations, keyId, spki } = await signed();
    for (const bytes of [filled(1), filled(4096)]) {
      const { signature } = await operations.signByAsymmetricKey({ keyId, algorithm, message: bytes });
      expect(verify(spki, bytes, signature)).toBe(true);
    }
  });

  test("the key must sign by this algorithm", async () => {
    const room = createRoom();
    const operations = asymmetricOperations(room);
    const usages: [KeySpec, KeyUsage][] = KEY_SPECS.flatMap((spec) =>
      specOf(spec).usages.map((usage): [KeySpec, KeyUsage] => [spec, usage]),
    );
    let refused = 0;
    for (const [spec, keyUsage] of usages) {
      if (spec === keySpec && keyUsage === "sign-verify") continue;
      const { id: keyId } = await putKey(room, spec, { keyUsage });
      const request = { keyId, algorithm, message };
      expect(await refusalOf(operations.signByAsymmetricKey(request))).toBe("ERR_KEY_USAGE key-usage");
      const toVerify = { ...request, signature: filled(64) };
      expect(await refusalOf(operations.verifyByAsymmetricKey(toVerify))).toBe("ERR_KEY_USAGE key-usage");
      refused++;
    }
    expect(refused).toBe(9);
  });
});

describe("ML_DSA_65", () => {
  async function signed(): Promise<{
    operations: ReturnType<typeof postQuantumOperations>;
    keyId: string;
    spki: Uint8Array;
    signature: Uint8Array;
    room: ReturnType<typeof createRoom>;
  }> {
    const room = createRoom();
    const operations = postQuantumOperations(room);
    const { id: keyId } = await putKey(room, "ML_DSA_65");
    const { publicKey: spki } = await asymmetricOperations(room).getPublicKey({ keyId });
    const { signature, ...rest } = await operations.postQuantumCryptoSign({ keyId, message });
    expect(rest).toEqual({ keyId });
    return { operations, keyId, spki, signature, room };
  }

  test("signatures verify, also by every implementation with the exported public key", async () => {
    const { operations, keyId, spki, signature } = await signed();
    expect(signature.length).toBe(3309);
    expect(await operations.postQuantumCryptoVerify({ keyId, message, signature })).toEqual({ keyId, valid: true });
    const implementations = mlDsaImplementations();
    expect(implementations.map(({ name }) => name)).toContain("noble");
    for (const implementation of implementations) {
      const key = implementation.importPublicKey("ML-DSA-65", mlDsaPublicKeyFromSpki("ML-DSA-65", spki));
      expect(key.verify(message, signature)).toBe(true);
    }
  });

  test("whatever else is given as a signature is false, not an error", async () => {
    const { operations, keyId, signature } = await signed();
    const wrong = [
      filled(0),
      filled(3309, 0),
      filled(20_000),
      signature.subarray(1),
      Buffer.concat([signature, filled(1)]),
    ];
    for (let bit = 0; bit < 8 * signature.length; bit += 1499) wrong.push(withBitFlipped(signature, bit));
    for (const bytes of wrong) {
      expect((await operations.postQuantumCryptoVerify({ keyId, message, signature: bytes })).valid).toBe(false);
    }
    const other = await signed();
    const request = { keyId: other.keyId, message, signature };
    expect((await other.operations.postQuantumCryptoVerify(request)).valid).toBe(false);
  });

  test("malformed requests are refused, and it is signed by its own operation only", async () => {
    const { operations, keyId, signature, room } = await signed();
    const malformed: readonly [object, string][] = [
      [{ message: filled(0) }, "ERR_ARGUMENT"],
      [{ message: filled(4097) }, "ERR_LIMIT"],
      [{ messageType: "raw" }, "ERR_ARGUMENT"],
      [{ keyId: "nobody" }, "ERR_KEY_NOT_FOUND"],
    ];
    for (const [fields, code] of malformed) {
      expect(await codeOf(operations.postQuantumCryptoSign({ keyId, message, ...fields }))).toBe(code);
      expect(await codeOf(operations.postQuantumCryptoVerify({ keyId, message, signature, ...fields }))).toBe(code);
    }
    const { signByAsymmetricKey, verifyByAsymmetricKey } = asymmetricOperations(room);
    const request = { keyId, algorithm: "ML_DSA_65", message } as const;
    expect(await refusalOf(signByAsymmetricKey(request))).toBe("ERR_KEY_USAGE key-usage");
    expect(await refusalOf(verifyByAsymmetricKey({ ...request, signature }))).toBe("ERR_KEY_USAGE key-usage");
    const digested = { ...request, message: filled(32), messageType: "digest" } as const;
    expect(await codeOf(signByAsymmetricKey(digested))).toBe("ERR_ARGUMENT");
  });

  test("other keys are refused", async () => {
    const { operations, room, signature } = await signed();
    let refused = 0;
    for (const spec of KEY_SPECS) {
      for (const keyUsage of specOf(spec).usages) {
        if (spec === "ML_DSA_65") continue;
        const { id: keyId } = await putKey(room, spec, { keyUsage });
        expect(await refusalOf(operations.postQuantumCryptoSign({ keyId, message }))).toBe("ERR_KEY_USAGE key-usage");
        const toVerify = { keyId, message, signature };
        expect(await refusalOf(operations.postQuantumCryptoVerify(toVerify))).toBe("ERR_KEY_USAGE key-usage");
        refused++;
      }
    }
    expect(refused).toBe(9);
  });
});

test("states: disabled keys do nothing, archived ones verify", async () => {
  const room = createRoom();
  const { signByAsymmetricKey, verifyByAsymmetricKey, getPublicKey } = asymmetricOperations(room);
  const key = await putKey(room, "ECC_P256");
  const request = { keyId: key.id, algorithm: "ECDSA_P256_SHA_256", message } as const;
  const { signature } = await signByAsymmetricKey(request);
  const rows = [
    ["disabled", "ERR_KEY_STATE key-disabled", "ERR_KEY_STATE key-disabled"],
    ["pending-deletion", "ERR_KEY_STATE state-not-supported", "ERR_KEY_STATE state-not-supported"],
    ["archived", "ERR_KEY_STATE key-archived", undefined],
  ] as const;
  for (const [state, signing, verifying] of rows) {
    await setState(room, key, state);
    expect(await refusalOf(signByAsymmetricKey(request))).toBe(signing);
    const toVerify = { ...request, signature };
    if (verifying === undefined) expect((await verifyByAsymmetricKey(toVerify)).valid).toBe(true);
    else expect(await refusalOf(verifyByAsymmetricKey(toVerify))).toBe(verifying);
    expect((await getPublicKey({ keyId: key.id })).keyId).toBe(key.id);
  }
});

test("what a caller does to its buffers during the call changes nothing", async () => {
  const room = createRoom({ authorizer: () => new Promise((resolve) => setImmediate(() => resolve(true))) });
  const { signByAsymmetricKey, verifyByAsymmetricKey } = asymmetricOperations(room);
  const { id: keyId } = await putKey(room, "ECC_P256");
  const own = Buffer.from(message);
  const signing = signByAsymmetricKey({ keyId, algorithm: "ECDSA_P256_SHA_256", message: own });
  own.fill(0);
  const signature = Buffer.from((await signing).signature);
  const sent = Uint8Array.from(signature);
  const verifying = verifyByAsymmetricKey({ keyId, algorithm: "ECDSA_P256_SHA_256", message, signature: sent });
  sent.fill(0);
  expect((await verifying).valid).toBe(true);
});

test("a signature that other software made verifies", async () => {
  const room = createRoom();
  const { verifyByAsymmetricKey } = asymmetricOperations(room);
  const key = await putKey(room, "RSA_2048", { keyUsage: "sign-verify" });
  const pkcs8 = Buffer.from(room.secret(key, 1).bytes());
  const privateKey = { key: pkcs8, format: "der", type: "pkcs8" } as const;
  const signature = nodeSign("sha256", message, {
    ...privateKey,
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: 32,
  });
  const request = { keyId: key.id, algorithm: "RSA_PSS_SHA_256", message, signature } as const;
  expect((await verifyByAsymmetricKey(request)).valid).toBe(true);
  expect((await verifyByAsymmetricKey({ ...request, algorithm: "RSA_PKCS1_SHA_256" })).valid).toBe(false);
});

test("an SM2 signature under another signer's id is false", async () => {
  const room = createRoom();
  const { verifyByAsymmetricKey } = asymmetricOperations(room);
  const record = await putKey(room, "SM2", { keyUsage: "sign-verify" });
  const key = importSm2PrivateKey(room.secret(record, 1).bytes());
  const request = { keyId: record.id, algorithm: "SM2DSA", message } as const;
  const foreign = key.sign(message, { userId: "somebody" });
  expect((await verifyByAsymmetricKey({ ...request, signature: foreign })).valid).toBe(false);
  expect((await verifyByAsymmetricKey({ ...request, signature: key.sign(message) })).valid).toBe(true);
});

test("using keys leaves the stored material as it was", async () => {
  const room = createRoom();
  const operations = { ...asymmetricOperations(room), ...postQuantumOperations(room) };
  for (const { keySpec, algorithm } of CASES) {
    const record = await putKey(room, keySpec, { keyUsage: "sign-verify" });
    const material = room.secret(record, 1).bytes();
    const before = Uint8Array.from(material);
    const { signature } = await operations.signByAsymmetricKey({ keyId: record.id, algorithm, message: filled(3) });
    await operations.verifyByAsymmetricKey({ keyId: record.id, algorithm, message: filled(3), signature });
    await operations.getPublicKey({ keyId: record.id });
    expect(material).toEqual(before);
  }
});
