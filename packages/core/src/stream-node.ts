// The two engines as Node streams, for `pipeline`: a subpath of its own, so that browsers never see it.
import { availableParallelism } from "node:os";
import { Transform, type TransformCallback } from "node:stream";
import type { MessageDecryptor } from "./decryptor.js";
import type { Envelope } from "./envelope.js";
import {
  checkEnvelope,
  DECRYPT_STREAM_FIELDS,
  type DecryptStreamOptions,
  ENCRYPT_STREAM_FIELDS,
  type EncryptStreamOptions,
} from "./envelope-options.js";
import type { MessageHeader } from "./message-header.js";
import { checkOptions } from "./options.js";
import { type ParallelOptions, parallelWorkers } from "./parallel.js";
import { deliver, ParallelTransform } from "./parallel-stream.js";
import { openingEngine, sealingEngine } from "./parallel-work.js";

export { type FileSource, fileSource } from "./file-node.js";
export type { ParallelOptions } from "./parallel.js";
export { type RewrapFileOptions, type RewrappedFile, rewrapFile } from "./rewrap-file-node.js";

/**
 * How a Node stream runs. With `parallel`, threads seal and open frames of long messages beside the one that runs the stream:
 * the message is the same, and read by everyone. Absent or false: one thread.
 *
 * Measure before you turn it on: on two cores with AES instructions it did not pay (docs/performance.md).
 *
 * Threads begin once 1 MiB has come, and short messages start none. They are shared by all streams of the process, keep it
 * from exiting only while they work, and end after half a minute without work. From then on output comes a little later than
 * on one thread, and memory is held for it: about 12 MiB with one thread beside, 8 MiB more with each further.
 * Suites with SM4, frames of more than 4 MiB and bodies that are not framed stay on one thread. So does everything where no
 * thread can be started (a bundle without `frame-worker.mjs`, a process that may start none), with a warning of the process
 * (`FENGNI_ONE_THREAD`). A thread that dies while it works fails the stream with `ERR_UNAVAILABLE`.
 */
export interface StreamThreads {
  readonly parallel?: boolean | ParallelOptions;
}

/** A decrypting Node stream. */
export interface DecryptTransform extends Transform {
  /** The header, once it is authenticated: at the latest before the first byte of plaintext. */
  readonly header: MessageHeader | undefined;
}

/**
 * A Node stream, for `pipeline`: plaintext in, message out.
 * @throws as `Envelope.createEncryptor`; TypeError, RangeError (`ERR_ARGUMENT`) for `parallel`, and what is no envelope
 *
 * @example
 * ```ts
 * await pipeline(createReadStream("a.txt"), createEncryptStream(envelope), createWriteStream("a.fengni"));
 * ```
 */
export function createEncryptStream(envelope: Envelope, options: EncryptStreamOptions & StreamThreads = {}): Transform {
  checkEnvelope("createEncryptStream", envelope, "createEncryptor");
  checkOptions("createEncryptStream", options, [...ENCRYPT_STREAM_FIELDS, "parallel"]);
  const { parallel, ...rest } = options;
  const workers = parallelWorkers(parallel, availableParallelism());
  const encryptor = envelope.createEncryptor(rest);
  if (workers > 0) return new ParallelTransform(sealingEngine(encryptor), workers);
  return new Transform({
    transform(chunk: Uint8Array, _encoding, callback) {
      deliver(this, () => encryptor.updateNow(chunk), callback);
    },
    flush(callback) {
      deliver(this, () => encryptor.finalNow(), callback);
    },
    destroy(error, callback) {
      encryptor.abort();
      callback(error);
    },
  });
}

/**
 * A Node stream, for `pipeline`: message in, plaintext out, each frame once it is authenticated. When the pipeline fails,
 * discard what came out: only one that ends well was a whole message.
 * @throws as `Envelope.createDecryptor`; TypeError, RangeError (`ERR_ARGUMENT`) for `parallel`, and what is no envelope
 */
export function createDecryptStream(
  envelope: Envelope,
  options: DecryptStreamOptions & StreamThreads = {},
): DecryptTransform {
  checkEnvelope("createDecryptStream", envelope, "createDecryptor");
  checkOptions("createDecryptStream", options, [...DECRYPT_STREAM_FIELDS, "parallel"]);
  const { parallel, ...rest } = options;
  const workers = parallelWorkers(parallel, availableParallelism());
  const decryptor = envelope.createDecryptor(rest);
  return workers > 0 ? new ParallelDecryptingTransform(decryptor, workers) : new DecryptingTransform(decryptor);
}

class ParallelDecryptingTransform extends ParallelTransform implements DecryptTransform {
  readonly #decryptor: MessageDecryptor;

  constructor(decryptor: MessageDecryptor, workers: number) {
    super(openingEngine(decryptor), workers);
    this.#decryptor = decryptor;
  }

  get header(): MessageHeader | undefined {
    return this.#decryptor.header;
  }
}

class DecryptingTransform extends Transform implements DecryptTransform {
  readonly #decryptor: MessageDecryptor;

  constructor(decryptor: MessageDecryptor) {
    super();
    this.#decryptor = decryptor;
  }

  get header(): MessageHeader | undefined {
    return this.#decryptor.header;
  }

  override _transform(chunk: Uint8Array, _encoding: string, callback: TransformCallback): void {
    deliver(this, () => this.#decryptor.updateNow(chunk), callback);
  }

  override _flush(callback: TransformCallback): void {
    const end = (): Uint8Array[] => {
      this.#decryptor.finalNow();
      return [];
    };
    deliver(this, end, callback);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#decryptor.abort();
    callback(error);
  }
}
