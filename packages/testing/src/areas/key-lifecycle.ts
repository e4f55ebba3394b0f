// Area: the lifecycle of keys through the admin: what is created, listed and changed, and what each state refuses.
import type { KeyAdmin, KeyDescription, KeyState, ProviderOperation } from "@fengni/core";
import { bytesToHex } from "@fengni/crypto/bytes";
import { randomBytes } from "@fengni/crypto/random";
import { type SealedSample, sealUnder } from "../calls.js";
import type { Area, Kit } from "../kit.js";
import { asymmetricStates } from "./key-lifecycle-asymmetric.js";

const DAY_MS = 86_400_000;
const newAlias = (): string => `kit-${bytesToHex(randomBytes(8))}`;

async function creates(kit: Kit): Promise<void> {
  const { check, provider, admin } = kit;
  const alias = newAlias();
  const key = await kit.createKey({ alias, description: "a key of the kit" });
  const other = await kit.createKey();
  check.isTrue(key.keyId !== other.keyId, "createKey: expected another keyId for each key");
  check.equal(key.state, "enabled", "createKey: its state");
  check.equal(key.origin, "provider", "createKey: its origin");
  check.equal(key.keyUsage, "encrypt-decrypt", "createKey: its keyUsage by default");
  check.tells(key.versions, 1, "createKey: its versions");
  check.equal(key.alias, alias, "createKey: its alias");
  check.equal(key.description, "a key of the kit", "createKey: its description");
  check.isTrue(Number.isSafeInteger(key.createdAtMs) && key.createdAtMs > 0, "createKey: expected createdAtMs");
  for (const name of [key.keyId, alias]) {
    const described = await check.resolves(admin.describeKey(name), "describeKey");
    check.equal(described.keyId, key.keyId, "describeKey: its keyId");
    check.equal(described.createdAtMs, key.createdAtMs, "describeKey: its createdAtMs");
    check.equal(
      await check.resolves(provider.resolveKeyId(name), "resolveKeyId"),
      key.keyId,
      "resolveKeyId of a new key",
    );
  }
  const sealed = await sealUnder(kit, alias);
  const opened = await check.resolves(provider.decrypt({ ciphertext: sealed.ciphertext, keyId: key.keyId }), "decrypt");
  check.sameBytes(opened.plaintext, sealed.plaintext, "what was sealed under an alias, opened by its key id");
  await answersNameKeys(kit, alias, key.keyId);
}

/** Answers carry full key ids, also where the request has an alias. */
async function answersNameKeys(kit: Kit, alias: string, keyId: string): Promise<void> {
  const { check, provider } = kit;
  const { ciphertext } = await sealUnder(kit, alias);
  const calls: readonly (readonly [ProviderOperation, () => Promise<{ readonly keyId: string }>])[] = [
    ["generateDataKey", () => provider.generateDataKey({ keyId: alias, numberOfBytes: 32 })],
    ["encrypt", () => provider.encrypt({ keyId: alias, plaintext: randomBytes(16) })],
    ["decrypt", () => provider.decrypt({ ciphertext, keyId: alias })],
    ["reEncrypt", () => provider.reEncrypt({ ciphertext, destinationKeyId: alias })],
  ];
  for (const [operation, call] of calls) {
    if (!kit.claims(operation)) continue;
    const answer = await check.resolves(call(), `${operation} with an alias`);
    check.equal(answer.keyId, keyId, `${operation} with an alias: its keyId`);
  }
}

