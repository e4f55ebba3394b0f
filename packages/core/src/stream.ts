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

export function encryptorStream(encryptor: MessageEncryptor): ReadableWritablePair<Uint8Array, Uint8Array> {
  return new TransformStream<Uint8Array, Uint8Array>({
    transform: (chunk, controller) => enqueue(encryptor.updateNow(chunk), controller),
    flush: (controller) => enqueue(encryptor.finalNow(), controller),
  });
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
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>({
    transform: (chunk, controller) =>
      guarded(() => {
        const pieces = decryptor.updateNow(chunk);
        return andThen(pieces, (ready) => {
          tell();
          return enqueue(ready, controller);
        });
      }, reject),
    flush: () => guarded(() => decryptor.finalNow(), reject),
    cancel(reason: unknown) {
      decryptor.abort();
      reject(reason);
    },
  } as Transformer<Uint8Array, Uint8Array>);
  return { readable, writable, header };
}
