// The local KMS: use of keys. It must not know how keys come and go (admin.ts), nor where they are kept (stores).
import type {
  CallOptions,
  DecryptRequest,
  DecryptResult,
  EncryptRequest,
  EncryptResult,
  GenerateDataKeyRequest,
  GeneratedDataKey,
  PublicKeyResult,
  ReEncryptRequest,
  ReEncryptResult,
  SignRequest,
  SignResult,
  VerifyRequest,
  VerifyResult,
} from "@fengni/core";
import { FengniError } from "@fengni/core";
import { assertBytes, equalBytes, wipe } from "@fengni/crypto/bytes";
import { randomBytes } from "@fengni/crypto/random";
import { KeyLifecycle } from "./admin.js";
import { type Blob, parseBlob } from "./blob.js";
import {
  checkBytes,
  checkCount,
  checkFields,
  encodeContext,
  MAX_DATA_KEY_BYTES,
  MAX_PLAINTEXT_BYTES,
} from "./checks.js";
import { Ciphers } from "./ciphers.js";
import { type Clock, systemClock } from "./clock.js";
import { KeyAccess } from "./key-access.js";
import { type KeyRecord, symmetricSpec } from "./keys.js";
import { Signers } from "./signers.js";
import { stateAfter } from "./states.js";
import type { KeyStore } from "./store.js";
import { MemoryKeyStore } from "./store-memory.js";

/** How a local KMS is made. */
export interface LocalKmsOptions {
  /** Default: the system's clock. */
  readonly clock?: Clock;
  /** Where keys are kept; the KMS owns it and closes it. Default: in memory. */
  readonly store?: KeyStore;
}

/**
 * A key management service in this process. Plaintexts have 1 to 4,096 bytes, encryption contexts at most 1,024 characters of
 * JSON, data keys 1 to 1,024 bytes; keys are named by id or alias. Every method rejects with the signal's reason when it is
 * aborted before the call, with `ERR_CLOSED` after `close()`, with `ERR_KEY_NOT_FOUND`, `ERR_KEY_STATE` or `ERR_KEY_USAGE`
 * for a key that is not there, may not be used now or never for this, with `ERR_LIMIT` for more than a limit allows, and with
 * TypeError or RangeError `ERR_ARGUMENT` for arguments that are wrong in themselves.
 *
 * @example
 * const kms = new LocalKms();
 * const { keyId } = await kms.lifecycle.createKey({ alias: "orders" });
 * const { ciphertext } = await kms.encrypt({ keyId: "orders", plaintext, encryptionContext: { tenant: "7" } });
 * const opened = await kms.decrypt({ ciphertext, keyId, encryptionContext: { tenant: "7" } });
 * await kms.close();
 */
export class LocalKms {
  /** Creates, describes and changes the keys. */
  readonly lifecycle: KeyLifecycle;
  readonly #store: KeyStore;
  readonly #access: KeyAccess;
  readonly #ciphers = new Ciphers();
  readonly #signers = new Signers();

