// The admin of the in-memory double. It must not know how keys are used.
import {
  type AdminOperation,
  FengniError,
  type ImportParameters,
  type KeyAdmin,
  type KeyState,
  type KeyUsage,
} from "@fengni/core";
import { assertBytes, bytesToHex, equalBytes, utf8ToBytes } from "@fengni/crypto/bytes";
import { digest } from "@fengni/crypto/hash";
import { randomBytes } from "@fengni/crypto/random";
import { generateRsaKey, type RsaPadding, type RsaPrivateKey } from "@fengni/crypto/rsa";
import { paddingOf, specRow, symmetricMaterial } from "./in-memory-material.js";
import { DAY_MS, describe, dropMaterial, type InMemoryKey, type InMemoryStore } from "./in-memory-store.js";

const ALIAS = /^[A-Za-z0-9][A-Za-z0-9_-]{0,59}$/;
const ANY_STATE: readonly KeyState[] = ["enabled", "disabled", "pending-import", "pending-deletion", "archived"];
const NOT_DELETING: readonly KeyState[] = ["enabled", "disabled", "pending-import", "archived"];
/** The states in which each operation is allowed. */
const ALLOWED: Readonly<Record<Exclude<AdminOperation, "createKey" | "listKeys">, readonly KeyState[]>> = {
  describeKey: ANY_STATE,
  enableKey: ["enabled", "disabled"],
  disableKey: ["enabled", "disabled"],
  rotateKey: ["enabled"],
  updateAlias: NOT_DELETING,
  updateDescription: NOT_DELETING,
  scheduleKeyDeletion: ["disabled", "pending-import"],
  cancelKeyDeletion: ["pending-deletion"],
  enableKeyRotation: ["enabled"],
  disableKeyRotation: NOT_DELETING,
  archiveKey: ["enabled", "disabled", "archived"],
  cancelKeyArchive: ["archived"],
  getParametersForImport: ["enabled", "disabled", "pending-import"],
  importKeyMaterial: ["enabled", "disabled", "pending-import"],
  deleteImportedKeyMaterial: ["enabled", "disabled", "pending-import"],
};

interface ImportToken {
  readonly keyId: string;
  readonly padding: RsaPadding;
  readonly validToMs: number;
}

