// The in-memory double of KeyProvider and KeyAdmin: test equipment, complete and simple. It must not be used to protect anything:
// its keys are in the process, are not wiped, and are gone with it.
import {
  type AsymmetricEncryptionAlgorithm,
  authenticationError,
  type CallOptions,
  type Capabilities,
  FengniError,
  type KeyAdmin,
  type KeyProvider,
  type KeySpec,
  type KeyUsage,
  type MessageType,
  type ProviderOperation,
  type SignatureAlgorithm,
  type SignRequest,
} from "@fengni/core";
import { type AeadKey, importAesGcmKey } from "@fengni/crypto/aes-gcm";
import { assertBytes, concatBytes } from "@fengni/crypto/bytes";
import { importMlKemPublicKey } from "@fengni/crypto/ml-kem";
import { inMemoryAdmin } from "./in-memory-admin.js";
import { type InMemoryMaterial, SPECS, type SpecRow, specRow } from "./in-memory-material.js";
import {
  type CiphertextKind,
  type CiphertextParts,
  type InMemoryParts,
  MAX_CONTEXT_CHARACTERS,
  MAX_DATA_KEY_BYTES,
  MAX_PLAINTEXT_BYTES,
  RIGHT_PARTS,
} from "./in-memory-parts.js";
import { type InMemoryClock, type InMemoryKey, InMemoryStore } from "./in-memory-store.js";
import type { ConformanceKeys, ConformanceSubject, KeyPair } from "./subject.js";

/** How a double is made. */
export interface InMemoryOptions {
  /** Names the provider in messages; default `fengni-in-memory`. */
  readonly providerId?: string;
}

/** A double, with two keys for each use. It is a subject of the conformance kit as it is. */
export interface InMemoryDouble extends ConformanceSubject {
  readonly provider: KeyProvider;
  readonly admin: KeyAdmin;
  readonly keys: Required<ConformanceKeys>;
  /** The time of the double: it stands still until a test moves it. */
  readonly clock: InMemoryClock;
  sibling(): Promise<KeyProvider>;
}

const rows = [...SPECS.values()];
const CAPABILITIES: Capabilities = {
  operations: [
    ...(["generateDataKey", "encrypt", "decrypt", "reEncrypt", "sign", "verify", "getPublicKey"] as const),
    ...(["asymmetricDecrypt", "postQuantumEncrypt", "postQuantumDecrypt"] as const),
  ],
  dataKeyBytes: { minimum: 1, maximum: MAX_DATA_KEY_BYTES },
  maxPlaintextBytes: MAX_PLAINTEXT_BYTES,
  maxContextCharacters: MAX_CONTEXT_CHARACTERS,
  signatureAlgorithms: rows.flatMap(({ signatures }) => signatures),
  asymmetricEncryptionAlgorithms: rows.flatMap(({ encryptions }) => encryptions),
  maxMessageBytes: MAX_PLAINTEXT_BYTES,
};

/**
 * Makes a complete double of a key provider for tests: every operation, algorithm, state, rotation and import, in memory. It is
 * test equipment: it protects nothing, and its keys are gone with the process. Keys are made when they are first used.
 * @returns the provider, its admin, a clock that only the test moves, and ids of two keys for each use
 *
 * @example
 * const { provider, keys } = inMemoryProvider();
 * const envelope = new Envelope({ wrappingKeys: [providerKey(provider, keys.symmetric[0])] });
 */
export function inMemoryProvider(options: InMemoryOptions = {}): InMemoryDouble {
  return inMemoryProviderOf(RIGHT_PARTS, options);
}

/** The same with some of its parts replaced, for providers that are wrong on purpose. */
export function inMemoryProviderOf(parts: InMemoryParts, options: InMemoryOptions = {}): InMemoryDouble {
  const store = new InMemoryStore(async (spec, usage) => parts.createMaterial(spec, usage));
  const providerId = options.providerId ?? "fengni-in-memory";
  return {
    provider: new InMemoryProvider(providerId, store, parts),
    admin: inMemoryAdmin(store),
    keys: createKeys(store),
    clock: store.clock,
    sibling: async () => new InMemoryProvider(providerId, store, parts),
  };
}

