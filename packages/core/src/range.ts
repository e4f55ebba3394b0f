// Ranges of a stored message: the header is opened once, then only the frames that cover a range are read, each authenticated
// before anything of it is given out. Joins source, layout and frames; must know no bytes on the wire.
import { wipe } from "@fengni/crypto/bytes";
import { FengniError, limitError, rangeError } from "./errors.js";
import type { MessageHeader } from "./message-header.js";
import { contextExpectation, type HeaderOpener } from "./opening.js";
import { checkInteger, checkOptions } from "./options.js";
import type { CallOptions } from "./provider.js";
import { FrameOpener } from "./range-frames.js";
import { type BodyLayout, layoutOf, regularFrameBytes } from "./range-layout.js";
import { type CheckedRangeOptions, checkRangeOptions, type RangeOptions } from "./range-options.js";
import { locateSignedEnd } from "./range-signed.js";
import { CheckedSource, MAX_READ_BYTES, type MessageSource } from "./source.js";
import { type AuthenticHeader, authenticateHeader, readHeader } from "./source-header.js";
import { type Emit, watchMessage } from "./telemetry.js";
import type { ParsedHeader } from "./wire/header.js";

/** Most reads of a source at the same time, where each is at most {@link MAX_READ_BYTES}; of longer ones there is one. */
const CONCURRENT_READS = 4;

/** Reads ranges of one stored message. Safe for concurrent calls. */
export interface RangeReader {
  /** The authenticated header. */
  readonly header: MessageHeader;
  /** Bytes of plaintext in all; authenticated unless the reader was opened with `checkEnd: false`. */
  readonly plaintextLength: number;
  /**
   * Reads the plaintext from `start` to `end`, as `slice` would: past the end there is nothing. Every frame that the range
   * touches is read whole and authenticated before a byte of it is given out.
   * @param start - in bytes of plaintext
   * @param end - exclusive
   * @returns a buffer that the caller owns
   * @throws RangeError (`ERR_ARGUMENT`) for negative numbers or `start` after `end`, `ERR_LIMIT` over `maxRangeLength`,
   *   `ERR_MESSAGE_INVALID`, `ERR_MESSAGE_TRUNCATED`, `ERR_AUTHENTICATION`, `ERR_CONFLICT`, `ERR_CLOSED`, and what the
   *   source rejects with
   */
  read(start: number, end: number, options?: CallOptions): Promise<Uint8Array>;
  /** Drops the message's key; later reads reject with `ERR_CLOSED`. The source stays open: it is the caller's. */
  close(): void;
}

/** One range of a stored message. @throws as {@link openRange} and {@link RangeReader.read} */
export async function decryptRange(
  opener: HeaderOpener,
  source: MessageSource,
  start: number,
  end: number,
  options: RangeOptions,
  emit: Emit | undefined,
): Promise<Uint8Array> {
  const checked = checkRangeOptions("decryptRange", options);
  checkRange(start, end);
  const reader = await open(opener, source, checked, emit);
  try {
    return await reader.read(start, end, checked.signal === undefined ? {} : { signal: checked.signal });
  } finally {
    reader.close();
  }
}

/**
 * Opens the header of a stored message, and checks the end of the body unless told not to.
 * @throws as `Envelope.decrypt`; `ERR_MESSAGE_UNSUPPORTED` for a body that is not framed, or a signed message
 */
export async function openRange(
  opener: HeaderOpener,
  source: MessageSource,
  options: RangeOptions,
  emit: Emit | undefined,
): Promise<RangeReader> {
  return open(opener, source, checkRangeOptions("openRange", options), emit);
}

async function open(
  opener: HeaderOpener,
  source: MessageSource,
  options: CheckedRangeOptions,
  emit: Emit | undefined,
): Promise<FramedRangeReader> {
  const { signal } = options;
  const expectation = contextExpectation(options);
  const checked = new CheckedSource(source);
  const bytes = await readHeader(checked, opener.policy.limits, signal);
  const found = await authenticateHeader(bytes, opener, {
    signal,
    accept: (header) => acceptForRanges(header, options),
    open: (header) => opener.open(header, expectation, signal),
  });
  const { suite, frameLength, length } = found.parsed;
  const layout =
    suite.signature === undefined
      ? layoutOf(length, frameLength, checked.size)
      : await locateSignedEnd(checked, found.parsed, suite.signature, signal);
  const reader = new FramedRangeReader(checked, found, layout, options.maxRangeLength, emit);
  if (options.checkEnd) await reader.checkEnd(signal);
  return reader;
}

/** @throws `ERR_MESSAGE_UNSUPPORTED` */
function acceptForRanges({ suite, frameLength }: ParsedHeader, options: CheckedRangeOptions): void {
  if (frameLength === 0) {
    throw new FengniError(
      "ERR_MESSAGE_UNSUPPORTED",
      "the message's body is not framed: no part of it can be authenticated alone; decrypt it whole",
    );
  }
  if (suite.signature !== undefined && !options.allowUnverifiedSignature) {
    throw new FengniError(
      "ERR_MESSAGE_UNSUPPORTED",
      "the message is signed, and its signature cannot be verified from a part: decrypt it whole, or set " +
        "allowUnverifiedSignature",
    );
  }
}

