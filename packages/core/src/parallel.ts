// The line of one parallel stream: batches of frames that threads work on, and frames that this thread does meanwhile, given
// out in order. Must know neither streams nor the format: what differs between sealing and opening is a FrameWork.
import type { KeyObject } from "node:crypto";
import { authenticationError, FengniError } from "./errors.js";
import { checkInteger, checkOptions } from "./options.js";
import { type FramePool, type FrameReply, JOBS_PER_WORKER, type Slot } from "./parallel-pool.js";

/** How a stream uses more than one core. */
export interface ParallelOptions {
  /**
   * Threads beside the one that runs the stream, 0 to 64; default one for each further core, at most 4. They are shared by
   * all streams of the process.
   */
  readonly workers?: number;
}

const MOST_WORKERS = 64;
/** About how many bytes of input a batch holds: long enough that sending it costs little. */
const BATCH_BYTES: number = 2 * 1024 * 1024;
/** Most frames of a batch. */
const BATCH_FRAMES = 4096;
/** Longer frames are left to one thread: batches of them would take too much memory. */
export const LONGEST_PARALLEL_FRAME: number = 4 * 1024 * 1024;
/** Beside what threads work on, so many batches may wait until it is their turn to be released. */
const WAITING_BATCHES = 1;
/** How much this thread does before it looks whether threads have answered, in bytes. */
const TURN_BYTES: number = 512 * 1024;
/** How much of what this thread did meanwhile is given out together, in bytes. */
const OWN_ENTRY_BYTES: number = 512 * 1024;
/** Pieces that are shorter are joined, in bytes. */
const SHORT_PIECE = 1024;
/** How long a batch waits to be filled, in milliseconds: input may pause. */
const LINGER_MS = 10;

/** Checks the option `parallel`. Returns the number of threads; 0: the stream runs on one thread. */
export function parallelWorkers(parallel: boolean | ParallelOptions | undefined, cores: number): number {
  if (parallel === undefined || parallel === false) return 0;
  const byDefault = Math.min(Math.max(cores - 1, 0), 4);
  if (parallel === true) return byDefault;
  checkOptions("parallel", parallel, ["workers"]);
  return parallel.workers === undefined ? byDefault : checkInteger("workers", parallel.workers, 0, MOST_WORKERS);
}

/** What a line does with frames: seals them or opens them. */
export interface FrameWork {
  readonly kind: "seal" | "open";
  /** The message's key. */
  readonly key: KeyObject;
  /** Bytes of plaintext in a regular frame. */
  readonly frameLength: number;
  /** Bytes of a sealed regular frame. */
  readonly stride: number;
  /** Where the IV and the text are in a sealed frame. */
  readonly ivAt: number;
  readonly textAt: number;
  readonly aadLength: number;
  /** Whether this thread may only work once all that was before is released: a signature runs over what comes out. */
  readonly isSigned: boolean;
  /** Bytes of input that the frame lacks that is begun here: 0 where a batch may begin, infinite where none can any more. */
  readonly missing: number;
  /** How many bytes of a frame must be there to tell whether it is regular: 0 where the caller decides. */
  readonly markBytes: number;
  /** Whether a frame that begins so is no regular one. */
  isLast(mark: Uint8Array): boolean;
  /** Does the next bytes of input here. */
  here(input: Uint8Array): Uint8Array[];
  /** Claims the next frame, which is in `batch` at `offset`, for a thread. Returns its AAD, until the next call. */
  claim(batch: Uint8Array, offset: number): Uint8Array;
  /**
   * What a thread's answer gives out.
   * @param outputs - what the thread made of the texts
   * @param around - the heads and tags of sealed frames whose texts these are
   */
  pieces(outputs: readonly ArrayBuffer[], around: ArrayBuffer | undefined): Uint8Array[];
  /** Takes note of a piece that is released, where a thread did it. */
  releasing(piece: Uint8Array): void;
}

/** Frames on their way to a thread. */
class Batch {
  readonly buffer: ArrayBuffer;
  readonly bytes: Uint8Array;
  readonly #work: FrameWork;
  readonly #capacity: number;
  readonly aadAt: number;
  frames = 0;
  /** Bytes of input in the frame that is not full yet. */
  #filled = 0;

