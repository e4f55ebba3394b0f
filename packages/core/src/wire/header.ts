// The message header: bytes <-> values (message format, sections "Header body", "Header authentication", "Encrypted data
// keys"). Nothing else reads or writes its offsets; it must know no key and run no cipher.
import { bytesToUtf8, utf8ToBytes } from "@fengni/crypto/bytes";
import { parseContext } from "../context.js";
import { argumentError, FengniError, limitError } from "../errors.js";
import { type AlgorithmSuite, formatSuiteId, suiteOfMessage } from "../suites.js";
import { MAX_U16, putU16, putU32, readU16 } from "./integers.js";

/** A data key wrapped by one wrapping key, as it stands in a message. */
export interface EncryptedDataKey {
  /** Names the provider; UTF-8, at most 65,535 bytes. */
  readonly providerId: string;
  /** What the provider needs to find its key; opaque, at most 65,535 bytes. */
  readonly providerInfo: Uint8Array;
  /** The wrapped data key; opaque, at most 65,535 bytes. */
  readonly ciphertext: Uint8Array;
}

export const GCM_IV_BYTES = 12;
export const GCM_TAG_BYTES = 16;
/** IV of the header tag in message version 2; one for all, only ever read. */
export const ZERO_IV: Uint8Array = /* @__PURE__ */ new Uint8Array(GCM_IV_BYTES);
const COMMITMENT_BYTES = 32;
const MESSAGE_TYPE = 0x80;
const CONTENT_NON_FRAMED = 1;
const CONTENT_FRAMED = 2;
/** Longest frame that the format can say, in bytes. */
export const MAX_FRAME_LENGTH = 0xffffffff;

/** What a header says, before anything of it is authenticated. */
export interface ParsedHeader {
  readonly suite: AlgorithmSuite;
  /** 16 bytes in version 1, 32 in version 2. */
  readonly messageId: Uint8Array;
  /** The stored encryption context. */
  readonly context: Readonly<Record<string, string>>;
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
  /** Length of a frame in bytes; 0: the body is not framed. */
  readonly frameLength: number;
  /** The commitment of a committing suite: 32 bytes. */
  readonly commitment: Uint8Array | undefined;
  /** The stored context and the encrypted data keys exactly as received: what the data key depends on. */
  readonly wrapping: Uint8Array;
  /** The header body exactly as received: what the header tag authenticates. */
  readonly body: Uint8Array;
  /** IV of the header tag. */
  readonly iv: Uint8Array;
  readonly tag: Uint8Array;
  /** Length of the whole header, in bytes. */
  readonly length: number;
}

/** Bounds that a reader sets on what it will take in. */
export interface HeaderLimits {
  /** Most encrypted data keys. */
  readonly maxEncryptedDataKeys: number;
  /** Longest header, in bytes. */
  readonly maxHeaderLength: number;
}

/**
 * A parse that waits for input: yields how many bytes must be there from the start of the message on, and is resumed
 * with the bytes received so far.
 */
export type IncrementalParse<Value> = Generator<number, Value, Uint8Array>;

/**
 * Parses a header as its bytes arrive; time and memory are linear in the header however it is cut.
 * @throws `ERR_MESSAGE_INVALID`, `ERR_MESSAGE_UNSUPPORTED`, `ERR_LIMIT`
 */