  /** @throws TypeError `ERR_ARGUMENT` for an unknown option */
  constructor(options: LocalKmsOptions = {}) {
    checkFields("LocalKms", options, ["clock", "store"]);
    this.#store = options.store ?? new MemoryKeyStore();
    this.#access = new KeyAccess(this.#store, options.clock ?? systemClock);
    this.lifecycle = new KeyLifecycle(this.#access);
  }

  /** The full id of the key that an id or an alias names, in whatever state it is. */
  async resolveKeyId(keyId: string, options?: CallOptions): Promise<string> {
    return (await this.#access.find(keyId, options)).keyId;
  }

  /**
   * Makes a data key and seals it.
   * @returns new buffers: the data key, which the caller wipes, and its ciphertext, which `decrypt` opens
   */
  async generateDataKey(request: GenerateDataKeyRequest, options?: CallOptions): Promise<GeneratedDataKey> {
    checkFields("generateDataKey", request, ["keyId", "numberOfBytes", "encryptionContext"]);
    const length = checkCount("numberOfBytes", request.numberOfBytes, 1, MAX_DATA_KEY_BYTES);
    const context = encodeContext("encryptionContext", request.encryptionContext);
    const record = this.#access.lookUp(request.keyId, options) ?? (await this.#access.missing(request.keyId));
    const plaintext = randomBytes(length);
    try {
      return {
        keyId: record.keyId,
        plaintext,
        ciphertext: await this.#seal("generateDataKey", record, context, plaintext),
      };
    } catch (error) {
      wipe(plaintext);
      throw error;
    }
  }

  /** Seals a plaintext under the key's newest version. @returns a new buffer, 91 bytes longer than the plaintext */
  async encrypt(request: EncryptRequest, options?: CallOptions): Promise<EncryptResult> {
    checkFields("encrypt", request, ["keyId", "plaintext", "encryptionContext"]);
    const plaintext = checkBytes("plaintext", request.plaintext, MAX_PLAINTEXT_BYTES, "encrypt it under a data key");
    const context = encodeContext("encryptionContext", request.encryptionContext);
    const record = this.#access.lookUp(request.keyId, options) ?? (await this.#access.missing(request.keyId));
    return { keyId: record.keyId, ciphertext: await this.#seal("encrypt", record, context, plaintext) };
  }

  /**
   * Opens a ciphertext, whichever version of its key sealed it.
   * @returns the plaintext, a new buffer that the caller wipes
   * @throws FengniError `ERR_CIPHERTEXT_INVALID` for other bytes, `ERR_NO_MATCHING_KEY` when another key than `keyId` sealed
   *   it, `ERR_AUTHENTICATION` when it was changed or the context is another
   */
  async decrypt(request: DecryptRequest, options?: CallOptions): Promise<DecryptResult> {
    checkFields("decrypt", request, ["ciphertext", "encryptionContext", "keyId"]);
    const context = encodeContext("encryptionContext", request.encryptionContext);
    const blob = parseBlob(assertBytes(request.ciphertext, "ciphertext"));
    const { keyId } = request;
    if (keyId !== undefined && keyId !== blob.keyId) {
      const wanted = this.#access.lookUp(keyId, options) ?? (await this.#access.missing(keyId));
      if (wanted.keyId !== blob.keyId) throw anotherKey(blob.keyId);
    }
    const record = this.#access.lookUp(blob.keyId, options) ?? (await this.#access.missing(blob.keyId));
    return { keyId: record.keyId, plaintext: await this.#open(record, context, blob) };
  }

  /**
   * Opens a ciphertext and seals its plaintext again, under the newest version of the same key or under another key or context;
   * the plaintext does not leave. A ciphertext that is already what is asked for comes back as it is.
   * @returns a new buffer
   * @throws FengniError as `decrypt` for the source and as `encrypt` for the destination
   */
  async reEncrypt(request: ReEncryptRequest, options?: CallOptions): Promise<ReEncryptResult> {
    checkFields("reEncrypt", request, [
      "ciphertext",
      "sourceEncryptionContext",
      "destinationKeyId",
      "destinationEncryptionContext",
    ]);
    const sourceContext = encodeContext("sourceEncryptionContext", request.sourceEncryptionContext);
    const context = encodeContext("destinationEncryptionContext", request.destinationEncryptionContext);
    const original = Uint8Array.from(assertBytes(request.ciphertext, "ciphertext"));
    const blob = parseBlob(original);
    const source = await this.#access.find(blob.keyId, options);
    const { destinationKeyId } = request;
    const destination = destinationKeyId === undefined ? source : await this.#access.find(destinationKeyId, options);
    symmetricSpec(destination);
    stateAfter("encrypt", destination);
    const plaintext = await this.#open(source, sourceContext, blob);
    try {
      const isNewest = destination.keyId === source.keyId && blob.keyVersion === destination.versions.length;
      const ciphertext =
        isNewest && equalBytes(sourceContext, context)
          ? original
          : await this.#seal("encrypt", destination, context, plaintext);
      return { keyId: destination.keyId, sourceKeyId: source.keyId, ciphertext };
    } finally {
      wipe(plaintext);
    }
  }

  /** Signs a message of 1 to 4,096 bytes, or a digest of the algorithm's hash. @returns the signature, DER */
  async sign(request: SignRequest, options?: CallOptions): Promise<SignResult> {
    checkFields("sign", request, ["keyId", "algorithm", "message", "messageType"]);
    const record = this.#access.lookUp(request.keyId, options) ?? (await this.#access.missing(request.keyId));
    const signature = this.#signers.sign(record, request);
    return { keyId: record.keyId, algorithm: request.algorithm, signature };
  }

  /** Verifies a signature; one that is not right, whatever its bytes, gives `valid: false`. */
  async verify(request: VerifyRequest, options?: CallOptions): Promise<VerifyResult> {
    checkFields("verify", request, ["keyId", "algorithm", "message", "messageType", "signature"]);
    const record = this.#access.lookUp(request.keyId, options) ?? (await this.#access.missing(request.keyId));
    const valid = this.#signers.verify(record, request);
    return { keyId: record.keyId, algorithm: request.algorithm, valid };
  }

  /** The public half of a signing key, in every state. @returns DER SubjectPublicKeyInfo, a new buffer */
  async getPublicKey(request: { readonly keyId: string }, options?: CallOptions): Promise<PublicKeyResult> {
    checkFields("getPublicKey", request, ["keyId"]);
    return this.#signers.publicKey(await this.#access.find(request.keyId, options));
  }

  /** Wipes the key material and lets go of the store. Idempotent; later calls of every method reject with `ERR_CLOSED`. */
  async close(): Promise<void> {
    this.#ciphers.clear();
    this.#signers.clear();
    this.#store.close();
  }

  #seal(
    operation: "encrypt" | "generateDataKey",
    record: KeyRecord,
    context: Uint8Array,
    plaintext: Uint8Array,
  ): Promise<Uint8Array> {
    const spec = symmetricSpec(record);
    stateAfter(operation, record);
    return this.#ciphers.seal(spec, record, context, plaintext);
  }

  #open(record: KeyRecord, context: Uint8Array, blob: Blob): Promise<Uint8Array> {
    const spec = symmetricSpec(record);
    stateAfter("decrypt", record);
    return this.#ciphers.open(spec, record, context, blob);
  }
}

function anotherKey(keyId: string): FengniError<"ERR_NO_MATCHING_KEY"> {
  return new FengniError("ERR_NO_MATCHING_KEY", `key ${keyId} made this ciphertext, which is not the key named`, {
    details: { available: [keyId] },
  });
}