/** Two keys for each use; algorithms of one spec share them. */
function createKeys(store: InMemoryStore): Required<ConformanceKeys> {
  const pair = (keySpec: KeySpec, keyUsage: KeyUsage): KeyPair => {
    const make = (): string => store.create({ keySpec, keyUsage, origin: "provider", description: "" }).keyId;
    return [make(), make()];
  };
  const sign: Partial<Record<SignatureAlgorithm, KeyPair>> = {};
  const asymmetricDecrypt: Partial<Record<AsymmetricEncryptionAlgorithm, KeyPair>> = {};
  for (const [spec, { signatures, encryptions }] of SPECS as ReadonlyMap<KeySpec, SpecRow>) {
    if (signatures.length > 0) {
      const keys = pair(spec, "sign-verify");
      for (const algorithm of signatures) sign[algorithm] = keys;
    }
    if (encryptions.length > 0) {
      const keys = pair(spec, "asymmetric-decrypt");
      for (const algorithm of encryptions) asymmetricDecrypt[algorithm] = keys;
    }
  }
  return {
    symmetric: pair("AES_256", "encrypt-decrypt"),
    sign,
    asymmetricDecrypt,
    postQuantumEncryption: pair("ML_KEM_768", "post-quantum-encrypt-decrypt"),
  };
}

class InMemoryProvider implements KeyProvider {
  readonly providerId: string;
  readonly capabilities: Capabilities = CAPABILITIES;
  readonly #store: InMemoryStore;
  readonly #parts: InMemoryParts;
  #isClosed = false;

  constructor(providerId: string, store: InMemoryStore, parts: InMemoryParts) {
    this.providerId = providerId;
    this.#store = store;
    this.#parts = parts;
  }

  async resolveKeyId(keyId: string, options?: CallOptions): Promise<string> {
    this.#parts.begin(this.#isClosed, options?.signal);
    return this.#store.find(keyId).keyId;
  }