export function* parseHeader(limits: HeaderLimits): IncrementalParse<ParsedHeader> {
  const reader = new HeaderReader(limits.maxHeaderLength);
  if (reader.lacks(1)) yield* reader.need(1);
  const version = reader.u8();
  if (version !== 1 && version !== 2) {
    if (reader.lacks(1)) yield* reader.need(1);
    throw unknownVersion(version, reader.u8());
  }
  const idLength = version === 1 ? 16 : 32;
  const idEnd = (version === 1 ? 1 : 0) + 2 + idLength + 2;
  if (reader.lacks(idEnd)) yield* reader.need(idEnd);
  if (version === 1) {
    const type = reader.u8();
    if (type !== MESSAGE_TYPE) throw invalid(`has the unknown type ${type}`, 1);
  }
  const suite = suiteOfMessage(reader.u16(), version);
  const messageId = reader.bytes(idLength);
  const wrappingOffset = reader.offset;
  const contextLength = reader.u16();
  if (reader.lacks(contextLength)) yield* reader.need(contextLength);
  const context = parseContext(reader.bytes(contextLength));
  const encryptedDataKeys = yield* parseEncryptedDataKeys(reader, limits.maxEncryptedDataKeys);

  const contentOffset = reader.offset;
  const contentLength = version === 1 ? 10 : 5 + (suite.committing ? COMMITMENT_BYTES : 0);
  if (reader.lacks(contentLength)) yield* reader.need(contentLength);
  const contentType = reader.u8();
  if (contentType !== CONTENT_NON_FRAMED && contentType !== CONTENT_FRAMED) {
    throw invalid(`has the unknown content type ${contentType}`, contentOffset);
  }
  if (contentType === CONTENT_NON_FRAMED && suite.headerKey === "own") {
    throw invalid(
      `states a body that is not framed, which suite ${formatSuiteId(suite.id)} does not have`,
      contentOffset,
    );
  }
  if (version === 1) {
    if (reader.u32() !== 0) throw invalid("has reserved bytes that are not zero", contentOffset + 1);
    const ivLength = reader.u8();
    if (ivLength !== GCM_IV_BYTES) throw invalid(`states an IV length of ${ivLength}, not 12`, contentOffset + 5);
  }
  const frameLength = reader.u32();
  if ((contentType === CONTENT_FRAMED) !== frameLength > 0) {
    throw invalid(`states a frame length of ${frameLength} with content type ${contentType}`, contentOffset);
  }
  const commitment = suite.committing ? reader.bytes(COMMITMENT_BYTES) : undefined;
  const bodyLength = reader.offset;
  const sealLength = (version === 1 ? GCM_IV_BYTES : 0) + GCM_TAG_BYTES;
  if (reader.lacks(sealLength)) yield* reader.need(sealLength);
  const iv = version === 1 ? reader.bytes(GCM_IV_BYTES) : ZERO_IV;
  const tag = reader.bytes(GCM_TAG_BYTES);
  return {
    suite,
    messageId,
    context,
    encryptedDataKeys,
    frameLength,
    commitment,
    wrapping: reader.received(wrappingOffset, contentOffset),
    body: reader.received(0, bodyLength),
    iv,
    tag,
    length: reader.offset,
  };
}

function* parseEncryptedDataKeys(reader: HeaderReader, maximum: number): IncrementalParse<readonly EncryptedDataKey[]> {
  const countOffset = reader.offset;
  if (reader.lacks(2)) yield* reader.need(2);
  const count = reader.u16();
  if (count === 0) throw invalid("has no encrypted data key", countOffset);
  if (count > maximum) {
    throw limitError("number of encrypted data keys", maximum, count, "raise maxEncryptedDataKeys if this is expected");
  }
  const keys: EncryptedDataKey[] = [];
  for (let i = 0; i < count; i++) {
    const offset = reader.offset;
    const provider = reader.field() ?? (yield* field(reader));
    const providerInfo = reader.field() ?? (yield* field(reader));
    const ciphertext = reader.field() ?? (yield* field(reader));
    keys.push({ providerId: providerIdText(provider, offset), providerInfo, ciphertext });
  }
  return keys;
}

function* field(reader: HeaderReader): IncrementalParse<Uint8Array> {
  yield* reader.need(2);
  const length = reader.u16();
  yield* reader.need(length);
  return reader.bytes(length);
}

function providerIdText(bytes: Uint8Array, offset: number): string {
  try {
    return bytesToUtf8(bytes);
  } catch (cause) {
    throw new FengniError("ERR_MESSAGE_INVALID", "a key provider id of the message is not well-formed UTF-8", {
      cause,
      details: { offset },
    });
  }
}

/**
 * Reads fields from the bytes received so far; refuses a header over the limit. `need` waits for more: a generator costs more
 * than what it reads, so it is asked only when `lacks` says so, or `field` gives nothing.
 */
class HeaderReader {
  offset = 0;
  readonly #maximum: number;
  #buffer: Uint8Array = new Uint8Array(0);

  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  *need(count: number): IncrementalParse<void> {
    while (this.lacks(count)) this.#buffer = yield this.offset + count;
  }

