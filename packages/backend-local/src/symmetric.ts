// The operations on symmetric keys, and random bytes. It must not know how a ciphertext is laid out or sealed, nor stores.
import type {
  DecryptRequest,
  DecryptResult,
  EncryptRequest,
  EncryptResult,
  ReEncryptRequest,
  ReEncryptResult,
} from "@fengni/core";
import { assertBytes, equalBytes, wipe } from "@fengni/crypto/bytes";
import { randomBytes } from "@fengni/crypto/random";
import type { LocalCallOptions } from "./access.js";
import { type Blob, parseBlob } from "./blob.js";
import { checkBytes, checkCount, checkFields, encodeContext, MAX_PLAINTEXT_BYTES } from "./checks.js";
import {
  checkFits,
  type DeliveredPlaintext,
  deliver,
  RECIPIENT_FIELDS,
  type Recipient,
  type RecipientRequest,
  recipientOf,
} from "./recipient.js";
import type { KeyRecord } from "./records.js";
import type { Room } from "./room.js";
import { anotherKey, openUnder, sealUnder, symmetricSpecOf, useFound } from "./sealing.js";
import { stateAfter } from "./states.js";

type Awaitable<Value> = Value | Promise<Value>;

/** Most bytes of `generateRandom`; the least is 1. */
export const MAX_RANDOM_BYTES = 1024;

/** Asks to open what `encrypt` or `generateDataKey` gave, for the caller itself or for a public key of the caller's. */
export interface LocalDecryptRequest extends DecryptRequest, RecipientRequest {}

/** What `decrypt` gave. */
export interface LocalDecryptResult extends DecryptResult, DeliveredPlaintext {}

/** What `reEncrypt` gave. */
export interface LocalReEncryptResult extends ReEncryptResult {
  /** False when the ciphertext was already what was asked for, and came back as it is. */
  readonly reEncrypted: boolean;
}

/** Asks for random bytes. */
export interface GenerateRandomRequest {
  /** 1 to 1,024. */
  readonly numberOfBytes: number;
}

/** Random bytes. */
export interface GenerateRandomResult {
  /** The caller owns the buffer. */
  readonly plaintext: Uint8Array;
}

/** What can be done with symmetric keys. */
export interface SymmetricOperations {
  /**
   * Seals 1 to 4,096 bytes under the key's newest version.
   * @returns a new buffer, 91 bytes longer than the plaintext
   * @throws FengniError `ERR_LIMIT`, `ERR_DENIED`, `ERR_KEY_NOT_FOUND`, `ERR_KEY_USAGE`, `ERR_KEY_STATE`
   */
  encrypt(request: EncryptRequest, options?: LocalCallOptions): Promise<EncryptResult>;
  /**
   * Opens a ciphertext, whichever version of its key sealed it: the ciphertext names it.
   * @returns the plaintext, a new buffer that the caller wipes; with a public key in the request, its ciphertext
   * @throws FengniError `ERR_CIPHERTEXT_INVALID` for other bytes, `ERR_NO_MATCHING_KEY` when another key than `keyId` sealed
   *   it, `ERR_AUTHENTICATION` when it was changed or the context is another; `ERR_KEY_INVALID`, `ERR_LIMIT` for a public key that
   *   does not serve or is too short for the plaintext; and as {@link encrypt} for the key
   */
  decrypt(request: LocalDecryptRequest, options?: LocalCallOptions): Promise<LocalDecryptResult>;
  /**
   * Opens a ciphertext and seals its plaintext again, under the newest version of the same key or under another key or context;
   * the plaintext does not leave. A ciphertext that is already what is asked for comes back as it is. Access is asked for the
   * key that the ciphertext names, and for the destination when one is named.
   * @returns a new buffer
   * @throws FengniError as {@link decrypt} for the source and as {@link encrypt} for the destination
   */
  reEncrypt(request: ReEncryptRequest, options?: LocalCallOptions): Promise<LocalReEncryptResult>;
  /**
   * Random bytes that are fit for keys.
   * @throws FengniError `ERR_LIMIT` for more than 1,024
   */
  generateRandom(request: GenerateRandomRequest, options?: LocalCallOptions): Promise<GenerateRandomResult>;
}

const ENCRYPT_FIELDS = ["keyId", "plaintext", "encryptionContext"];
const DECRYPT_FIELDS = ["ciphertext", "encryptionContext", "keyId", ...RECIPIENT_FIELDS];
const RE_ENCRYPT_FIELDS = ["ciphertext", "sourceEncryptionContext", "destinationKeyId", "destinationEncryptionContext"];