async function names(kit: Kit): Promise<void> {
  const { check, provider, admin } = kit;
  const [first, second] = [newAlias(), newAlias()];
  const key = await kit.createKey({ alias: first });
  const other = await kit.createKey();
  await check.rejects(admin.createKey({ alias: first }), ["ERR_CONFLICT"], "createKey with an alias in use");
  await check.rejects(admin.updateAlias(other.keyId, first), ["ERR_CONFLICT"], "updateAlias to one in use");
  await check.resolves(admin.updateAlias(key.keyId, first), "updateAlias to its own");
  await check.resolves(admin.updateAlias(key.keyId, second), "updateAlias");
  await check.rejects(provider.resolveKeyId(first), ["ERR_KEY_NOT_FOUND"], "resolveKeyId of an alias given up");
  check.equal(
    await check.resolves(provider.resolveKeyId(second), "resolveKeyId"),
    key.keyId,
    "resolveKeyId of an alias",
  );
  await check.resolves(admin.updateAlias(other.keyId, first), "updateAlias to one given up");
  check.equal(
    await check.resolves(provider.resolveKeyId(first), "resolveKeyId"),
    other.keyId,
    "resolveKeyId, moved alias",
  );
  for (const alias of ["", "-a", "_a", "a b", "a/b", "a".repeat(61), "\u00e9", "a\n"]) {
    await check.refuses(admin.updateAlias(key.keyId, alias), `updateAlias to ${JSON.stringify(alias.slice(0, 8))}`);
  }
}

async function descriptions(kit: Kit): Promise<void> {
  const { check, admin } = kit;
  const { keyId } = await kit.createKey();
  for (const description of ["of the kit", "", "\u5bc6\u94a5", "x".repeat(1024)]) {
    await check.resolves(admin.updateDescription(keyId, description), "updateDescription");
    check.equal((await admin.describeKey(keyId)).description, description, "describeKey: its description");
  }
  await check.refuses(admin.updateDescription(keyId, "x".repeat(1025)), "updateDescription to 1,025 bytes");
}

async function lists(kit: Kit): Promise<void> {
  const { check, admin } = kit;
  const made: string[] = [];
  for (let i = 0; i < 3; i++) {
    made.push((await kit.createKey()).keyId);
    // Keys of the same moment may stand in any order.
    await kit.subject.clock?.advance(1000);
  }
  const isSmall = (await check.resolves(admin.listKeys({ limit: 200 }), "listKeys")).next === undefined;
  for (const limit of isSmall ? [200, 7] : [200]) {
    const seen: KeyDescription[] = [];
    let cursor: string | undefined;
    do {
      const page = await check.resolves(admin.listKeys({ limit, ...(cursor !== undefined && { cursor }) }), "listKeys");
      check.isTrue(page.keys.length <= limit, `listKeys: expected at most ${limit} keys on a page`);
      seen.push(...page.keys);
      cursor = page.next;
    } while (cursor !== undefined);
    const ids = seen.map(({ keyId }) => keyId);
    check.equal(new Set(ids).size, ids.length, "listKeys: number of different keys");
    for (const keyId of made) check.isTrue(ids.includes(keyId), "listKeys: expected every key that was created");
    const isSorted = seen.every((key, index) => key.createdAtMs >= (seen[index - 1]?.createdAtMs ?? 0));
    check.isTrue(isSorted, "listKeys: expected the oldest first");
  }
  for (const limit of [0, -1, 1.5, 201])
    await check.refuses(admin.listKeys({ limit }), `listKeys with the limit ${limit}`);
}

async function refusesCreation(kit: Kit): Promise<void> {
  const { check, admin } = kit;
  for (const keySpec of ["AES_257", "constructor", "__proto__", ""]) {
    const call = admin.createKey({ keySpec: keySpec as "AES_256" });
    await check.rejects(call, ["ERR_NOT_SUPPORTED"], `createKey of the unknown spec ${JSON.stringify(keySpec)}`);
  }
  const mixed = admin.createKey({ keySpec: "AES_256", keyUsage: "sign-verify" });
  await check.refuses(mixed, "createKey of AES_256 to sign and verify");
}

