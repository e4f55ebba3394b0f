// The seams of the in-memory double: the small decisions that make a provider right or wrong, each a function of its own, so that
// a test can replace one of them. It must not know how calls are put together from them.
import {
  type Awaitable,
  authenticationError,
  contextToJson,
  type EncryptionContext,
  FengniError,
  type KeySpec,
  type KeyUsage,
  type MessageType,
  type ProviderOperation,
  type SignatureAlgorithm,
  serializeContext,
} from "@fengni/core";
import type { AeadKey, Sealed } from "@fengni/crypto/aes-gcm";
import { assertBytes, bytesToHex, concatBytes, hexToBytes } from "@fengni/crypto/bytes";
import { randomBytes } from "@fengni/crypto/random";
import { type InMemoryMaterial, specRow } from "./in-memory-material.js";
import type { InMemoryKey } from "./in-memory-store.js";

/** Longest plaintext of the double, in bytes. */
export const MAX_PLAINTEXT_BYTES = 4096;
/** Longest data key of the double, in bytes. */
export const MAX_DATA_KEY_BYTES = 1024;
/** Longest encryption context of the double, in characters of JSON. */
export const MAX_CONTEXT_CHARACTERS = 1024;

const HEADER_BYTES = 19;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const ENCAPSULATION_BYTES = 1088;

/** Which of its two kinds a ciphertext is. */
export type CiphertextKind = "symmetric" | "post-quantum";

/** A ciphertext in its parts. */
export interface CiphertextParts {
  readonly kind: CiphertextKind;
  readonly keyId: string;
  readonly version: number;
  /** Kind, key id and version as they stand in the ciphertext. */
  readonly header: Uint8Array;
  /** ML-KEM's ciphertext; empty for a symmetric one. */
  readonly encapsulation: Uint8Array;
  readonly nonce: Uint8Array;
  readonly ciphertext: Uint8Array;
  readonly tag: Uint8Array;
}

/** What a test may replace. */
export interface InMemoryParts {
  createMaterial(spec: KeySpec, usage: KeyUsage): Awaitable<InMemoryMaterial>;
  dataKey(length: number): Uint8Array;
  nonce(key: InMemoryKey): Uint8Array;
  /** @throws TypeError `ERR_ARGUMENT`, FengniError `ERR_LIMIT` */
  contextBytes(context: EncryptionContext | undefined): Uint8Array;
  additionalData(header: Uint8Array, context: Uint8Array): Uint8Array;
  /** The version, from 1 on, that seals. */
  sealingVersion(key: InMemoryKey): number;
  seal(aead: AeadKey, nonce: Uint8Array, additionalData: Uint8Array, plaintext: Uint8Array): Awaitable<Sealed>;
  open(aead: AeadKey, parts: CiphertextParts, additionalData: Uint8Array): Awaitable<Uint8Array>;
  header(kind: CiphertextKind, key: InMemoryKey, version: number): Uint8Array;
  parse(kind: CiphertextKind, ciphertext: Uint8Array): CiphertextParts;
  checkUsage(key: InMemoryKey, usage: readonly KeyUsage[]): void;
  checkState(key: InMemoryKey, operation: ProviderOperation): void;
  /** Refuses a ciphertext of another key than the one named. */
  checkMatch(key: InMemoryKey, named: InMemoryKey): void;
  checkPlaintext(plaintext: Uint8Array): void;
  checkDataKeyLength(length: number): void;
  checkMessage(key: InMemoryKey, message: Uint8Array, type: MessageType): void;
  sign(
    material: InMemoryMaterial,
    algorithm: SignatureAlgorithm,
    message: Uint8Array,
    type: MessageType,
  ): Awaitable<Uint8Array>;
  verify(
    material: InMemoryMaterial,
    algorithm: SignatureAlgorithm,
    message: Uint8Array,
    type: MessageType,
    signature: Uint8Array,
  ): Awaitable<boolean>;
  /** Called first in each call: refuses it when the provider is closed or the signal aborted. */
  begin(isClosed: boolean, signal: AbortSignal | undefined): void;
  /** The last touch to each answer. */
  answer<Result extends object>(operation: ProviderOperation, result: Result): Result;
}

const fail = (message: string): TypeError => Object.assign(new TypeError(message), { code: "ERR_ARGUMENT" });

const limit = (name: string, maximum: number, actual: number): FengniError<"ERR_LIMIT"> =>
  new FengniError("ERR_LIMIT", `${name} is ${actual}, more than the allowed ${maximum}`, {
    details: { limit: name, maximum, actual },
  });

/** States in which each operation is refused. */
function refusesIn(operation: ProviderOperation, { state }: InMemoryKey): boolean {
  const opens = ["decrypt", "verify", "asymmetricDecrypt", "postQuantumDecrypt"].includes(operation);
  return state !== "enabled" && !(opens && state === "archived");
}

function checkLength(name: string, bytes: Uint8Array, maximum: number): void {
  const { length } = assertBytes(bytes, name);
  if (length === 0) throw fail(`${name} expected at least 1 byte`);
  if (length > maximum) throw limit(`${name} length`, maximum, length);
}