/** Makes the group over what all operations share. Where nothing waits, no promise is made but the one that is returned. */
export function symmetricOperations(room: Room): SymmetricOperations {
  return {
    async encrypt(request, options) {
      checkFields("encrypt", request, ENCRYPT_FIELDS);
      const plaintext = checkBytes("plaintext", request.plaintext, MAX_PLAINTEXT_BYTES, "encrypt it under a data key");
      const context = encodeContext("encryptionContext", request.encryptionContext);
      const found = room.key("encrypt", request.keyId, options);
      if (!(found instanceof Promise)) return seal(room, found, context, plaintext);
      return useFound(room, found, plaintext, (record, copy) => seal(room, record, context, copy));
    },

    async decrypt(request, options) {
      checkFields("decrypt", request, DECRYPT_FIELDS);
      const ciphertext = assertBytes(request.ciphertext, "ciphertext");
      const context = encodeContext("encryptionContext", request.encryptionContext);
      const recipient = recipientOf(request);
      const blob = parseBlob(ciphertext);
      // As long as the plaintext.
      checkFits(blob.ciphertext.length, recipient);
      const { keyId = blob.keyId } = request;
      const found = room.key("decrypt", keyId, options);
      if (!(found instanceof Promise)) return open(room, found, context, blob, recipient);
      return useFound(room, found, ciphertext, (record, copy) =>
        open(room, record, context, parseBlob(copy), recipient),
      );
    },

    async reEncrypt(request, options) {
      checkFields("reEncrypt", request, RE_ENCRYPT_FIELDS);
      const sourceContext = encodeContext("sourceEncryptionContext", request.sourceEncryptionContext);
      const context = encodeContext("destinationEncryptionContext", request.destinationEncryptionContext);
      const { destinationKeyId } = request;
      const blob = parseBlob(assertBytes(request.ciphertext, "ciphertext"));
      const original = Uint8Array.from(request.ciphertext);
      const { region, id } = await room.key("reEncrypt", blob.keyId, options);
      const destination =
        destinationKeyId === undefined ? { id } : await room.key("reEncrypt", destinationKeyId, options);
      return reseal(room, original, {
        source: room.current("key", region, id),
        sourceContext,
        destination: room.current("key", region, destination.id),
        context,
      });
    },

    async generateRandom(request, options) {
      checkFields("generateRandom", request, ["numberOfBytes"]);
      const length = checkCount("numberOfBytes", request.numberOfBytes, 1, MAX_RANDOM_BYTES);
      await room.authorize("generateRandom", options);
      return { plaintext: randomBytes(length) };
    },
  };
}

function seal(room: Room, record: KeyRecord, context: Uint8Array, plaintext: Uint8Array): Awaitable<EncryptResult> {
  const sealed = sealUnder(room, "encrypt", record, context, plaintext);
  const keyId = record.id;
  return sealed instanceof Promise
    ? sealed.then((ciphertext) => ({ keyId, ciphertext }))
    : { keyId, ciphertext: sealed };
}

function open(
  room: Room,
  record: KeyRecord,
  context: Uint8Array,
  blob: Blob,
  recipient: Recipient | undefined,
): Awaitable<LocalDecryptResult> {
  if (record.id !== blob.keyId) throw anotherKey(blob.keyId);
  const keyId = record.id;
  const opened = openUnder(room, "decrypt", record, context, blob);
  if (!(opened instanceof Promise) && recipient === undefined) return { keyId, plaintext: opened };
  return Promise.resolve(opened)
    .then((plaintext) => deliver(plaintext, recipient))
    .then((delivered) => ({ keyId, ...delivered }));
}

/** A ciphertext's way from one key and context to another. */
interface Route {
  readonly source: KeyRecord;
  readonly sourceContext: Uint8Array;
  readonly destination: KeyRecord;
  readonly context: Uint8Array;
}

async function reseal(room: Room, original: Uint8Array, route: Route): Promise<LocalReEncryptResult> {
  const { source, sourceContext, destination, context } = route;
  const blob = parseBlob(original);
  // Before anything is opened: a destination that refuses must not depend on the source.
  symmetricSpecOf(destination);
  stateAfter("encrypt", destination);
  const isNewest = destination.id === source.id && blob.keyVersion === destination.versions;
  const ids = { keyId: destination.id, sourceKeyId: source.id };
  const plaintext = await openUnder(room, "decrypt", source, sourceContext, blob);
  try {
    if (isNewest && equalBytes(sourceContext, context)) return { ...ids, ciphertext: original, reEncrypted: false };
    const { region, id } = destination;
    const ciphertext = await sealUnder(room, "encrypt", room.current("key", region, id), context, plaintext);
    return { ...ids, ciphertext, reEncrypted: true };
  } finally {
    wipe(plaintext);
  }
}