/** What the admin of a double is made of. Methods check, change the key, and answer with what they say. */
export function inMemoryAdmin(store: InMemoryStore): KeyAdmin {
  const tokens = new Map<string, ImportToken>();
  let wrappingKey: Promise<RsaPrivateKey> | undefined;
  let isClosed = false;

  const begin = (signal: AbortSignal | undefined): void => {
    if (isClosed) throw new FengniError("ERR_CLOSED", "this key admin was closed: make a new one");
    signal?.throwIfAborted();
  };
  const find = (operation: keyof typeof ALLOWED, keyId: string, signal: AbortSignal | undefined): InMemoryKey => {
    begin(signal);
    const key = store.find(keyId);
    if (ALLOWED[operation].includes(key.state)) return key;
    throw new FengniError("ERR_KEY_STATE", `key ${key.keyId} is ${key.state}, which forbids ${operation}`, {
      details: { keyId: key.keyId, state: key.state },
    });
  };
  const findOf = (
    origin: InMemoryKey["origin"],
    operation: keyof typeof ALLOWED,
    keyId: string,
    signal: AbortSignal | undefined,
  ): InMemoryKey => {
    begin(signal);
    const key = store.find(keyId);
    if (key.keyUsage === "encrypt-decrypt" && key.origin === origin) return find(operation, keyId, signal);
    const reason = `${operation} is for symmetric keys of the origin ${origin}`;
    throw new FengniError("ERR_KEY_USAGE", reason, { details: { keyId: key.keyId } });
  };
  const checkAlias = (alias: string, owner?: InMemoryKey): string => {
    if (typeof alias !== "string" || !ALIAS.test(alias)) throw wrong("alias expected 1 to 60 letters, digits, - and _");
    if (!store.all().some((key) => key !== owner && (key.alias === alias || key.keyId === alias))) return alias;
    throw new FengniError("ERR_CONFLICT", "another key has this alias: choose another", { details: { name: alias } });
  };

  return {
    operations: ["createKey", "listKeys", ...(Object.keys(ALLOWED) as (keyof typeof ALLOWED)[])],
    async createKey(request = {}, options) {
      begin(options?.signal);
      const { keySpec = "AES_256", origin = "provider", description = "", alias } = request;
      const { usages, keyBytes } = specRow(keySpec);
      const keyUsage = request.keyUsage ?? (usages[0] as KeyUsage);
      if (!usages.includes(keyUsage)) throw wrong(`keyUsage expected one of ${usages.join(", ")}`);
      if (origin === "external" && keyBytes === undefined) throw wrong("an external key expected a symmetric spec");
      checkDescription(description);
      if (alias !== undefined) checkAlias(alias);
      return describe(store.create({ keySpec, keyUsage, origin, description, ...(alias !== undefined && { alias }) }));
    },
    async describeKey(keyId, options) {
      return describe(find("describeKey", keyId, options?.signal));
    },
    async listKeys({ limit = 100, cursor = "0" } = {}, options) {
      begin(options?.signal);
      checkRange("limit", limit, 1, 200);
      const from = checkRange("cursor", Number(cursor), 0, Number.MAX_SAFE_INTEGER);
      const all = store.all();
      const isMore = from + limit < all.length;
      return { keys: all.slice(from, from + limit).map(describe), ...(isMore && { next: String(from + limit) }) };
    },
    async enableKey(keyId, options) {
      find("enableKey", keyId, options?.signal).state = "enabled";
    },
    async disableKey(keyId, options) {
      find("disableKey", keyId, options?.signal).state = "disabled";
    },
    async rotateKey(keyId, options) {
      store.rotate(findOf("provider", "rotateKey", keyId, options?.signal), store.clock.now());
    },
    async updateAlias(keyId, alias, options) {
      const key = find("updateAlias", keyId, options?.signal);
      key.alias = checkAlias(alias, key);
    },
    async updateDescription(keyId, description, options) {
      find("updateDescription", keyId, options?.signal).description = checkDescription(description);
    },
    async scheduleKeyDeletion(keyId, pendingWindowDays, options) {
      checkRange("pendingWindowDays", pendingWindowDays, 7, 30);
      const key = find("scheduleKeyDeletion", keyId, options?.signal);
      key.state = "pending-deletion";
      key.deletionAtMs = store.clock.now() + pendingWindowDays * DAY_MS;
      return { deletionAtMs: key.deletionAtMs };
    },
    async cancelKeyDeletion(keyId, options) {
      const key = find("cancelKeyDeletion", keyId, options?.signal);
      delete key.deletionAtMs;
      key.state = key.versions.length === 0 ? "pending-import" : "disabled";
    },
    async enableKeyRotation(keyId, periodDays, options) {
      checkRange("periodDays", periodDays, 7, 365);
      const key = findOf("provider", "enableKeyRotation", keyId, options?.signal);
      key.rotation = { periodDays, nextAtMs: store.clock.now() + periodDays * DAY_MS };
    },
    async disableKeyRotation(keyId, options) {
      delete find("disableKeyRotation", keyId, options?.signal).rotation;
    },
    async archiveKey(keyId, options) {
      find("archiveKey", keyId, options?.signal).state = "archived";
    },
    async cancelKeyArchive(keyId, options) {
      find("cancelKeyArchive", keyId, options?.signal).state = "enabled";
    },
    async getParametersForImport(keyId, wrappingAlgorithm, options): Promise<ImportParameters> {
      const padding = paddingOf(wrappingAlgorithm);
      const key = findOf("external", "getParametersForImport", keyId, options?.signal);
      wrappingKey ??= generateRsaKey(2048);
      const publicKey = Uint8Array.from((await wrappingKey).exportSpki());
      const importToken = randomBytes(32);
      const validToMs = store.clock.now() + DAY_MS;
      tokens.set(bytesToHex(importToken), { keyId: key.keyId, padding, validToMs });
      return { keyId: key.keyId, importToken, publicKey, validToMs };
    },
    async importKeyMaterial(request, options) {
      const key = findOf("external", "importKeyMaterial", request.keyId, options?.signal);
      const now = store.clock.now();
      const token = tokens.get(bytesToHex(assertBytes(request.importToken, "importToken")));
      if (token?.keyId !== key.keyId || now >= token.validToMs || wrappingKey === undefined) {
        throw invalid("the import token is not this key's, or it expired: get new parameters");
      }
      if (request.validToMs !== undefined && !(request.validToMs > now))
        throw wrong("validToMs expected a time to come");
      await importMaterial(key, await (await wrappingKey).decrypt(token.padding, request.encryptedKeyMaterial));
      key.state = key.state === "pending-import" ? "enabled" : key.state;
      delete key.validToMs;
      if (request.validToMs !== undefined) key.validToMs = request.validToMs;
    },
    async deleteImportedKeyMaterial(keyId, options) {
      dropMaterial(findOf("external", "deleteImportedKeyMaterial", keyId, options?.signal));
    },
    async close() {
      isClosed = true;
    },
  };
}

async function importMaterial(key: InMemoryKey, bytes: Uint8Array): Promise<void> {
  const { keyBytes } = specRow(key.keySpec);
  if (bytes.length !== keyBytes) throw invalid(`the key material expected ${keyBytes} bytes`);
  const importedDigest = digest("sha256", bytes);
  if (key.importedDigest !== undefined && !equalBytes(key.importedDigest, importedDigest)) {
    throw invalid("this is other material than the key had: import the same");
  }
  const made = symmetricMaterial(key.keySpec, bytes);
  key.importedDigest = importedDigest;
  key.versions = [async () => made];
}

function checkDescription(description: string): string {
  const { length } = utf8ToBytes(description);
  if (length <= 1024) return description;
  const details = { limit: "description length", maximum: 1024, actual: length };
  throw new FengniError("ERR_LIMIT", "the description is too long: shorten it", { details });
}

function checkRange(name: string, value: number, minimum: number, maximum: number): number {
  if (Number.isSafeInteger(value) && value >= minimum && value <= maximum) return value;
  const message = `${name} expected a whole number from ${minimum} to ${maximum}`;
  throw Object.assign(new RangeError(message), { code: "ERR_ARGUMENT" });
}

function wrong(message: string): TypeError {
  return Object.assign(new TypeError(message), { code: "ERR_ARGUMENT" });
}

function invalid(message: string): FengniError<"ERR_KEY_INVALID"> {
  return new FengniError("ERR_KEY_INVALID", message);
}
