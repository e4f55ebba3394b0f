// What parallel streams do with frames: the sealing of one message and the opening of one, on threads and here, as the two
// engines of one thread do it. Must know nothing of threads, nor of the order in which they answer.
import { KeyObject } from "node:crypto";
import type { BodyReader } from "./body-reader.js";
import type { MessageDecryptor } from "./decryptor.js";
import type { MessageEncryptor } from "./encryptor.js";
import { type FrameWork, LONGEST_PARALLEL_FRAME } from "./parallel.js";
import type { Awaitable } from "./pieces.js";
import type { SealedMessage } from "./sealed-message.js";
import { FINAL_FRAME_MARK, REGULAR_FRAME_HEAD_BYTES } from "./wire/frame.js";
import { GCM_IV_BYTES, GCM_TAG_BYTES } from "./wire/header.js";
import { readU32 } from "./wire/integers.js";

/** What a parallel stream runs: an engine of one thread, and the work that it may share. */
export interface ParallelEngine {
  /** Bytes of input in, pieces of output out. */
  update(chunk: Uint8Array): Awaitable<Uint8Array[]>;
  final(): Awaitable<Uint8Array[]>;
  abort(): void;
  /** The work that threads may do, once the message is begun; undefined where they cannot. */
  work(): FrameWork | undefined;
}

export function sealingEngine(encryptor: MessageEncryptor): ParallelEngine {
  return {
    update: (chunk) => encryptor.updateNow(chunk),
    final: () => encryptor.finalNow(),
    abort: () => encryptor.abort(),
    work() {
      const { message } = encryptor;
      const layout = message && layoutOf(message);
      return layout && new SealingWork(encryptor, message, layout);
    },
  };
}

export function openingEngine(decryptor: MessageDecryptor): ParallelEngine {
  return {
    update: (chunk) => decryptor.updateNow(chunk),
    final() {
      decryptor.finalNow();
      return [];
    },
    abort: () => decryptor.abort(),
    work() {
      const { body } = decryptor;
      const layout = body && layoutOf(body);
      return layout && new OpeningWork(decryptor, body, layout);
    },
  };
}

/** Where things are in a regular frame (message format, section "Framed body"). */
type Layout = Pick<FrameWork, "key" | "frameLength" | "stride" | "ivAt" | "textAt" | "aadLength">;

/** The layout of a body's regular frames; undefined where threads cannot work on them. */
function layoutOf(body: Pick<SealedMessage | BodyReader, "cipher" | "frameLength" | "aadLength">): Layout | undefined {
  const { frameLength, aadLength } = body;
  const key = body.cipher.threadKey;
  if (!(key instanceof KeyObject) || frameLength === 0 || frameLength > LONGEST_PARALLEL_FRAME) return undefined;
  return {
    key,
    frameLength,
    stride: REGULAR_FRAME_HEAD_BYTES + frameLength + GCM_TAG_BYTES,
    ivAt: REGULAR_FRAME_HEAD_BYTES - GCM_IV_BYTES,
    textAt: REGULAR_FRAME_HEAD_BYTES,
    aadLength,
  };
}

/** What both directions have of their layout. */
abstract class LaidOut {
  readonly key: KeyObject;
  readonly frameLength: number;
  readonly stride: number;
  readonly ivAt: number;
  readonly textAt: number;
  readonly aadLength: number;

  constructor(layout: Layout) {
    this.key = layout.key;
    this.frameLength = layout.frameLength;
    this.stride = layout.stride;
    this.ivAt = layout.ivAt;
    this.textAt = layout.textAt;
    this.aadLength = layout.aadLength;
  }
}

class SealingWork extends LaidOut implements FrameWork {
  readonly kind = "seal";
  readonly markBytes = 0;
  readonly isSigned: boolean;
  readonly #encryptor: MessageEncryptor;
  readonly #message: SealedMessage;

  constructor(encryptor: MessageEncryptor, message: SealedMessage, layout: Layout) {
    super(layout);
    this.#encryptor = encryptor;
    this.#message = message;
    this.isSigned = message.isSigned;
  }

  get missing(): number {
    const { partialLength } = this.#encryptor;
    return partialLength === 0 ? 0 : this.frameLength - partialLength;
  }

  isLast(): boolean {
    return false;
  }

  here(input: Uint8Array): Uint8Array[] {
    return atOnce(this.#encryptor.updateNow(input));
  }

  claim(batch: Uint8Array, offset: number): Uint8Array {
    return this.#encryptor.claim(this.#message, batch, offset);
  }

  pieces(outputs: readonly ArrayBuffer[], around: ArrayBuffer | undefined): Uint8Array[] {
    if (around === undefined) return outputs.map((output) => Buffer.from(output));
    const pieces: Uint8Array[] = [];
    // Between two ciphertexts stand the tag of one frame and the head of the next: one piece.
    const ends = Buffer.from(around);
    let from = 0;
    let to = this.textAt;
    for (const output of outputs) {
      pieces.push(ends.subarray(from, to), Buffer.from(output));
      from = to;
      to += this.stride - this.frameLength;
    }
    pieces.push(ends.subarray(from));
    return pieces;
  }

  releasing(piece: Uint8Array): void {
    this.#message.sign(piece);
  }
}

class OpeningWork extends LaidOut implements FrameWork {
  readonly kind = "open";
  readonly markBytes = 4;
  /** The signature runs over what comes in: {@link claim} sees it in order. */
  readonly isSigned = false;
  readonly #decryptor: MessageDecryptor;
  readonly #body: BodyReader;

  constructor(decryptor: MessageDecryptor, body: BodyReader, layout: Layout) {
    super(layout);
    this.#decryptor = decryptor;
    this.#body = body;
  }

  get missing(): number {
    return this.#body.missing;
  }

  isLast(mark: Uint8Array): boolean {
    return readU32(mark, 0) === FINAL_FRAME_MARK;
  }

  here(input: Uint8Array): Uint8Array[] {
    return atOnce(this.#decryptor.updateNow(input));
  }

  claim(batch: Uint8Array, offset: number): Uint8Array {
    return this.#decryptor.claim(this.#body, batch.subarray(offset, offset + this.stride));
  }

  pieces(outputs: readonly ArrayBuffer[]): Uint8Array[] {
    return outputs.map((output) => Buffer.from(output));
  }

  releasing(): void {}
}

/** Ciphers whose keys threads can take answer at once. */
function atOnce(pieces: Awaitable<Uint8Array[]>): Uint8Array[] {
  if (pieces instanceof Promise) throw new Error("a key of node:crypto answered later");
  return pieces;
}