async function unknownKeys(kit: Kit): Promise<void> {
  const { check, admin } = kit;
  const calls: readonly (readonly [keyof KeyAdmin & string, (keyId: string) => Promise<unknown>])[] = [
    ["describeKey", (keyId) => admin.describeKey(keyId)],
    ["enableKey", (keyId) => admin.enableKey(keyId)],
    ["disableKey", (keyId) => admin.disableKey(keyId)],
    ["rotateKey", (keyId) => admin.rotateKey(keyId)],
    ["updateAlias", (keyId) => admin.updateAlias(keyId, newAlias())],
    ["updateDescription", (keyId) => admin.updateDescription(keyId, "")],
    ["scheduleKeyDeletion", (keyId) => admin.scheduleKeyDeletion(keyId, 7)],
    ["cancelKeyDeletion", (keyId) => admin.cancelKeyDeletion(keyId)],
    ["enableKeyRotation", (keyId) => admin.enableKeyRotation(keyId, 30)],
    ["archiveKey", (keyId) => admin.archiveKey(keyId)],
    ["cancelKeyArchive", (keyId) => admin.cancelKeyArchive(keyId)],
    ["getParametersForImport", (keyId) => admin.getParametersForImport(keyId, "RSAES_OAEP_SHA_256")],
    ["deleteImportedKeyMaterial", (keyId) => admin.deleteImportedKeyMaterial(keyId)],
  ];
  for (const [operation, call] of calls) {
    if (!admin.operations.some((claimed) => claimed === operation)) continue;
    for (const keyId of ["no-such-key-of-the-kit", "constructor", "__proto__"]) {
      await check.rejects(call(keyId), ["ERR_KEY_NOT_FOUND"], `${operation} of the unknown key ${keyId}`);
    }
    for (const keyId of [undefined, null, 7, {}, ""]) {
      await check.refuses(
        call(keyId as string),
        `${operation} with a keyId that is ${keyId === "" ? "empty" : "no text"}`,
      );
    }
  }
}

/** A symmetric key in some state, with what it sealed before. */
interface Held {
  readonly keyId: string;
  readonly sealed: SealedSample;
}

async function held(kit: Kit): Promise<Held> {
  const { keyId } = await kit.createKey();
  return { keyId, sealed: await sealUnder(kit, keyId) };
}

/** That a key is in a state, and that the provider refuses and allows what that state does. */
async function expectState(kit: Kit, { keyId, sealed }: Held, state: KeyState): Promise<void> {
  const { check, provider, admin } = kit;
  const described = await check.resolves(admin.describeKey(keyId), `describeKey of a key that is ${state}`);
  check.equal(described.state, state, "describeKey: its state");
  check.equal(await check.resolves(provider.resolveKeyId(keyId), "resolveKeyId"), keyId, `resolveKeyId, ${state}`);
  const { ciphertext } = sealed;
  const elsewhere = await sealUnder(kit, kit.symmetric[0]);
  const seals = state === "enabled";
  const opens = seals || state === "archived";
  const calls: readonly (readonly [ProviderOperation, string, boolean, () => Promise<unknown>])[] = [
    ["generateDataKey", "generateDataKey", seals, () => provider.generateDataKey({ keyId, numberOfBytes: 32 })],
    ["encrypt", "encrypt", seals, () => provider.encrypt({ keyId, plaintext: sealed.plaintext })],
    ["decrypt", "decrypt", opens, () => provider.decrypt({ ciphertext })],
    ["decrypt", "decrypt with the key named", opens, () => provider.decrypt({ ciphertext, keyId })],
    [
      "reEncrypt",
      "reEncrypt from it",
      opens,
      () => provider.reEncrypt({ ciphertext, destinationKeyId: kit.symmetric[0] }),
    ],
    [
      "reEncrypt",
      "reEncrypt to it",
      seals,
      () => provider.reEncrypt({ ciphertext: elsewhere.ciphertext, destinationKeyId: keyId }),
    ],
    [
      "reEncrypt",
      "reEncrypt within it",
      seals,
      () => provider.reEncrypt({ ciphertext, destinationEncryptionContext: { a: "b" } }),
    ],
  ];
  for (const [operation, name, isAllowed, call] of calls) {
    if (!kit.claims(operation)) continue;
    const what = `${name}, with a key that is ${state}`;
    if (isAllowed) await check.resolves(call(), what);
    else await check.rejects(call(), ["ERR_KEY_STATE"], what);
  }
  if (opens) {
    const opened = await check.resolves(provider.decrypt({ ciphertext }), `decrypt, ${state}`);
    check.sameBytes(opened.plaintext, sealed.plaintext, `what was sealed before, opened with a key that is ${state}`);
  }
  await expectUsageFirst(kit, keyId, state);
}

