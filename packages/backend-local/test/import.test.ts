// Key material from outside: wrapped by other software, brought once and again, expired tokens, and what is not told apart.
import { constants, createPublicKey, publicEncrypt } from "node:crypto";
import { join } from "node:path";
import type { ImportWrappingAlgorithm } from "@fengni/core";
import { bytesToHex } from "@fengni/crypto/bytes";
import { describe, expect, test } from "vitest";
import type { Authorizer } from "../src/access.js";
import { ManualClock } from "../src/clock.js";
import { IMPORT_PARAMETERS_VALID_MS, importOperations, MAX_IMPORT_PARAMETERS, MAX_VALID_TO_MS } from "../src/import.js";
import type { KeyRecord } from "../src/records.js";
import type { Room } from "../src/room.js";
import { symmetricOperations } from "../src/symmetric.js";
import { codeOf, filled, refusalOf, withBitFlipped } from "./assertions.js";
import { createRoom, putKey, setState } from "./room.js";
import { openStore, temporaryFolder } from "./support.js";

const OAEP = constants.RSA_PKCS1_OAEP_PADDING;
const WRAPPINGS: readonly (readonly [ImportWrappingAlgorithm, object])[] = [
  ["RSAES_OAEP_SHA_256", { padding: OAEP, oaepHash: "sha256" }],
  ["RSAES_OAEP_SHA_1", { padding: OAEP, oaepHash: "sha1" }],
  ["RSAES_PKCS1_V1_5", { padding: constants.RSA_PKCS1_PADDING }],
];
const wrappingAlgorithm = "RSAES_OAEP_SHA_256";
const START_MS = 1_700_000_000_000;
const material = filled(32, 0x17);
const plaintext = filled(5, 1);

interface Bench {
  readonly room: Room;
  readonly clock: ManualClock;
  readonly keyId: string;
  readonly operations: ReturnType<typeof importOperations> & ReturnType<typeof symmetricOperations>;
  /** The key as it stands. */
  record(): KeyRecord;
  /** What `importKeyMaterial` takes, with parameters of its own. */
  wrapped(bytes?: Uint8Array, algorithm?: ImportWrappingAlgorithm, keyId?: string): Promise<Wrapped>;
}

interface Wrapped {
  readonly keyId: string;
  readonly encryptedKeyMaterial: Uint8Array;
  readonly importToken: Uint8Array;
}

async function bench(fields: Partial<KeyRecord> = {}, authorizer?: Authorizer): Promise<Bench> {
  const clock = new ManualClock(START_MS);
  const room = createRoom({ clock, ...(authorizer === undefined ? {} : { authorizer }) });
  const { id: keyId } = await putKey(room, fields.keySpec ?? "AES_256", { origin: "external", ...fields });
  const operations = { ...importOperations(room), ...symmetricOperations(room) };
  return {
    room,
    clock,
    keyId,
    operations,
    record: () => room.current("key", "local", keyId),
    async wrapped(bytes = material, algorithm = wrappingAlgorithm, id = keyId) {
      const parameters = await operations.getParametersForImport({ keyId: id, wrappingAlgorithm: algorithm });
      const encryptedKeyMaterial = wrap(parameters.publicKey, bytes, algorithm);
      return { keyId: id, encryptedKeyMaterial, importToken: parameters.importToken };
    },
  };
}

function wrap(publicKey: Uint8Array, bytes: Uint8Array, algorithm: ImportWrappingAlgorithm): Uint8Array {
  const key = createPublicKey({ key: Buffer.from(publicKey), format: "der", type: "spki" });
  return publicEncrypt({ key, ...WRAPPINGS.find(([name]) => name === algorithm)?.[1] }, bytes);
}

function importRecords(room: Room): Promise<number> {
  const query = { kind: "import", region: "local", order: "oldest-first", offset: 0, limit: 0 } as const;
  return room.change(undefined, (records) => records.query(query).total);
}