/** @throws RangeError (`ERR_ARGUMENT`) */
function checkRange(start: number, end: number): void {
  checkInteger("start", start, 0, Number.MAX_SAFE_INTEGER);
  checkInteger("end", end, 0, Number.MAX_SAFE_INTEGER);
  if (start > end) throw rangeError(`start expected a number up to end, ${end}, got ${start}`);
}

/** How many frames the plaintext from `start` to `end` touches. */
function framesWithin(start: number, end: number, frameLength: number): number {
  return end <= start ? 0 : Math.floor((end - 1) / frameLength) - Math.floor(start / frameLength) + 1;
}

/** Neighbouring frames that one read brings, by index. */
interface Batch {
  readonly first: number;
  readonly last: number;
}

class FramedRangeReader implements RangeReader {
  readonly header: MessageHeader;
  readonly #source: CheckedSource;
  readonly #layout: BodyLayout;
  readonly #maxRangeLength: number;
  readonly #suiteId: number;
  readonly #emit: Emit | undefined;
  #frames: FrameOpener | undefined;

  constructor(
    source: CheckedSource,
    found: AuthenticHeader,
    layout: BodyLayout,
    maxRangeLength: number,
    emit: Emit | undefined,
  ) {
    this.header = found.header;
    this.#suiteId = found.parsed.suite.id;
    this.#emit = emit;
    this.#source = source;
    this.#layout = layout;
    this.#maxRangeLength = maxRangeLength;
    this.#frames = new FrameOpener(found.opened.cipher, found.parsed.messageId, layout.frameLength);
  }

  get plaintextLength(): number {
    return this.#layout.plaintextLength;
  }

  /** Authenticates the final frame, and with it where the body ends: its tag covers its kind, number and length. */
  async checkEnd(signal: AbortSignal | undefined): Promise<void> {
    const place = this.#layout.frame(this.#layout.regularFrames);
    const frames = this.#opener();
    wipe(await frames.open(place, await this.#source.read(place.offset, place.bytes, signal)));
  }

  async read(start: number, end: number, options: CallOptions = {}): Promise<Uint8Array> {
    checkOptions("read", options, ["signal"]);
    checkRange(start, end);
    const watch = watchMessage(this.#emit, "range", this.#suiteId);
    try {
      const range = await this.#read(start, end, options);
      if (watch !== undefined) {
        watch.plaintextBytes = range.length;
        watch.frames = framesWithin(start, start + range.length, this.#layout.frameLength);
        watch.ok();
      }
      return range;
    } catch (error) {
      watch?.failed(error, options.signal);
      throw error;
    }
  }

  async #read(start: number, end: number, options: CallOptions): Promise<Uint8Array> {
    const frames = this.#opener();
    options.signal?.throwIfAborted();
    const from = Math.min(start, this.plaintextLength);
    const to = Math.min(end, this.plaintextLength);
    if (to - from > this.#maxRangeLength) {
      throw limitError("range length", this.#maxRangeLength, to - from, "read it in parts, or raise maxRangeLength");
    }
    const range = new Uint8Array(to - from);
    if (range.length === 0) return range;
    const batches = this.#batches(from, to);
    const isLong = regularFrameBytes(this.#layout.frameLength) > MAX_READ_BYTES;
    let failure: { readonly reason: unknown } | undefined;
    const work = async (): Promise<void> => {
      for (const batch of batches) {
        try {
          await this.#readBatch(frames, batch, range, from, options.signal);
        } catch (reason) {
          failure ??= { reason };
        }
        if (failure !== undefined) return;
      }
    };
    // All of them have ended before the range is given out or wiped. They share one iterator, hence each takes other batches.
    await Promise.all(Array.from({ length: isLong ? 1 : CONCURRENT_READS }, work));
    try {
      if (failure !== undefined) throw failure.reason;
      // Closed meanwhile.
      this.#opener();
      return range;
    } catch (error) {
      wipe(range);
      throw error;
    }
  }

  close(): void {
    this.#frames = undefined;
  }

  /** Frames that cover the plaintext from `from` to `to`, cut into reads. */
  *#batches(from: number, to: number): Generator<Batch, void, undefined> {
    const { frameLength, regularFrames } = this.#layout;
    const perRead = Math.max(1, Math.floor(MAX_READ_BYTES / regularFrameBytes(frameLength)));
    // A full final frame is the last one, whatever the division says of its end.
    const last = Math.min(Math.floor((to - 1) / frameLength), regularFrames);
    for (let first = Math.floor(from / frameLength); first <= last; first += perRead) {
      yield { first, last: Math.min(first + perRead - 1, last) };
    }
  }

  async #readBatch(
    frames: FrameOpener,
    { first, last }: Batch,
    range: Uint8Array,
    from: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const layout = this.#layout;
    const { offset } = layout.frame(first);
    const end = layout.frame(last);
    const bytes = await this.#source.read(offset, end.offset + end.bytes - offset, signal);
    for (let index = first; index <= last; index++) {
      const place = layout.frame(index);
      const begin = place.offset - offset;
      const plaintext = await frames.open(place, bytes.subarray(begin, begin + place.bytes));
      // Where the frame's plaintext begins, counted from the range's start.
      const shift = index * layout.frameLength - from;
      const part = plaintext.subarray(Math.max(0, -shift), Math.min(place.length, range.length - shift));
      range.set(part, Math.max(0, shift));
      wipe(plaintext);
    }
  }

  #opener(): FrameOpener {
    if (this.#frames === undefined) throw new FengniError("ERR_CLOSED", "the reader of ranges is closed");
    return this.#frames;
  }
}