  /** Whether some of the next bytes are still to come. @throws `ERR_LIMIT` */
  lacks(count: number): boolean {
    const end = this.offset + count;
    if (end > this.#maximum) {
      throw limitError("header length", this.#maximum, end, "raise maxHeaderLength if this is expected");
    }
    return this.#buffer.length < end;
  }

  /** A length and the bytes it states; undefined, and nothing read, while some are still to come. */
  field(): Uint8Array | undefined {
    if (this.lacks(2)) return undefined;
    const length = readU16(this.#buffer, this.offset);
    if (this.lacks(2 + length)) return undefined;
    this.offset += 2;
    return this.bytes(length);
  }

  u8(): number {
    return this.#buffer[this.offset++] as number;
  }

  u16(): number {
    return (this.u8() << 8) | this.u8();
  }

  u32(): number {
    return this.u16() * 0x10000 + this.u16();
  }

  /** A view, not a copy. */
  bytes(length: number): Uint8Array {
    const start = this.offset;
    this.offset += length;
    return this.#buffer.subarray(start, this.offset);
  }

  received(start: number, end: number): Uint8Array {
    return this.#buffer.subarray(start, end);
  }
}

function unknownVersion(first: number, second: number): FengniError<"ERR_MESSAGE_UNSUPPORTED"> {
  // A message in base64 begins with "AY" (version 1) or "Ag" (version 2).
  const isBase64 = first === 0x41 && (second === 0x59 || second === 0x67);
  return new FengniError(
    "ERR_MESSAGE_UNSUPPORTED",
    isBase64
      ? "this looks like a message in base64: decode it to bytes first"
      : `this is no message of version 1 or 2 (it begins with the byte ${first})`,
    isBase64 ? { details: { encoding: "base64" } } : {},
  );
}

function invalid(what: string, offset: number): FengniError<"ERR_MESSAGE_INVALID"> {
  return new FengniError("ERR_MESSAGE_INVALID", `the message header ${what}`, { details: { offset } });
}

/** What a version 2 header is made of. */
export interface HeaderFields {
  readonly suite: AlgorithmSuite;
  readonly messageId: Uint8Array;
  /** Serialised stored context; see `serializeContext`. */
  readonly context: Uint8Array;
  /** Serialised keys; see {@link serializeEncryptedDataKeys}. */
  readonly encryptedDataKeys: Uint8Array;
  readonly frameLength: number;
  readonly commitment: Uint8Array;
  /** Bytes of zeros to leave behind the tag, for what follows the header. */
  readonly room?: number;
}

/** Writes a version 2 header body with room for the tag behind it: the last 16 bytes, and those of `room`, are zero. */
export function serializeHeader(fields: HeaderFields): Uint8Array {
  const { suite, messageId, context, encryptedDataKeys, frameLength, commitment, room = 0 } = fields;
  const length = 3 + messageId.length + 2 + context.length + encryptedDataKeys.length + 5 + commitment.length;
  const bytes = new Uint8Array(length + GCM_TAG_BYTES + room);
  bytes[0] = suite.messageVersion;
  putU16(bytes, 1, suite.id);
  bytes.set(messageId, 3);
  let offset = 3 + messageId.length;
  putU16(bytes, offset, context.length);
  bytes.set(context, offset + 2);
  offset += 2 + context.length;
  bytes.set(encryptedDataKeys, offset);
  offset += encryptedDataKeys.length;
  bytes[offset] = CONTENT_FRAMED;
  putU32(bytes, offset + 1, frameLength);
  bytes.set(commitment, offset + 5);
  return bytes;
}

/**
 * Writes the count and the fields of encrypted data keys.
 * @throws `ERR_LIMIT` when a field or the count does not fit 16 bits; TypeError for no key at all
 */
export function serializeEncryptedDataKeys(keys: readonly EncryptedDataKey[]): Uint8Array {
  if (keys.length === 0) throw argumentError("a message needs at least one encrypted data key");
  if (keys.length > MAX_U16) throw limitError("number of encrypted data keys", MAX_U16, keys.length, "use fewer keys");
  const fields = keys.flatMap((key) => [utf8ToBytes(key.providerId), key.providerInfo, key.ciphertext]);
  let length = 2;
  for (const bytes of fields) {
    if (bytes.length > MAX_U16) throw limitError("encrypted data key field", MAX_U16, bytes.length, "shorten it");
    length += 2 + bytes.length;
  }
  const serialized = new Uint8Array(length);
  putU16(serialized, 0, keys.length);
  let offset = 2;
  for (const bytes of fields) {
    putU16(serialized, offset, bytes.length);
    serialized.set(bytes, offset + 2);
    offset += 2 + bytes.length;
  }
  return serialized;
}