describe("getParametersForImport", () => {
  test("gives a public key of RSA-2048 and a token of its own each time, valid for 24 hours", async () => {
    const { operations, keyId } = await bench();
    const one = await operations.getParametersForImport({ keyId, wrappingAlgorithm });
    const other = await operations.getParametersForImport({ keyId, wrappingAlgorithm });
    expect(one).toMatchObject({ keyId, validToMs: START_MS + 24 * 60 * 60 * 1000 });
    const key = createPublicKey({ key: Buffer.from(one.publicKey), format: "der", type: "spki" });
    expect([key.asymmetricKeyType, key.asymmetricKeyDetails?.modulusLength]).toEqual(["rsa", 2048]);
    expect(other.publicKey).not.toEqual(one.publicKey);
    expect(bytesToHex(other.importToken)).not.toBe(bytesToHex(one.importToken));
  });

  test("malformed requests are refused", async () => {
    const { operations, keyId } = await bench();
    const malformed: readonly [object, string][] = [
      [{ wrappingAlgorithm: "SM2_C1C3C2_ASN1" }, "ERR_NOT_SUPPORTED"],
      [{ wrappingAlgorithm: "RSAES_OAEP_SHA_512" }, "ERR_NOT_SUPPORTED"],
      [{ wrappingAlgorithm: undefined }, "ERR_ARGUMENT"],
      [{ keyId: "nobody" }, "ERR_KEY_NOT_FOUND"],
      [{ wrappingKeySpec: "RSA_2048" }, "ERR_ARGUMENT"],
    ];
    for (const [fields, code] of malformed) {
      const request = { keyId, wrappingAlgorithm, ...fields } as never;
      expect(await codeOf(operations.getParametersForImport(request))).toBe(code);
    }
  });

  test("keeps a bounded number of parameters for each key: the oldest go", async () => {
    const { operations, keyId, wrapped, room } = await bench();
    const { id: other } = await putKey(room, "AES_256", { origin: "external" });
    const others = await wrapped(material, wrappingAlgorithm, other);
    const first = await wrapped();
    const second = await wrapped();
    for (let i = 2; i < MAX_IMPORT_PARAMETERS; i++)
      await operations.getParametersForImport({ keyId, wrappingAlgorithm });
    await operations.importKeyMaterial(first);
    await operations.getParametersForImport({ keyId, wrappingAlgorithm });
    expect(await refusalOf(operations.importKeyMaterial(first))).toBe("ERR_KEY_INVALID token-invalid");
    await operations.importKeyMaterial(second);
    await operations.importKeyMaterial(others);
    expect(await importRecords(room)).toBe(MAX_IMPORT_PARAMETERS + 1);
  });
});