/** A use that the key is not for is refused for that, whatever its state. */
async function expectUsageFirst(kit: Kit, keyId: string, state: KeyState): Promise<void> {
  const algorithm = kit.provider.capabilities.signatureAlgorithms[0];
  if (algorithm === undefined || !kit.claims("sign")) return;
  const call = kit.provider.sign({ keyId, algorithm, message: randomBytes(32) });
  await kit.check.rejects(call, ["ERR_KEY_USAGE"], `sign with a symmetric key that is ${state}`);
}

async function disabling(kit: Kit): Promise<void> {
  const { check, admin } = kit;
  const key = await held(kit);
  await expectState(kit, key, "enabled");
  await check.resolves(admin.enableKey(key.keyId), "enableKey of an enabled key");
  for (let round = 0; round < 2; round++) {
    await check.resolves(admin.disableKey(key.keyId), "disableKey");
    await expectState(kit, key, "disabled");
    await check.resolves(admin.disableKey(key.keyId), "disableKey of a disabled key");
    if (kit.administers("rotateKey")) {
      await check.rejects(admin.rotateKey(key.keyId), ["ERR_KEY_STATE"], "rotateKey of a disabled key");
    }
    await check.resolves(admin.enableKey(key.keyId), "enableKey");
    await expectState(kit, key, "enabled");
  }
}

async function deletion(kit: Kit): Promise<void> {
  const { check, admin } = kit;
  const key = await held(kit);
  const { keyId } = key;
  await check.rejects(admin.scheduleKeyDeletion(keyId, 7), ["ERR_KEY_STATE"], "scheduleKeyDeletion of an enabled key");
  await check.rejects(admin.cancelKeyDeletion(keyId), ["ERR_KEY_STATE"], "cancelKeyDeletion of an enabled key");
  await check.resolves(admin.disableKey(keyId), "disableKey");
  for (const days of [0, 6, 31, 7.5, -7]) {
    await check.refuses(admin.scheduleKeyDeletion(keyId, days), `scheduleKeyDeletion in ${days} days`);
  }
  await expectState(kit, key, "disabled");
  const { deletionAtMs } = await check.resolves(admin.scheduleKeyDeletion(keyId, 30), "scheduleKeyDeletion");
  check.equal((await admin.describeKey(keyId)).deletionAtMs, deletionAtMs, "describeKey: its deletionAtMs");
  const waitDays = (deletionAtMs - (await admin.describeKey(keyId)).createdAtMs) / DAY_MS;
  check.isTrue(waitDays > 29 && waitDays < 31, "scheduleKeyDeletion: expected deletionAtMs to be 30 days from now");
  await expectState(kit, key, "pending-deletion");
  const refused: readonly (readonly [string, () => Promise<unknown>])[] = [
    ["enableKey", () => admin.enableKey(keyId)],
    ["disableKey", () => admin.disableKey(keyId)],
    ["scheduleKeyDeletion", () => admin.scheduleKeyDeletion(keyId, 7)],
    ["rotateKey", () => admin.rotateKey(keyId)],
    ["archiveKey", () => admin.archiveKey(keyId)],
  ];
  for (const [operation, call] of refused) {
    if (!admin.operations.some((claimed) => claimed === operation)) continue;
    await check.rejects(call(), ["ERR_KEY_STATE"], `${operation} of a key that waits for its deletion`);
  }
  await check.resolves(admin.cancelKeyDeletion(keyId), "cancelKeyDeletion");
  check.equal((await admin.describeKey(keyId)).deletionAtMs, undefined, "describeKey: no deletionAtMs any more");
  await expectState(kit, key, "disabled");
  await check.resolves(admin.enableKey(keyId), "enableKey");
  await expectState(kit, key, "enabled");
}

