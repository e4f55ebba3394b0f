// What a header tells people and programs: a parsed header in public form, and `inspect`, which needs no key.
import { assertBytes } from "@fengni/crypto/bytes";
import { FengniError } from "./errors.js";
import { checkInteger, checkOptions } from "./options.js";
import { formatSuiteId } from "./suites.js";
import { type EncryptedDataKey, type HeaderLimits, type ParsedHeader, parseHeader } from "./wire/header.js";

/** Most encrypted data keys of a message unless the caller allows more: each may cost a call of a key provider. */
export const DEFAULT_MAX_ENCRYPTED_DATA_KEYS = 100;
/** Longest header that is read unless the caller allows more, in bytes. */
export const DEFAULT_MAX_HEADER_LENGTH: number = 1024 * 1024;

/** A message's header. Unless it comes from `decrypt`, nothing in it is authenticated. */
export interface MessageHeader {
  readonly version: 1 | 2;
  readonly suite: {
    /** For example `0x0478`. */
    readonly id: string;
    readonly name: string;
    readonly committing: boolean;
    readonly signed: boolean;
  };
  /** 16 bytes in version 1, 32 in version 2. */
  readonly messageId: Uint8Array;
  /** The stored encryption context, without a prototype. */
  readonly encryptionContext: Readonly<Record<string, string>>;
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
  readonly contentType: "framed" | "non-framed";
  /** Bytes of plaintext in a frame; 0 for a body that is not framed. */
  readonly frameLength: number;
  /** Bytes of header. */
  readonly headerLength: number;
}

/** The public form of a parsed header; holds copies. */
export function publicHeader(header: ParsedHeader): MessageHeader {
  const { suite } = header;
  return {
    version: suite.messageVersion,
    suite: {
      id: formatSuiteId(suite.id),
      name: suite.name,
      committing: suite.committing,
      signed: suite.signature !== undefined,
    },
    messageId: new Uint8Array(header.messageId),
    encryptionContext: header.context,
    encryptedDataKeys: header.encryptedDataKeys.map((key) => ({
      providerId: key.providerId,
      providerInfo: new Uint8Array(key.providerInfo),
      ciphertext: new Uint8Array(key.ciphertext),
    })),
    contentType: header.frameLength === 0 ? "non-framed" : "framed",
    frameLength: header.frameLength,
    headerLength: header.length,
  };
}

/** Bounds of {@link inspect}. */
export interface InspectOptions {
  /** Most encrypted data keys, 1 to 65,535; default {@link DEFAULT_MAX_ENCRYPTED_DATA_KEYS}. */
  readonly maxEncryptedDataKeys?: number;
  /** Longest header, in bytes; default {@link DEFAULT_MAX_HEADER_LENGTH}. */
  readonly maxHeaderLength?: number;
}

/**
 * Reads a message's header without any key. What it says is not authenticated.
 * @param message - a message, or its beginning: the header must be whole
 * @throws `ERR_MESSAGE_TRUNCATED`, `ERR_MESSAGE_INVALID`, `ERR_MESSAGE_UNSUPPORTED`, `ERR_LIMIT`
 */
export function inspect(message: Uint8Array, options: InspectOptions = {}): MessageHeader {
  assertBytes(message, "message");
  checkOptions("inspect", options, ["maxEncryptedDataKeys", "maxHeaderLength"]);
  const parse = parseHeader(headerLimits(options));
  let step = parse.next();
  while (step.done !== true) {
    if (step.value > message.length) throw truncated(message.length);
    step = parse.next(message);
  }
  return publicHeader(step.value);
}

/** Bounds of a reader, with their defaults. @throws RangeError (`ERR_ARGUMENT`) */
export function headerLimits(options: InspectOptions): HeaderLimits {
  return {
    maxEncryptedDataKeys: checkInteger(
      "maxEncryptedDataKeys",
      options.maxEncryptedDataKeys ?? DEFAULT_MAX_ENCRYPTED_DATA_KEYS,
      1,
      0xffff,
    ),
    maxHeaderLength: checkInteger(
      "maxHeaderLength",
      options.maxHeaderLength ?? DEFAULT_MAX_HEADER_LENGTH,
      1,
      Number.MAX_SAFE_INTEGER,
    ),
  };
}

/** The input ended inside the message. */
export function truncated(offset: number): FengniError<"ERR_MESSAGE_TRUNCATED"> {
  return new FengniError(
    "ERR_MESSAGE_TRUNCATED",
    `the message ends after ${offset} bytes, before it is complete: the rest of it is missing`,
    { details: { offset } },
  );
}
