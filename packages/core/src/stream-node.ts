// The two engines as Node streams, for `pipeline`: a subpath of its own, so that browsers never see it.
import { Transform, type TransformCallback } from "node:stream";
import type { MessageDecryptor } from "./decryptor.js";
import type { Envelope } from "./envelope.js";
import type { DecryptStreamOptions, EncryptStreamOptions } from "./envelope-options.js";
import type { MessageHeader } from "./message-header.js";
import type { Awaitable } from "./pieces.js";

/** A decrypting Node stream. */
export interface DecryptTransform extends Transform {
  /** The header, once it is authenticated: at the latest before the first byte of plaintext. */
  readonly header: MessageHeader | undefined;
}

/**
 * A Node stream, for `pipeline`: plaintext in, message out.
 *
 * @example
 * ```ts
 * await pipeline(createReadStream("a.txt"), createEncryptStream(envelope), createWriteStream("a.fengni"));
 * ```
 */
export function createEncryptStream(envelope: Envelope, options: EncryptStreamOptions = {}): Transform {
  const encryptor = envelope.createEncryptor(options);
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
 */
export function createDecryptStream(envelope: Envelope, options: DecryptStreamOptions = {}): DecryptTransform {
  return new DecryptingTransform(envelope.createDecryptor(options));
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

/** Pushes what `work` gives, at once where it is there at once: a promise for each chunk would cost throughput. */
function deliver(stream: Transform, work: () => Awaitable<Uint8Array[]>, callback: TransformCallback): void {
  const push = (pieces: Uint8Array[]): void => {
    for (const piece of pieces) stream.push(piece);
    callback();
  };
  // Node takes a callback without an error for success.
  const fail = (reason: unknown): void =>
    callback(reason instanceof Error ? reason : new Error("failed for a reason that is no error", { cause: reason }));
  let pieces: Awaitable<Uint8Array[]>;
  try {
    pieces = work();
  } catch (error) {
    fail(error);
    return;
  }
  if (pieces instanceof Promise) pieces.then(push, fail);
  else push(pieces);
}
