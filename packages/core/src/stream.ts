// The two engines as Web Streams. Backpressure is that of the TransformStream; nothing is buffered beside it.
import type { MessageDecryptor } from "./decryptor.js";
import type { MessageEncryptor } from "./encryptor.js";
import type { MessageHeader } from "./message-header.js";
import { type Awaitable, andThen, guarded } from "./pieces.js";

/** A decrypting pair of Web Streams. */
export interface DecryptStream extends ReadableWritablePair<Uint8Array, Uint8Array> {
  /** Settles with the header once it is authenticated, or rejects with the error that the stream fails with. */
  readonly header: Promise<MessageHeader>;
}

/** `cancel` is in the Streams standard, and not yet in every runtime or in TypeScript's types. */
interface CancellableTransformer extends Transformer<Uint8Array, Uint8Array> {
  cancel(reason: unknown): void;
}

export function encryptorStream(encryptor: MessageEncryptor): ReadableWritablePair<Uint8Array, Uint8Array> {
  const transformer: CancellableTransformer = {
    transform: (chunk, controller) => enqueue(encryptor.updateNow(chunk), controller),
    flush: (controller) => enqueue(encryptor.finalNow(), controller),
    cancel: () => encryptor.abort(),
  };
  return new TransformStream(transformer);
}

function enqueue(
  pieces: Awaitable<Uint8Array[]>,
  controller: TransformStreamDefaultController<Uint8Array>,
): void | Promise<void> {
  return andThen(pieces, (ready) => {
    for (const piece of ready) controller.enqueue(piece);
  });
}

export function decryptorStream(decryptor: MessageDecryptor): DecryptStream {
  let resolve: (header: MessageHeader) => void;
  let reject: (error: unknown) => void;
  const header = new Promise<MessageHeader>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  // Who does not ask for the header still hears of the failure, from the stream.
  header.catch(() => {});
  let isKnown = false;
  const tell = (): void => {
    if (isKnown || decryptor.header === undefined) return;
    isKnown = true;
    resolve(decryptor.header);
  };
  const transformer: CancellableTransformer = {
    transform: (chunk, controller) =>
      guarded(() => {
        const pieces = decryptor.updateNow(chunk);
        return andThen(pieces, (ready) => {
          tell();
          return enqueue(ready, controller);
        });
      }, reject),
    flush: () => guarded(() => decryptor.finalNow(), reject),
    cancel(reason) {
      decryptor.abort();
      reject(reason);
    },
  };
  const { readable, writable } = new TransformStream(transformer);
  return { readable, writable, header };
}