  generateDataKey: KeyProvider["generateDataKey"] = (request, options) =>
    this.#call("generateDataKey", request, options, async () => {
      const parts = this.#parts;
      parts.checkDataKeyLength(request.numberOfBytes);
      const context = parts.contextBytes(request.encryptionContext);
      const key = this.#use("generateDataKey", request.keyId, "encrypt-decrypt");
      const plaintext = parts.dataKey(request.numberOfBytes);
      return { keyId: key.keyId, plaintext, ciphertext: await this.#seal(key, context, plaintext) };
    });

  encrypt: KeyProvider["encrypt"] = (request, options) =>
    this.#call("encrypt", request, options, async () => {
      this.#parts.checkPlaintext(request.plaintext);
      const context = this.#parts.contextBytes(request.encryptionContext);
      const key = this.#use("encrypt", request.keyId, "encrypt-decrypt");
      return { keyId: key.keyId, ciphertext: await this.#seal(key, context, request.plaintext) };
    });

  decrypt: KeyProvider["decrypt"] = (request, options) =>
    this.#call("decrypt", request, options, async () => {
      const context = this.#parts.contextBytes(request.encryptionContext);
      const { key, parts } = this.#find("decrypt", "symmetric", request);
      return { keyId: key.keyId, plaintext: await this.#open(key, context, parts) };
    });

  reEncrypt: KeyProvider["reEncrypt"] = (request, options) =>
    this.#call("reEncrypt", request, options, async () => {
      const sourceContext = this.#parts.contextBytes(request.sourceEncryptionContext);
      const context = this.#parts.contextBytes(request.destinationEncryptionContext);
      const { key: source, parts } = this.#find("decrypt", "symmetric", request);
      const destination = this.#use("encrypt", request.destinationKeyId ?? source.keyId, "encrypt-decrypt");
      const plaintext = await this.#open(source, sourceContext, parts);
      const ciphertext = await this.#seal(destination, context, plaintext);
      return { keyId: destination.keyId, sourceKeyId: source.keyId, ciphertext };
    });

  sign: KeyProvider["sign"] = (request, options) =>
    this.#call("sign", request, options, async () => {
      const { key, message, type } = this.#signing("sign", request);
      const signature = await this.#parts.sign(await material(key), request.algorithm, message, type);
      return { keyId: key.keyId, algorithm: request.algorithm, signature: Uint8Array.from(signature) };
    });

  verify: KeyProvider["verify"] = (request, options) =>
    this.#call("verify", request, options, async () => {
      const { key, message, type } = this.#signing("verify", request);
      const signature = Uint8Array.from(assertBytes(request.signature, "signature"));
      const valid = await this.#parts.verify(await material(key), request.algorithm, message, type, signature);
      return { keyId: key.keyId, algorithm: request.algorithm, valid };
    });

  getPublicKey: KeyProvider["getPublicKey"] = (request, options) =>
    this.#call("getPublicKey", request, options, async () => {
      const key = this.#store.find(request.keyId);
      const { keyId, keySpec, keyUsage } = key;
      this.#parts.checkUsage(key, ASYMMETRIC_USAGES);
      const spki = (await material(key)).publicKey?.();
      return { keyId, keySpec, keyUsage, publicKey: Uint8Array.from(spki ?? []) };
    });

  asymmetricDecrypt: KeyProvider["asymmetricDecrypt"] = (request, options) =>
    this.#call("asymmetricDecrypt", request, options, async () => {
      const ciphertext = Uint8Array.from(assertBytes(request.ciphertext, "ciphertext"));
      const { algorithm } = request;
      checkKnown(CAPABILITIES.asymmetricEncryptionAlgorithms, algorithm);
      const key = this.#use(
        "asymmetricDecrypt",
        request.keyId,
        "asymmetric-decrypt",
        (row) => row.encryptions,
        algorithm,
      );
      const plaintext = await (await material(key)).decrypt?.(algorithm, ciphertext);
      return { keyId: key.keyId, plaintext: Uint8Array.from(plaintext ?? []) };
    });

  postQuantumEncrypt: KeyProvider["postQuantumEncrypt"] = (request, options) =>
    this.#call("postQuantumEncrypt", request, options, async () => {
      this.#parts.checkPlaintext(request.plaintext);
      const plaintext = Uint8Array.from(request.plaintext);
      const key = this.#use("postQuantumEncrypt", request.keyId, "post-quantum-encrypt-decrypt");
      const { kem } = await material(key);
      if (kem === undefined) throw authenticationError();
      const { ciphertext, sharedSecret } = importMlKemPublicKey("ML-KEM-768", kem.publicKey).encapsulate();
      const header = concatBytes(this.#parts.header("post-quantum", key, 1), ciphertext);
      const sealed = await this.#sealWith(importAesGcmKey(sharedSecret), key, header, NO_CONTEXT, plaintext);
      return { keyId: key.keyId, ciphertext: sealed };
    });

  postQuantumDecrypt: KeyProvider["postQuantumDecrypt"] = (request, options) =>
    this.#call("postQuantumDecrypt", request, options, async () => {
      const { key, parts } = this.#find("postQuantumDecrypt", "post-quantum", request);
      const { kem } = await material(key);
      if (kem === undefined || parts.version !== 1) throw authenticationError();
      const aead = importAesGcmKey(kem.decapsulate(parts.encapsulation));
      const header = concatBytes(parts.header, parts.encapsulation);
      const plaintext = await this.#parts.open(aead, parts, this.#parts.additionalData(header, NO_CONTEXT));
      return { keyId: key.keyId, plaintext: Uint8Array.from(plaintext) };
    });

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  async #call<Result extends object>(
    operation: ProviderOperation,
    request: object,
    options: CallOptions | undefined,
    work: () => Promise<Result>,
  ): Promise<Result> {
    this.#parts.begin(this.#isClosed, options?.signal);
    if (typeof request !== "object" || request === null) {
      throw Object.assign(new TypeError(`${operation} expected a request`), { code: "ERR_ARGUMENT" });
    }
    const result = await work();
    options?.signal?.throwIfAborted();
    return this.#parts.answer(operation, result);
  }

  /** The key that a request names, if it may be used so. */
  #use(
    operation: ProviderOperation,
    keyId: string,
    usage: KeyUsage,
    algorithmsOf?: (row: SpecRow) => readonly string[],
    algorithm = "",
  ): InMemoryKey {
    const key = this.#store.find(keyId);
    this.#parts.checkUsage(key, [usage]);
    if (algorithmsOf !== undefined && !algorithmsOf(specRow(key.keySpec)).includes(algorithm)) {
      const details = { keyId: key.keyId };
      throw new FengniError("ERR_KEY_USAGE", `key ${key.keyId} is ${key.keySpec}, not for ${algorithm}`, { details });
    }
    this.#parts.checkState(key, operation);
    return key;
  }

  /** The key that made a ciphertext, if it may open it. */
  #find(
    operation: "decrypt" | "postQuantumDecrypt",
    kind: CiphertextKind,
    request: { readonly ciphertext: Uint8Array; readonly keyId?: string },
  ): { readonly key: InMemoryKey; readonly parts: CiphertextParts } {
    const parts = this.#parts.parse(kind, request.ciphertext);
    const usage = kind === "symmetric" ? "encrypt-decrypt" : "post-quantum-encrypt-decrypt";
    if (request.keyId !== undefined) {
      const named = this.#store.find(request.keyId);
      this.#parts.checkUsage(named, [usage]);
      this.#parts.checkMatch(this.#store.find(parts.keyId), named);
    }
    return { key: this.#use(operation, parts.keyId, usage), parts };
  }

  #signing(
    operation: "sign" | "verify",
    request: SignRequest,
  ): { readonly key: InMemoryKey; readonly message: Uint8Array; readonly type: MessageType } {
    const { algorithm, messageType: type = "raw" } = request;
    checkKnown(CAPABILITIES.signatureAlgorithms, algorithm);
    const message = Uint8Array.from(assertBytes(request.message, "message"));
    const key = this.#use(operation, request.keyId, "sign-verify", (row) => row.signatures, algorithm);
    this.#parts.checkMessage(key, message, type);
    return { key, message, type };
  }

  async #seal(key: InMemoryKey, context: Uint8Array, plaintext: Uint8Array): Promise<Uint8Array> {
    const version = this.#parts.sealingVersion(key);
    const copy = Uint8Array.from(plaintext);
    const { aead } = await material(key, version);
    if (aead === undefined) throw authenticationError();
    return this.#sealWith(aead, key, this.#parts.header("symmetric", key, version), context, copy);
  }

  async #sealWith(
    aead: AeadKey,
    key: InMemoryKey,
    header: Uint8Array,
    context: Uint8Array,
    plaintext: Uint8Array,
  ): Promise<Uint8Array> {
    const nonce = this.#parts.nonce(key);
    const sealed = await this.#parts.seal(aead, nonce, this.#parts.additionalData(header, context), plaintext);
    return concatBytes(header, nonce, sealed.ciphertext, sealed.tag);
  }

  async #open(key: InMemoryKey, context: Uint8Array, parts: CiphertextParts): Promise<Uint8Array> {
    if (parts.version < 1 || parts.version > key.versions.length) {
      throw new FengniError("ERR_CIPHERTEXT_INVALID", "the ciphertext names a version that its key does not have");
    }
    const { aead } = await material(key, parts.version);
    if (aead === undefined) throw authenticationError();
    const opened = await this.#parts.open(aead, parts, this.#parts.additionalData(parts.header, context));
    return Uint8Array.from(opened);
  }
}

const NO_CONTEXT: Uint8Array = new Uint8Array(0);
const ASYMMETRIC_USAGES: readonly KeyUsage[] = ["asymmetric-decrypt", "sign-verify", "post-quantum-encrypt-decrypt"];

/** What a version of a key is made of; of an asymmetric key there is one. */
async function material(key: Pick<InMemoryKey, "versions">, version = 1): Promise<InMemoryMaterial> {
  const make = key.versions[version - 1];
  if (make === undefined) throw new FengniError("ERR_CIPHERTEXT_INVALID", "there is no such version of the key");
  return make();
}

function checkKnown(known: readonly string[], algorithm: string): void {
  if (known.includes(algorithm)) return;
  throw new FengniError("ERR_NOT_SUPPORTED", "unknown algorithm", { details: { operation: String(algorithm) } });
}