describe("importKeyMaterial", () => {
  test.each(WRAPPINGS)("takes what node:crypto wrapped by %s", async (algorithm) => {
    const { operations, keyId, wrapped, record, room } = await bench();
    expect(await operations.importKeyMaterial(await wrapped(material, algorithm))).toBeUndefined();
    expect(record()).toMatchObject({ state: "enabled", versions: 1 });
    expect(record().validToMs).toBeUndefined();
    expect(room.secret(record(), 1).bytes()).toEqual(material);
    const { ciphertext } = await operations.encrypt({ keyId, plaintext });
    expect((await operations.decrypt({ ciphertext })).plaintext).toEqual(plaintext);
  });

  test("takes 16 bytes for SM4, by alias", async () => {
    const { operations, keyId, wrapped, record } = await bench({ keySpec: "SM4", name: "orders" });
    expect(await refusalOf(operations.importKeyMaterial(await wrapped()))).toBe(
      "ERR_KEY_INVALID material-undecryptable",
    );
    await operations.importKeyMaterial({ ...(await wrapped(filled(16, 3))), keyId: "orders" });
    expect(record()).toMatchObject({ state: "enabled", versions: 1 });
    expect((await operations.encrypt({ keyId: "orders", plaintext })).keyId).toBe(keyId);
  });

  test("what does not unwrap to the right length is one refusal", async () => {
    const { operations, keyId, wrapped, record } = await bench();
    const right = await wrapped();
    const byOther = await wrapped();
    const byPkcs1 = await wrapped(material, "RSAES_PKCS1_V1_5");
    const wrong: readonly Wrapped[] = [
      { ...right, encryptedKeyMaterial: withBitFlipped(right.encryptedKeyMaterial, 99) },
      { ...right, encryptedKeyMaterial: byOther.encryptedKeyMaterial },
      { ...right, encryptedKeyMaterial: byPkcs1.encryptedKeyMaterial },
      { ...right, encryptedKeyMaterial: filled(0) },
      { ...right, encryptedKeyMaterial: filled(255) },
      { ...right, encryptedKeyMaterial: Buffer.concat([right.encryptedKeyMaterial, filled(1)]) },
      { ...right, encryptedKeyMaterial: filled(256, 0xff) },
      await wrapped(filled(31)),
      await wrapped(filled(33)),
      await wrapped(filled(16), "RSAES_PKCS1_V1_5"),
    ];
    const messages = new Set<string>();
    for (const request of wrong) {
      const call = operations.importKeyMaterial(request);
      messages.add(await call.then(String, (error: Error) => error.message));
      expect(await refusalOf(call)).toBe("ERR_KEY_INVALID material-undecryptable");
    }
    expect(messages.size).toBe(1);
    expect(record()).toMatchObject({ state: "pending-import", versions: 0 });
    expect(record().importedFingerprint).toBeUndefined();
    expect(await refusalOf(operations.encrypt({ keyId, plaintext }))).toBe("ERR_KEY_STATE state-not-supported");
    await operations.importKeyMaterial(right);
  });

  test("malformed requests are refused", async () => {
    const { operations, wrapped, record } = await bench();
    const right = await wrapped();
    const malformed: readonly [object, string][] = [
      [{ encryptedKeyMaterial: "text" }, "ERR_ARGUMENT"],
      [{ importToken: "text" }, "ERR_ARGUMENT"],
      [{ validToMs: START_MS }, "ERR_ARGUMENT"],
      [{ validToMs: START_MS - 1 }, "ERR_ARGUMENT"],
      [{ validToMs: 0 }, "ERR_ARGUMENT"],
      [{ validToMs: START_MS + 0.5 }, "ERR_ARGUMENT"],
      [{ validToMs: "later" }, "ERR_ARGUMENT"],
      [{ validToMs: MAX_VALID_TO_MS + 1 }, "ERR_LIMIT"],
      [{ other: 1 }, "ERR_ARGUMENT"],
      [{ keyId: "nobody" }, "ERR_KEY_NOT_FOUND"],
    ];
    for (const [fields, code] of malformed) {
      expect(await codeOf(operations.importKeyMaterial({ ...right, ...fields } as never))).toBe(code);
    }
    await operations.importKeyMaterial({ ...right, validToMs: MAX_VALID_TO_MS });
    expect(record().validToMs).toBe(2_147_443_200_000);
  });

  test("again: the same bytes only, and the validity is replaced", async () => {
    const { operations, keyId, wrapped, record, room } = await bench();
    await operations.importKeyMaterial({ ...(await wrapped()), validToMs: START_MS + 10 });
    const { ciphertext } = await operations.encrypt({ keyId, plaintext });
    const before = record();
    expect(await refusalOf(operations.importKeyMaterial(await wrapped(filled(32, 0x18))))).toBe(
      "ERR_KEY_INVALID material-mismatch",
    );
    expect(record()).toEqual(before);
    expect(room.secret(before, 1).bytes()).toEqual(material);
    await operations.importKeyMaterial({ ...(await wrapped()), validToMs: START_MS + 20 });
    expect(record()).toEqual({ ...before, validToMs: START_MS + 20, dueAtMs: record().dueAtMs });
    await operations.importKeyMaterial(await wrapped());
    expect(record().validToMs).toBeUndefined();
    expect((await operations.decrypt({ ciphertext })).plaintext).toEqual(plaintext);
  });

  test("when its validity passes the key waits for import, and the same material opens again what it sealed", async () => {
    const { operations, keyId, wrapped, record, room, clock } = await bench();
    await operations.importKeyMaterial({ ...(await wrapped()), validToMs: START_MS + 1000 });
    const { ciphertext } = await operations.encrypt({ keyId, plaintext });
    clock.advance(999);
    expect((await operations.decrypt({ ciphertext })).plaintext).toEqual(plaintext);
    const holder = room.secret(record(), 1);
    clock.advance(1);
    expect(await refusalOf(operations.decrypt({ ciphertext }))).toBe("ERR_KEY_STATE state-not-supported");
    expect(record()).toMatchObject({ state: "pending-import", versions: 0 });
    expect(holder.wiped).toBe(true);
    expect(await refusalOf(operations.importKeyMaterial(await wrapped(filled(32, 0x18))))).toBe(
      "ERR_KEY_INVALID material-mismatch",
    );
    await operations.importKeyMaterial({ ...(await wrapped()), validToMs: START_MS + 5000 });
    expect((await operations.decrypt({ ciphertext })).plaintext).toEqual(plaintext);
  });

  test("two at once with other bytes: the first wins", async () => {
    const { operations, wrapped, record } = await bench();
    const [one, other] = [await wrapped(), await wrapped(filled(32, 0x18))];
    const calls = [one, other].map((request) => operations.importKeyMaterial(request));
    const answers = (await Promise.allSettled(calls)).map(({ status }) => status);
    expect(answers.sort()).toEqual(["fulfilled", "rejected"]);
    expect(record()).toMatchObject({ state: "enabled", versions: 1 });
  });

  test("a disabled key stays disabled", async () => {
    const { operations, wrapped, record, room } = await bench();
    await operations.importKeyMaterial(await wrapped());
    await setState(room, record(), "disabled");
    await operations.importKeyMaterial(await wrapped());
    expect(record()).toMatchObject({ state: "disabled", versions: 1 });
  });

  test("nothing that is kept of the material can be tested by who reads the record", async () => {
    const [one, other] = [await bench(), await bench()];
    for (const { operations, wrapped } of [one, other]) await operations.importKeyMaterial(await wrapped());
    expect(one.record().importedFingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect(one.record().importedFingerprint).not.toBe(other.record().importedFingerprint);
    expect(JSON.stringify(one.record())).not.toContain(bytesToHex(material));
  });

  test("what a caller does to its buffers during the call changes nothing", async () => {
    const late: Authorizer = () => new Promise((resolve) => setImmediate(() => resolve(true)));
    const { operations, wrapped, record } = await bench({}, late);
    const { keyId, ...sent } = await wrapped();
    const encryptedKeyMaterial = Buffer.from(sent.encryptedKeyMaterial);
    const importToken = Buffer.from(sent.importToken);
    const importing = operations.importKeyMaterial({ keyId, encryptedKeyMaterial, importToken });
    encryptedKeyMaterial.fill(0);
    importToken.fill(0);
    await importing;
    expect(record().state).toBe("enabled");
  });
});

describe("a token", () => {
  test("serves several imports, and every one until it expires", async () => {
    const { operations, wrapped, clock, record } = await bench();
    const request = await wrapped();
    await operations.importKeyMaterial(request);
    clock.advance(IMPORT_PARAMETERS_VALID_MS - 1);
    await operations.importKeyMaterial(request);
    clock.advance(1);
    expect(await refusalOf(operations.importKeyMaterial(request))).toBe("ERR_KEY_INVALID token-expired");
    clock.advance(10 * IMPORT_PARAMETERS_VALID_MS);
    expect(await refusalOf(operations.importKeyMaterial(request))).toBe("ERR_KEY_INVALID token-expired");
    expect(record()).toMatchObject({ state: "enabled", versions: 1 });
    await operations.importKeyMaterial(await wrapped());
  });

  test("of another key, another region or none is invalid", async () => {
    const { operations, keyId, wrapped, room } = await bench();
    const { id: other } = await putKey(room, "AES_256", { origin: "external" });
    const elsewhere = await putKey(room, "AES_256", { id: keyId, region: "elsewhere", origin: "external" });
    const right = await wrapped();
    const refused = "ERR_KEY_INVALID token-invalid";
    expect(await refusalOf(operations.importKeyMaterial({ ...right, keyId: other }))).toBe(refused);
    const inOther = operations.importKeyMaterial({ ...right, keyId: elsewhere.id }, { region: "elsewhere" });
    expect(await refusalOf(inOther)).toBe(refused);
    const { importToken } = right;
    const wrong = [filled(0), filled(1), importToken.subarray(1), Buffer.concat([importToken, filled(1)])];
    for (let byte = 0; byte < importToken.length; byte++) {
      // In its time and its key's id too: what it says of itself is no proof.
      wrong.push(withBitFlipped(importToken, 8 * byte + 1));
    }
    const seen = new Set<string>();
    for (const token of wrong)
      seen.add(await refusalOf(operations.importKeyMaterial({ ...right, importToken: token })));
    // One that is said to have ended is not looked up at all.
    expect(seen).toEqual(new Set([refused, "ERR_KEY_INVALID token-expired"]));
    await operations.importKeyMaterial(right);
  });
});

describe("deleteImportedKeyMaterial", () => {
  test("lets the key wait for import, and the same material opens again what it sealed", async () => {
    const { operations, keyId, wrapped, record, room } = await bench();
    await operations.importKeyMaterial({ ...(await wrapped()), validToMs: START_MS + 1000 });
    const { ciphertext } = await operations.encrypt({ keyId, plaintext });
    const holder = room.secret(record(), 1);
    expect(await operations.deleteImportedKeyMaterial({ keyId })).toBeUndefined();
    expect(record()).toMatchObject({ state: "pending-import", versions: 0 });
    expect(record().validToMs).toBeUndefined();
    expect(holder.wiped).toBe(true);
    expect(await refusalOf(operations.decrypt({ ciphertext }))).toBe("ERR_KEY_STATE state-not-supported");
    await operations.deleteImportedKeyMaterial({ keyId });
    expect(await refusalOf(operations.importKeyMaterial(await wrapped(filled(32, 1))))).toBe(
      "ERR_KEY_INVALID material-mismatch",
    );
    await operations.importKeyMaterial(await wrapped());
    expect((await operations.decrypt({ ciphertext })).plaintext).toEqual(plaintext);
  });

  test("malformed requests are refused", async () => {
    const { operations, keyId } = await bench();
    expect(await codeOf(operations.deleteImportedKeyMaterial({ keyId, other: 1 } as never))).toBe("ERR_ARGUMENT");
    expect(await codeOf(operations.deleteImportedKeyMaterial({ keyId: "nobody" }))).toBe("ERR_KEY_NOT_FOUND");
  });
});

test("keys of this KMS, copies, and keys in other states are refused", async () => {
  const { operations, keyId, wrapped, room, record } = await bench();
  const right = await wrapped();
  const calls = (id: string): Promise<unknown>[] => [
    operations.getParametersForImport({ keyId: id, wrappingAlgorithm }),
    operations.importKeyMaterial({ ...right, keyId: id }),
    operations.deleteImportedKeyMaterial({ keyId: id }),
  ];
  for (const keySpec of ["AES_256", "SM4", "RSA_2048", "SM2", "ECC_P256", "ML_KEM_768"] as const) {
    const { id } = await putKey(room, keySpec);
    for (const call of calls(id)) expect(await refusalOf(call)).toBe("ERR_KEY_USAGE not-external-key");
  }
  for (const [state, refusal] of [
    ["archived", "ERR_KEY_STATE key-archived"],
    ["pending-deletion", "ERR_KEY_STATE state-not-supported"],
  ] as const) {
    await setState(room, record(), state);
    for (const call of calls(keyId)) expect(await refusalOf(call)).toBe(refusal);
  }
  const copy = await putKey(room, "AES_256", { origin: "external", sourceRegion: "elsewhere" });
  const parameters = operations.getParametersForImport({ keyId: copy.id, wrappingAlgorithm });
  expect(await refusalOf(parameters)).toBe("ERR_KEY_STATE state-not-supported");
  const deletion = operations.deleteImportedKeyMaterial({ keyId: copy.id });
  expect(await refusalOf(deletion)).toBe("ERR_KEY_STATE state-not-supported");
});

test("a key store file keeps parameters, material and what it is compared with", async () => {
  const path = join(temporaryFolder(), "store");
  const first = await openStore(path);
  const { keyId } = await first.createKey({ origin: "external" });
  const parameters = await first.getParametersForImport({ keyId, wrappingAlgorithm });
  await first.close();
  const { importToken, publicKey } = parameters;
  const request = { keyId, importToken, encryptedKeyMaterial: wrap(publicKey, material, wrappingAlgorithm) };
  const second = await openStore(path);
  await second.importKeyMaterial(request);
  const { ciphertext } = await second.encrypt({ keyId, plaintext });
  await second.deleteImportedKeyMaterial({ keyId });
  await second.close();
  const third = await openStore(path);
  const other = { ...request, encryptedKeyMaterial: wrap(publicKey, filled(32, 1), wrappingAlgorithm) };
  expect(await refusalOf(third.importKeyMaterial(other))).toBe("ERR_KEY_INVALID material-mismatch");
  await third.importKeyMaterial(request);
  expect((await third.decrypt({ ciphertext })).plaintext).toEqual(plaintext);
});

test("each operation asks for access once, under its own name", async () => {
  const asked: string[] = [];
  const { operations, keyId, wrapped } = await bench({}, ({ operation, resource }) => {
    asked.push(`${operation} ${resource?.id ?? ""}`);
    return true;
  });
  await operations.importKeyMaterial(await wrapped());
  await operations.deleteImportedKeyMaterial({ keyId });
  expect(asked).toEqual([
    `getParametersForImport ${keyId}`,
    `importKeyMaterial ${keyId}`,
    `deleteImportedKeyMaterial ${keyId}`,
  ]);
});