async function deletionDue(kit: Kit): Promise<void> {
  const { check, provider, admin, subject } = kit;
  const alias = newAlias();
  const { keyId } = await kit.createKey({ alias });
  const { ciphertext } = await sealUnder(kit, keyId);
  await check.resolves(admin.disableKey(keyId), "disableKey");
  await check.resolves(admin.scheduleKeyDeletion(keyId, 7), "scheduleKeyDeletion");
  await subject.clock?.advance(7 * DAY_MS - 60_000);
  check.equal(
    (await check.resolves(admin.describeKey(keyId), "describeKey")).state,
    "pending-deletion",
    "a minute before",
  );
  await subject.clock?.advance(120_000);
  for (const name of [keyId, alias]) {
    await check.rejects(admin.describeKey(name), ["ERR_KEY_NOT_FOUND"], "describeKey of a deleted key");
    await check.rejects(provider.resolveKeyId(name), ["ERR_KEY_NOT_FOUND"], "resolveKeyId of a deleted key");
  }
  await check.rejects(admin.cancelKeyDeletion(keyId), ["ERR_KEY_NOT_FOUND"], "cancelKeyDeletion of a deleted key");
  const codes = ["ERR_KEY_NOT_FOUND", "ERR_CIPHERTEXT_INVALID"];
  await check.rejects(provider.decrypt({ ciphertext }), codes, "decrypt of what a deleted key sealed");
  await check.resolves(kit.createKey({ alias }), "createKey with the alias of a deleted key");
}

async function archiving(kit: Kit): Promise<void> {
  const { check, admin } = kit;
  const key = await held(kit);
  const { keyId } = key;
  await check.rejects(admin.cancelKeyArchive(keyId), ["ERR_KEY_STATE"], "cancelKeyArchive of an enabled key");
  await check.resolves(admin.archiveKey(keyId), "archiveKey");
  await expectState(kit, key, "archived");
  await check.resolves(admin.archiveKey(keyId), "archiveKey of an archived key");
  await check.rejects(admin.enableKey(keyId), ["ERR_KEY_STATE"], "enableKey of an archived key");
  await check.rejects(admin.disableKey(keyId), ["ERR_KEY_STATE"], "disableKey of an archived key");
  if (kit.administers("rotateKey")) {
    await check.rejects(admin.rotateKey(keyId), ["ERR_KEY_STATE"], "rotateKey of an archived key");
  }
  await check.resolves(admin.cancelKeyArchive(keyId), "cancelKeyArchive");
  await expectState(kit, key, "enabled");
}

const use = { operations: ["decrypt"] } as const;

/** The lifecycle of keys. */
export const keyLifecycle: Area = {
  name: "key-lifecycle",
  checks: [
    {
      name: "a new key is as asked for, and works",
      needs: { ...use, admin: ["createKey", "describeKey"] },
      run: creates,
    },
    { name: "an alias names one key, and moves", needs: { admin: ["createKey", "updateAlias"] }, run: names },
    {
      name: "a description is kept",
      needs: { admin: ["createKey", "describeKey", "updateDescription"] },
      run: descriptions,
    },
    { name: "the list has every key once, oldest first", needs: { admin: ["createKey", "listKeys"] }, run: lists },
    { name: "unknown specs and foreign usages are refused", needs: { admin: ["createKey"] }, run: refusesCreation },
    { name: "unknown keys are refused", needs: { admin: [] }, run: unknownKeys },
    {
      name: "a disabled key does nothing until it is enabled",
      needs: { ...use, admin: ["createKey", "describeKey", "disableKey", "enableKey"] },
      run: disabling,
    },
    {
      name: "deletion is scheduled, refuses everything, and can be cancelled",
      needs: {
        ...use,
        admin: ["createKey", "describeKey", "disableKey", "enableKey", "scheduleKeyDeletion", "cancelKeyDeletion"],
      },
      run: deletion,
    },
    {
      name: "when its deletion is due, a key is gone",
      needs: { ...use, admin: ["createKey", "describeKey", "disableKey", "scheduleKeyDeletion"], parts: ["clock"] },
      run: deletionDue,
    },
    {
      name: "an archived key opens and seals nothing",
      needs: { ...use, admin: ["createKey", "describeKey", "archiveKey", "cancelKeyArchive"] },
      run: archiving,
    },
    ...asymmetricStates,
  ],
};