  /** @param buffer - of an earlier batch of the same work */
  constructor(work: FrameWork, buffer: ArrayBuffer | undefined) {
    this.#work = work;
    this.#capacity = Math.min(Math.max(Math.floor(BATCH_BYTES / work.frameLength), 1), BATCH_FRAMES);
    this.aadAt = this.#capacity * work.stride;
    this.buffer = buffer ?? new ArrayBuffer(this.aadAt + this.#capacity * work.aadLength);
    this.bytes = new Uint8Array(this.buffer);
  }

  get isFull(): boolean {
    return this.frames === this.#capacity;
  }

  /** Bytes of input that a whole frame has, and where they begin in it. */
  get #input(): { readonly at: number; readonly length: number } {
    const { kind, textAt, frameLength, stride } = this.#work;
    return kind === "seal" ? { at: textAt, length: frameLength } : { at: 0, length: stride };
  }

  /** Input of the frame that is not full. */
  get rest(): Uint8Array {
    const start = this.frames * this.#work.stride + this.#input.at;
    return this.bytes.subarray(start, start + this.#filled);
  }

  /** Copies input; returns how much it took: less than there is when the batch is full or the last frame has begun. */
  fill(input: Uint8Array): { readonly taken: number; readonly isLast: boolean } {
    const { stride, markBytes } = this.#work;
    const { at, length } = this.#input;
    let taken = 0;
    while (taken < input.length && !this.isFull) {
      const frame = this.frames * stride;
      const until = this.#filled < markBytes ? markBytes : length;
      const part = input.subarray(taken, taken + until - this.#filled);
      this.bytes.set(part, frame + at + this.#filled);
      taken += part.length;
      this.#filled += part.length;
      if (this.#filled === markBytes && markBytes > 0 && this.#work.isLast(this.rest)) return { taken, isLast: true };
      if (this.#filled === length) {
        this.bytes.set(this.#work.claim(this.bytes, frame), this.aadAt + this.frames * this.#work.aadLength);
        this.frames += 1;
        this.#filled = 0;
      }
    }
    return { taken, isLast: false };
  }
}

/**
 * Joins neighbours that are short, all of them in one buffer: each push costs as much as copying some KiB, and a buffer of its
 * own for each head and tag more than that. The pieces that are joined are wiped.
 */
function joined(pieces: readonly Uint8Array[]): readonly Uint8Array[] {
  let length = 0;
  for (const piece of pieces) if (piece.length < SHORT_PIECE) length += piece.length;
  if (length === 0) return pieces;
  const small = Buffer.allocUnsafeSlow(length);
  const result: Uint8Array[] = [];
  let from = 0;
  let to = 0;
  const flush = (): void => {
    if (to > from) result.push(small.subarray(from, to));
    from = to;
  };
  for (const piece of pieces) {
    if (piece.length < SHORT_PIECE) {
      small.set(piece, to);
      piece.fill(0);
      to += piece.length;
    } else {
      flush();
      result.push(piece);
    }
  }
  flush();
  return result;
}

/** A place in the order of what comes out. */
interface Entry {
  /** Absent until a thread has answered. */
  pieces: Uint8Array[] | undefined;
  /** What it holds of memory, in bytes. */
  size: number;
  readonly isOwn: boolean;
}

/** What a line tells the stream that owns it. */
interface LineEvents {
  /** The first entry may be there. */
  readonly onProgress: () => void;
  readonly onFailure: (error: unknown) => void;
}

/** The frames of one stream, in order. Memory is bounded: `take` stops when too much is on its way. */
export class FrameLine {
  readonly #work: FrameWork;
  readonly #pool: FramePool;
  readonly #workers: number;
  readonly #events: LineEvents;
  readonly #limit: number;
  #entries: Entry[] = [];
  #held = 0;
  #batch: Batch | undefined;
  /** Buffers of batches that came back: fresh memory costs as much as the cipher. */
  readonly #free: ArrayBuffer[] = [];
  #slot: Slot | undefined;
  #linger: NodeJS.Timeout | undefined;
  #sinceTurn = 0;
  #isLast = false;
  #isEnded = false;

  constructor(work: FrameWork, pool: FramePool, workers: number, events: LineEvents) {
    this.#work = work;
    this.#pool = pool;
    this.#workers = workers;
    this.#events = events;
    this.#limit = (workers * JOBS_PER_WORKER + WAITING_BATCHES) * Math.max(BATCH_BYTES, work.stride);
    pool.start(workers);
  }

  /** Whether all that was taken is given out, but for the frame that is not full. */
  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /** Bytes on their way, for tests: never more than a batch above {@link limit}. */
  get held(): number {
    return this.#held;
  }

  get limit(): number {
    return this.#limit;
  }

  /** Whether so much was done that threads should be heard: the event loop must turn, and then `turned` be called. */
  get needsTurn(): boolean {
    return this.#sinceTurn >= TURN_BYTES;
  }

  turned(): void {
    this.#sinceTurn = 0;
  }

  /** Takes input from `offset` on; returns where it stopped. It may stop anywhere: go on after `next`, or after a turn. */
  take(input: Uint8Array, offset: number): number {
    let at = offset;
    while (at < input.length && this.#held < this.#limit && !this.needsTurn) {
      const taken = this.#step(input.subarray(at));
      if (taken === 0) break;
      at += taken;
      this.#sinceTurn += taken;
    }
    return at;
  }

  /** Sends off the batch that is being filled; what is left of it is less than a frame. */
  cut(): void {
    const batch = this.#batch;
    const slot = this.#slot;
    if (batch === undefined || slot === undefined) return;
    clearTimeout(this.#linger);
    this.#batch = undefined;
    this.#slot = undefined;
    const rest = batch.rest.slice();
    batch.rest.fill(0);
    if (batch.frames > 0) this.#send(batch, slot);
    else slot.release();
    this.#here(rest);
    rest.fill(0);
  }

  /** Gives out the first entry, if it is there. */
  next(): readonly Uint8Array[] | undefined {
    const pieces = this.#entries[0]?.pieces;
    if (pieces === undefined) return undefined;
    const entry = this.#entries.shift() as Entry;
    this.#held -= entry.size;
    if (entry.isOwn) return joined(pieces);
    for (const piece of pieces) this.#work.releasing(piece);
    return pieces;
  }

  /** Gives up: wipes what is held, now and when threads answer. */
  abort(): void {
    this.#isEnded = true;
    clearTimeout(this.#linger);
    this.#slot?.release();
    this.#slot = undefined;
    this.#batch?.bytes.fill(0);
    this.#batch = undefined;
    for (const { pieces } of this.#entries) for (const piece of pieces ?? []) piece.fill(0);
    this.#entries = [];
    this.#held = 0;
  }

  #step(input: Uint8Array): number {
    if (this.#batch !== undefined) return this.#fill(this.#batch, input);
    const { missing, isSigned } = this.#work;
    if (missing === 0 && !this.#isLast) {
      this.#slot = this.#pool.reserve(this.#workers);
      if (this.#slot !== undefined) {
        const batch = new Batch(this.#work, this.#free.pop());
        this.#batch = batch;
        this.#linger = setTimeout(() => this.#onLinger(), LINGER_MS).unref();
        return this.#fill(batch, input);
      }
    }
    if (isSigned && !this.isEmpty) return 0;
    return this.#here(input.subarray(0, missing === 0 || this.#isLast ? TURN_BYTES : Math.min(missing, TURN_BYTES)));
  }

  #fill(batch: Batch, input: Uint8Array): number {
    const { taken, isLast } = batch.fill(input);
    this.#isLast ||= isLast;
    if (isLast || batch.isFull) this.cut();
    return taken;
  }

  #onLinger(): void {
    try {
      this.cut();
    } catch (error) {
      this.#events.onFailure(error);
      return;
    }
    this.#events.onProgress();
  }

  #here(input: Uint8Array): number {
    if (input.length === 0) return 0;
    const pieces = this.#work.here(input);
    const last = this.#entries.at(-1);
    if (last?.isOwn === true && last.pieces !== undefined && last.size < OWN_ENTRY_BYTES) {
      // Together, so that the tag of one frame and the head of the next are one piece.
      for (const piece of pieces) last.pieces.push(piece);
      last.size += input.length;
      this.#held += input.length;
    } else if (pieces.length > 0) {
      this.#enter({ pieces, size: input.length, isOwn: true });
    }
    return input.length;
  }

  #enter(entry: Entry): void {
    this.#entries.push(entry);
    this.#held += entry.size;
  }

  #send(batch: Batch, slot: Slot): void {
    const { kind, key, frameLength, stride, ivAt, textAt, aadLength } = this.#work;
    const { buffer, frames, aadAt } = batch;
    const entry: Entry = { pieces: undefined, size: buffer.byteLength, isOwn: false };
    this.#enter(entry);
    const job = { kind, key, buffer, frames, frameLength, stride, ivAt, textAt, aadAt, aadLength };
    slot.run(job, (outcome) => this.#answered(entry, outcome));
  }

  #answered(entry: Entry, outcome: FrameReply | FengniError): void {
    if (outcome instanceof FengniError) {
      if (!this.#isEnded) this.#events.onFailure(outcome);
      return;
    }
    const { buffer, outputs, around } = outcome;
    if (this.#isEnded) {
      for (const output of outputs ?? []) Buffer.from(output).fill(0);
    } else if (outputs === undefined) {
      this.#events.onFailure(authenticationError());
    } else {
      entry.pieces = this.#work.pieces(outputs, around);
      this.#free.push(buffer);
      this.#events.onProgress();
    }
  }
}
