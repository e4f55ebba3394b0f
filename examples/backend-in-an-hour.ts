// A backend of your own: AES-256 keys from a table, behind the contract that every backend keeps. docs/conformance.md explains it.
import { randomBytes } from "node:crypto";
import {
  type CallOptions,
  type Capabilities,
  type DecryptRequest,
  type DecryptResult,
  type EncryptionContext,
  type EncryptRequest,
  type EncryptResult,
  Envelope,
  FengniError,
  type GenerateDataKeyRequest,
  type GeneratedDataKey,
  type KeyProvider,
  providerKey,
  type ReEncryptRequest,
  type ReEncryptResult,
  serializeContext,
} from "@fengni/core";
import { type AeadKey, importAesGcmKey } from "@fengni/crypto/aes-gcm";
import { assertBytes, concatBytes, utf8ToBytes, wipe } from "@fengni/crypto/bytes";

const MAX_PLAINTEXT = 4096;
const [NONCE, TAG] = [12, 16];

/** A ciphertext is: length of the key id, key id, nonce, text, tag. The tag covers everything, and the context. */
export class TableKeyProvider implements KeyProvider {
  readonly providerId = "example-table";
  // What is not claimed here is not demanded, and must be refused as not supported.
  readonly capabilities: Capabilities = {
    operations: ["generateDataKey", "encrypt", "decrypt", "reEncrypt"],
    dataKeyBytes: { minimum: 1, maximum: 1024 },
    maxPlaintextBytes: MAX_PLAINTEXT,
    signatureAlgorithms: [],
    asymmetricEncryptionAlgorithms: [],
    maxMessageBytes: 0,
  };
  readonly #keys: Map<string, AeadKey>;
  #isClosed = false;

  /** @param table - key id, at most 255 bytes, and key, 32 bytes; a real backend would ask a service or a device instead */
  constructor(table: Readonly<Record<string, Uint8Array>>) {
    this.#keys = new Map(Object.entries(table).map(([keyId, key]) => [keyId, importAesGcmKey(key)]));
  }

  async resolveKeyId(keyId: string, options?: CallOptions): Promise<string> {
    this.#begin({}, options);
    this.#key(keyId);
    return keyId;
  }

