// No secret is printed by accident: not by the objects, not by what they answer, not by errors.
import { join } from "node:path";
import { inspect } from "node:util";
import { LocalKeyProvider, LocalKms } from "@fengni/backend-local";
import type { SecretBytes } from "@fengni/crypto/secret";
import { expect, test } from "vitest";
import { MemoryRecordStore } from "../src/store-memory.js";
import { errorOf, filled, openStore, ROOT_KEY, temporaryFolder } from "./support.js";

/** How the beginning of a secret looks in what people print, without white space. */
function spellings(secret: Uint8Array): string[] {
  const bytes = Buffer.from(secret).subarray(0, 8);
  return [bytes.toString("hex"), bytes.toString("base64").slice(0, 10), [...bytes].join(",")];
}

function printed(value: unknown): string {
  const shown = inspect(value, { depth: 20, showHidden: true, maxArrayLength: null, getters: true });
  const stack = value instanceof Error ? `${value.message} ${value.stack}` : "";
  // JSON writes an array of bytes with its indices.
  const json = JSON.stringify(value).replace(/"\d+":/g, "");
  return `${shown} ${json} ${String(value)} ${stack}`.replace(/\s/g, "");
}

test("objects, records and errors show no material, root key or plaintext", async () => {
  const store = new MemoryRecordStore();
  const kms = new LocalKms({ store });
  const { keyId } = await kms.createKey({ alias: "a" });
  const { keyId: signer } = await kms.createKey({ keySpec: "ECC_P256" });
  const { keyId: sm4 } = await kms.createKey({ keySpec: "SM4" });
  const file = await openStore(join(temporaryFolder(), "keys"));
  await file.createKey();
  const materialOf = (id: string): SecretBytes => store.view().secret({ kind: "key", region: "local", id }, 1);
  const materials = [keyId, signer, sm4].map((id) => materialOf(id).bytes());
  // Of a PKCS#8 the beginning is the same for all keys: the secret is what follows.
  const scalar = (materials[1] as Uint8Array).slice(36, 68);
  const plaintext = Uint8Array.from({ length: 40 }, (_, i) => 200 - 3 * i);
  const { ciphertext } = await kms.encrypt({ keyId, plaintext, encryptionContext: { a: "b" } });
  await kms.decrypt({ ciphertext, encryptionContext: { a: "b" } });
  const imported = { importType: "plaintext", dataKeyName: "hosted", keyId, importKeyMaterial: plaintext } as const;
  await kms.importDataKey(imported);
  await kms.getDataKeyPlaintext({ dataKeyId: "hosted" });
  await kms.signByAsymmetricKey({ keyId: signer, algorithm: "ECDSA_P256_SHA_256", message: plaintext });

  const values: unknown[] = [
    kms,
    file,
    store,
    new LocalKeyProvider(kms),
    await kms.describeKey({ keyId }),
    await kms.listKeys(),
    await kms.listKeyDetail(),
    await kms.describeDataKey({ dataKeyId: "hosted" }),
    await kms.listDataKeyDetail(),
    store.view().get("key", "local", keyId),
    store.view().query({ kind: "data-key", region: "local", order: "oldest-first", offset: 0, limit: 9 }),
    materialOf(keyId),
    await errorOf(kms.decrypt({ ciphertext, encryptionPublicKey: Buffer.from(plaintext) })),
    await errorOf(kms.importDataKey({ ...imported, dataKeyName: "hosted" })),
    await errorOf(kms.importDataKey({ ...imported, dataKeyName: "b", keyId: signer })),
    await errorOf(kms.decrypt({ ciphertext })),
    await errorOf(kms.encrypt({ keyId: signer, plaintext })),
    await errorOf(kms.encrypt({ keyId: "missing", plaintext })),
    await errorOf(kms.encrypt({ keyId, plaintext: Buffer.concat([plaintext, filled(5000)]) })),
    await errorOf(
      kms.signByAsymmetricKey({
        keyId: signer,
        algorithm: "ECDSA_P256_SHA_256",
        message: plaintext,
        messageType: "digest",
      }),
    ),
  ];
  const secrets = [materials[0] as Uint8Array, scalar, materials[2] as Uint8Array, plaintext, ROOT_KEY];
  for (const value of values) {
    for (const secret of secrets) {
      for (const spelling of spellings(secret)) expect(printed(value)).not.toContain(spelling);
    }
  }
  // The search finds what is there.
  for (const [index, leak] of [plaintext, Buffer.from(plaintext).toString("base64")].entries()) {
    expect(printed({ leak })).toContain(spellings(plaintext)[2 - index]);
  }
  expect(JSON.stringify(plaintext).replace(/"\d+":/g, "")).toContain(spellings(plaintext)[2]);
});

test("a wrong passphrase or root key is not repeated in the error", async () => {
  const path = join(temporaryFolder(), "keys");
  const { openFileKeystore } = await import("@fengni/backend-local");
  await openStore(path, { rootKey: { passphrase: "the right one", scrypt: { log2N: 10, r: 1, p: 1 } } });
  const error = await errorOf(openFileKeystore(path, { rootKey: { passphrase: "the wrong one" } }));
  expect(error.code).toBe("ERR_ROOT_KEY");
  expect(printed(error)).not.toMatch(/the(right|wrong)one/);
});

test("closing wipes the material of every key", async () => {
  const store = new MemoryRecordStore();
  const kms = new LocalKms({ store });
  const { keyId } = await kms.createKey();
  await kms.rotateKey({ keyId });
  const address = { kind: "key", region: "local", id: keyId } as const;
  const buffers = [1, 2].map((slot) => store.view().secret(address, slot).bytes());
  await kms.close();
  for (const buffer of buffers) expect(buffer.every((byte) => byte === 0)).toBe(true);
});

test("the copies that waiting operations take are wiped", async () => {
  const kms = new LocalKms({ authorizer: async () => true });
  const { keyId } = await kms.createKey();
  const copies: Uint8Array[] = [];
  const plaintext = filled(64, 0x77);
  const from = Uint8Array.from;
  Uint8Array.from = ((source: Uint8Array) => {
    const copy = from.call(Uint8Array, source) as Uint8Array<ArrayBuffer>;
    copies.push(copy);
    return copy;
  }) as typeof Uint8Array.from;
  try {
    await kms.encrypt({ keyId, plaintext });
    await kms.importDataKey({ importType: "plaintext", dataKeyName: "a", keyId, importKeyMaterial: plaintext });
  } finally {
    Uint8Array.from = from;
  }
  expect(copies.filter((copy) => copy.length === 64).length).toBe(2);
  for (const copy of copies) expect(copy.includes(0x77)).toBe(false);
});
