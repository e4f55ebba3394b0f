// Where the bytes of a stored message come from when not all of them are read: bytes, a Blob, or anything that answers for
// an offset and a length. Checks every answer; must know nothing of messages.
import { assertBytes } from "@fengni/crypto/bytes";
import { abortable } from "./abort.js";
import { argumentError, FengniError } from "./errors.js";
import { truncated } from "./message-header.js";
import { checkInteger } from "./options.js";
import type { CallOptions } from "./provider.js";

/** Stored bytes that are read in parts: a file, an object of a store, an HTTP resource that takes ranges. */
export interface RangeSource {
  /** Bytes in all. */
  readonly size: number;
  /**
   * Reads a part. Calls may overlap.
   * @param offset - of the first byte
   * @param length - in bytes, at least 1; the part lies within `size`
   * @returns exactly `length` bytes, which must not change afterwards
   */
  read(offset: number, length: number, options?: CallOptions): Promise<Uint8Array>;
}

/** A stored message. Bytes and Blobs must not change while they are read. */
export type MessageSource = Uint8Array | Blob | RangeSource;

/** Longest read of a source, unless one frame alone is longer, in bytes. */
export const MAX_READ_BYTES: number = 1024 * 1024;

/** A source whose answers are checked. What they say is not trusted either: it is authenticated by who asks. */
export class CheckedSource {
  /** Bytes in all, as the source said at first. */
  readonly size: number;
  readonly #source: RangeSource;

  /** @throws TypeError, RangeError (`ERR_ARGUMENT`) for what is no source */
  constructor(source: MessageSource) {
    this.#source = rangeSource(source);
    this.size = checkInteger("size of the source", this.#source.size, 0, Number.MAX_SAFE_INTEGER);
  }

  /**
   * Reads exactly this part.
   * @throws `ERR_MESSAGE_TRUNCATED` for an answer that is too short, or a part that is not there; `ERR_MESSAGE_INVALID` for
   *   one that is too long; `ERR_CONFLICT` when the source has another size than at first
   */
  async read(offset: number, length: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
    signal?.throwIfAborted();
    if (offset + length > this.size) throw truncated(this.size);
    if (length === 0) return new Uint8Array(0);
    const answer = await abortable(this.#source.read(offset, length, signal === undefined ? {} : { signal }), signal);
    assertBytes(answer, "answer of the source");
    if (this.#source.size !== this.size) {
      throw new FengniError("ERR_CONFLICT", "the source changed its size while it was read: read it anew", {
        details: { name: "source" },
      });
    }
    if (answer.length < length) throw truncated(offset + answer.length);
    if (answer.length > length) {
      throw new FengniError(
        "ERR_MESSAGE_INVALID",
        `the source answered ${answer.length} bytes where ${length} were asked for`,
        { details: { offset } },
      );
    }
    return answer;
  }
}

function rangeSource(source: MessageSource): RangeSource {
  if (typeof source !== "object" || source === null) throw wrongSource();
  if (source instanceof Uint8Array) {
    return { size: source.length, read: async (offset, length) => source.subarray(offset, offset + length) };
  }
  if (isBlob(source)) {
    return {
      size: source.size,
      read: async (offset, length) => new Uint8Array(await source.slice(offset, offset + length).arrayBuffer()),
    };
  }
  if (typeof source.read !== "function") throw wrongSource();
  return source;
}

/** By its methods: a Blob may be of another realm, or of a library. */
function isBlob(source: Blob | RangeSource): source is Blob {
  return "arrayBuffer" in source && typeof source.arrayBuffer === "function" && typeof source.slice === "function";
}

function wrongSource(): TypeError {
  return argumentError("source expected a Uint8Array, a Blob, or an object with size and read(offset, length)");
}