  async generateDataKey(request: GenerateDataKeyRequest, options?: CallOptions): Promise<GeneratedDataKey> {
    this.#begin(request, options);
    const { numberOfBytes, keyId, encryptionContext } = request;
    if (!Number.isSafeInteger(numberOfBytes) || numberOfBytes < 1) throw wrong("numberOfBytes expected 1 to 1,024");
    if (numberOfBytes > 1024) throw tooLong("numberOfBytes", 1024, numberOfBytes);
    const plaintext = Uint8Array.from(randomBytes(numberOfBytes));
    return { keyId, plaintext, ciphertext: await this.#seal(keyId, encryptionContext, plaintext) };
  }

  async encrypt(request: EncryptRequest, options?: CallOptions): Promise<EncryptResult> {
    this.#begin(request, options);
    const { keyId, encryptionContext } = request;
    const plaintext = Uint8Array.from(assertBytes(request.plaintext, "plaintext"));
    if (plaintext.length === 0) throw wrong("plaintext expected at least 1 byte");
    if (plaintext.length > MAX_PLAINTEXT) throw tooLong("plaintext length", MAX_PLAINTEXT, plaintext.length);
    return { keyId, ciphertext: await this.#seal(keyId, encryptionContext, plaintext) };
  }

  async decrypt(request: DecryptRequest, options?: CallOptions): Promise<DecryptResult> {
    this.#begin(request, options);
    return this.#open(request.ciphertext, request.encryptionContext, request.keyId);
  }

  async reEncrypt(request: ReEncryptRequest, options?: CallOptions): Promise<ReEncryptResult> {
    this.#begin(request, options);
    const { ciphertext, sourceEncryptionContext, destinationEncryptionContext } = request;
    const { keyId: sourceKeyId, plaintext } = await this.#open(ciphertext, sourceEncryptionContext, undefined);
    try {
      const keyId = request.destinationKeyId ?? sourceKeyId;
      return { keyId, sourceKeyId, ciphertext: await this.#seal(keyId, destinationEncryptionContext, plaintext) };
    } finally {
      wipe(plaintext);
    }
  }

  readonly sign: KeyProvider["sign"] = unsupported("sign");
  readonly verify: KeyProvider["verify"] = unsupported("verify");
  readonly getPublicKey: KeyProvider["getPublicKey"] = unsupported("getPublicKey");
  readonly asymmetricDecrypt: KeyProvider["asymmetricDecrypt"] = unsupported("asymmetricDecrypt");
  readonly postQuantumEncrypt: KeyProvider["postQuantumEncrypt"] = unsupported("postQuantumEncrypt");
  readonly postQuantumDecrypt: KeyProvider["postQuantumDecrypt"] = unsupported("postQuantumDecrypt");

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#keys.clear();
  }

  #begin(request: object, options: CallOptions | undefined): void {
    if (this.#isClosed) throw new FengniError("ERR_CLOSED", "this key provider was closed");
    options?.signal?.throwIfAborted();
    if (typeof request !== "object" || request === null) throw wrong("expected a request");
  }

  #key(keyId: string): AeadKey {
    const key = this.#keys.get(keyId);
    if (key === undefined) throw new FengniError("ERR_KEY_NOT_FOUND", "no such key", { details: { keyId } });
    return key;
  }

  async #seal(keyId: string, context: EncryptionContext = {}, plaintext: Uint8Array): Promise<Uint8Array> {
    const key = this.#key(keyId);
    const name = utf8ToBytes(keyId);
    const header = concatBytes(Uint8Array.of(name.length), name);
    const nonce = randomBytes(NONCE);
    const { ciphertext, tag } = await key.seal(nonce, concatBytes(header, serializeContext(context)), plaintext);
    return concatBytes(header, nonce, ciphertext, tag);
  }

  async #open(whole: Uint8Array, context: EncryptionContext = {}, named: string | undefined): Promise<DecryptResult> {
    const bytes = Uint8Array.from(assertBytes(whole, "ciphertext"));
    const end = 1 + (bytes[0] ?? 0);
    if (bytes.length <= end + NONCE + TAG) throw new FengniError("ERR_CIPHERTEXT_INVALID", "not a ciphertext of this");
    const keyId = new TextDecoder().decode(bytes.subarray(1, end));
    if (named !== undefined && this.#key(named) !== this.#key(keyId)) {
      throw new FengniError("ERR_NO_MATCHING_KEY", "another key made this ciphertext", {
        details: { available: [keyId] },
      });
    }
    const [nonce, tag] = [bytes.subarray(end, end + NONCE), bytes.subarray(-TAG)];
    const additionalData = concatBytes(bytes.subarray(0, end), serializeContext(context));
    const opened = await this.#key(keyId).open(nonce, additionalData, bytes.subarray(end + NONCE, -TAG), tag);
    return { keyId, plaintext: Uint8Array.from(opened) };
  }
}

const wrong = (message: string): TypeError => Object.assign(new TypeError(message), { code: "ERR_ARGUMENT" });
const tooLong = (limit: string, maximum: number, actual: number): FengniError =>
  new FengniError("ERR_LIMIT", `${limit} is more than ${maximum}`, { details: { limit, maximum, actual } });
const unsupported = (operation: string) => async (): Promise<never> => {
  throw new FengniError("ERR_NOT_SUPPORTED", "this backend has symmetric keys only", { details: { operation } });
};

const provider = new TableKeyProvider({ "orders-2026": randomBytes(32), "orders-2027": randomBytes(32) });
const envelope = new Envelope({ wrappingKeys: [providerKey(provider, "orders-2026")] });
const message = await envelope.encrypt("40 reams of paper", { encryptionContext: { order: "17" } });
console.log(`opened through the example backend: ${await envelope.decryptText(message)}`);
await provider.close();
