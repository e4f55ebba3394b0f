// A Node stream that shares its frames with threads: one thread's engine until enough has come, then a line. Must know
// nothing of frames or keys.
import { Transform, type TransformCallback } from "node:stream";
import { FrameLine } from "./parallel.js";
import { type FramePool, framePool } from "./parallel-pool.js";
import type { ParallelEngine } from "./parallel-work.js";
import type { Awaitable } from "./pieces.js";

/** How much comes in before threads are asked for, in bytes: starting one takes as long as sealing tens of MiB. */
const START_BYTES: number = 1024 * 1024;

/** What may still be done for the chunk at hand. */
interface Pending {
  readonly chunk: Uint8Array;
  offset: number;
  readonly callback: TransformCallback;
}

/** Node takes a callback without an error for success. */
function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error("failed for a reason that is no error", { cause: reason });
}

/** Pushes what `work` gives, at once where it is there at once: a promise for each chunk would cost throughput. */
export function deliver(
  stream: Transform,
  work: () => Awaitable<readonly Uint8Array[]>,
  callback: TransformCallback,
): void {
  const push = (pieces: readonly Uint8Array[]): void => {
    for (const piece of pieces) stream.push(piece);
    callback();
  };
  const fail = (reason: unknown): void => callback(asError(reason));
  let pieces: Awaitable<readonly Uint8Array[]>;
  try {
    pieces = work();
  } catch (error) {
    fail(error);
    return;
  }
  if (pieces instanceof Promise) pieces.then(push, fail);
  else push(pieces);
}

/** A Transform over a {@link ParallelEngine}. */
export class ParallelTransform extends Transform {
  readonly #engine: ParallelEngine;
  readonly #workers: number;
  readonly #pool: FramePool;
  /** Bytes that came while one thread did all. */
  #received = 0;
  /** Absent until enough has come; null: threads cannot do this message. */
  #line: FrameLine | null | undefined;
  #pending: Pending | undefined;
  #flush: TransformCallback | undefined;
  #turn: NodeJS.Immediate | undefined;
  #isAdvancing = false;
  /** `_read` was called: it is not called again before something is pushed, however empty the reader's buffer becomes. */
  #isWanted = false;

  constructor(engine: ParallelEngine, workers: number, pool: FramePool = framePool) {
    super();
    this.#engine = engine;
    this.#workers = workers;
    this.#pool = pool;
  }

  /** Bytes on their way, and their bound; undefined while one thread does all. For tests. */
  get load(): { readonly held: number; readonly limit: number } | undefined {
    return this.#line ?? undefined;
  }

  override _transform(chunk: Uint8Array, _encoding: string, callback: TransformCallback): void {
    if (this.#line === null) deliver(this, () => this.#engine.update(chunk), callback);
    else if (this.#line === undefined) this.#begin(chunk, callback);
    else this.#hold({ chunk, offset: 0, callback });
  }

  override _flush(callback: TransformCallback): void {
    const line = this.#line;
    if (line === undefined || line === null) {
      deliver(this, () => this.#engine.final(), callback);
      return;
    }
    this.#flush = callback;
    this.#try(() => {
      line.cut();
      this.#advance(line);
    });
  }

  override _read(size: number): void {
    this.#isWanted = true;
    this.#progress();
    super._read(size);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    clearImmediate(this.#turn);
    this.#pending = undefined;
    this.#flush = undefined;
    this.#line?.abort();
    this.#engine.abort();
    callback(error);
  }

  /** One thread does the beginning of the message; the chunk with which it ends may go on behind it. */
  #begin(chunk: Uint8Array, callback: TransformCallback): void {
    const start = chunk.subarray(0, START_BYTES - this.#received);
    deliver(
      this,
      () => this.#engine.update(start),
      (error) => {
        if (error) {
          callback(error);
          return;
        }
        this.#received += start.length;
        if (this.#received < START_BYTES || this.destroyed) {
          callback();
          return;
        }
        const work = this.#engine.work();
        this.#line =
          work === undefined
            ? null
            : new FrameLine(work, this.#pool, this.#workers, {
                onProgress: () => this.#progress(),
                onFailure: (reason) => this.#fail(reason),
              });
        if (start.length === chunk.length) callback();
        else this._transform(chunk.subarray(start.length), "buffer", callback);
      },
    );
  }

  #hold(pending: Pending): void {
    this.#pending = pending;
    this.#progress();
  }

  #progress(): void {
    const line = this.#line;
    if (line) this.#try(() => this.#advance(line));
  }

  #try(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(reason: unknown): void {
    const callback = this.#pending?.callback ?? this.#flush;
    this.#pending = undefined;
    this.#flush = undefined;
    this.#line?.abort();
    if (callback === undefined) this.destroy(asError(reason));
    else callback(asError(reason));
  }

  /** Gives out what is there and wanted, and takes what there is room for. */
  #advance(line: FrameLine): void {
    // Pushing may call `_read`, and from there this: the pieces of one entry must not be pushed amid another's.
    if (this.#isAdvancing) return;
    this.#isAdvancing = true;
    try {
      while (this.#step(line));
    } finally {
      this.#isAdvancing = false;
    }
    const pending = this.#pending;
    if (pending !== undefined && pending.offset === pending.chunk.length && this.#turn === undefined) {
      this.#pending = undefined;
      pending.callback();
    } else if (this.#flush !== undefined && line.isEmpty) {
      const callback = this.#flush;
      this.#flush = undefined;
      deliver(this, () => this.#engine.final(), callback);
    }
  }

  /** Returns whether to go on: if not, a turn of the event loop, a thread's answer or the reader's wish is waited for. */
  #step(line: FrameLine): boolean {
    this.#release(line);
    const pending = this.#pending;
    if (pending === undefined || this.#turn !== undefined) return false;
    const before = pending.offset;
    pending.offset = line.take(pending.chunk, before);
    if (line.needsTurn) {
      this.#turn = setImmediate(() => {
        this.#turn = undefined;
        line.turned();
        this.#progress();
      });
    }
    return pending.offset > before;
  }

  #release(line: FrameLine): void {
    while (this.#isWanted || this.readableLength < this.readableHighWaterMark) {
      const pieces = line.next();
      if (pieces === undefined) return;
      this.#isWanted = false;
      for (const piece of pieces) this.push(piece);
    }
  }
}