/** Cuts a ciphertext into its parts. @throws FengniError `ERR_CIPHERTEXT_INVALID` */
function parse(kind: CiphertextKind, whole: Uint8Array): CiphertextParts {
  // One copy, of which the parts are views: the caller may change its own while the call runs.
  const bytes = Uint8Array.from(assertBytes(whole, "ciphertext"));
  const encapsulationBytes = kind === "post-quantum" ? ENCAPSULATION_BYTES : 0;
  const body = HEADER_BYTES + encapsulationBytes + NONCE_BYTES;
  if (bytes.length <= body + TAG_BYTES || bytes[0] !== (kind === "symmetric" ? 1 : 2)) {
    throw new FengniError("ERR_CIPHERTEXT_INVALID", "these bytes are no ciphertext of this kind of this provider");
  }
  return {
    kind,
    keyId: bytesToHex(bytes.subarray(1, 17)),
    version: ((bytes[17] as number) << 8) | (bytes[18] as number),
    header: bytes.subarray(0, HEADER_BYTES),
    encapsulation: bytes.subarray(HEADER_BYTES, HEADER_BYTES + encapsulationBytes),
    nonce: bytes.subarray(body - NONCE_BYTES, body),
    ciphertext: bytes.subarray(body, bytes.length - TAG_BYTES),
    tag: bytes.subarray(bytes.length - TAG_BYTES),
  };
}

function checkMessage(key: InMemoryKey, message: Uint8Array, type: MessageType): void {
  checkLength("message", message, MAX_PLAINTEXT_BYTES);
  if (type !== "raw" && type !== "digest") throw fail("messageType expected raw or digest");
  if (type === "raw") return;
  const { digestBytes } = specRow(key.keySpec);
  if (digestBytes === undefined) {
    const details = { operation: "sign a digest" };
    throw new FengniError("ERR_NOT_SUPPORTED", "this algorithm signs messages only", { details });
  }
  if (message.length !== digestBytes) throw fail(`a digest expected ${digestBytes} bytes`);
}

/** The right parts. */
export const RIGHT_PARTS: InMemoryParts = {
  createMaterial: (spec) => specRow(spec).create(),
  dataKey: randomBytes,
  nonce: () => randomBytes(NONCE_BYTES),
  contextBytes(context = {}) {
    if (typeof context !== "object" || context === null || Object.values(context).some((v) => typeof v !== "string")) {
      throw fail("encryptionContext expected an object of strings");
    }
    const { length } = contextToJson(context);
    if (length > MAX_CONTEXT_CHARACTERS) throw limit("encryptionContext length", MAX_CONTEXT_CHARACTERS, length);
    return serializeContext(context);
  },
  additionalData: (header, context) => concatBytes(header, context),
  sealingVersion: (key) => key.versions.length,
  seal: (aead, nonce, additionalData, plaintext) => aead.seal(nonce, additionalData, plaintext),
  open: (aead, { nonce, ciphertext, tag }, additionalData) => aead.open(nonce, additionalData, ciphertext, tag),
  header: (kind, key, version) =>
    concatBytes(
      Uint8Array.of(kind === "symmetric" ? 1 : 2),
      hexToBytes(key.keyId),
      Uint8Array.of(version >> 8, version & 255),
    ),
  parse,
  checkUsage(key, usages) {
    if (usages.includes(key.keyUsage)) return;
    throw new FengniError("ERR_KEY_USAGE", `key ${key.keyId} is for ${key.keyUsage}, not for this`, {
      details: { keyId: key.keyId },
    });
  },
  checkState(key, operation) {
    if (!refusesIn(operation, key)) return;
    throw new FengniError("ERR_KEY_STATE", `key ${key.keyId} is ${key.state}, which forbids ${operation}`, {
      details: { keyId: key.keyId, state: key.state },
    });
  },
  checkMatch(key, named) {
    if (key === named) return;
    throw new FengniError("ERR_NO_MATCHING_KEY", "another key than the one named made this ciphertext", {
      details: { available: [key.keyId] },
    });
  },
  checkPlaintext: (plaintext) => checkLength("plaintext", plaintext, MAX_PLAINTEXT_BYTES),
  checkDataKeyLength(length) {
    if (!Number.isSafeInteger(length) || length < 1) throw fail("numberOfBytes expected a whole number from 1 on");
    if (length > MAX_DATA_KEY_BYTES) throw limit("numberOfBytes", MAX_DATA_KEY_BYTES, length);
  },
  checkMessage,
  sign(material, algorithm, message, type) {
    if (material.sign !== undefined) return material.sign(algorithm, message, type);
    throw authenticationError();
  },
  verify(material, algorithm, message, type, signature) {
    if (material.verify !== undefined) return material.verify(algorithm, message, type, signature);
    throw authenticationError();
  },
  begin(isClosed, signal) {
    if (isClosed) throw new FengniError("ERR_CLOSED", "this key provider was closed: make a new one");
    signal?.throwIfAborted();
  },
  answer: (_operation, result) => result,
};
