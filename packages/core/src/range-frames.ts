// Opens single frames of a stored body, each against the place it was asked for (message format, section "Body"). Must know
// no header's checks and no source.
import type { AeadKey } from "@fengni/crypto/aes-gcm";
import { FengniError } from "./errors.js";
import type { Awaitable } from "./pieces.js";
import type { FramePlace } from "./range-layout.js";
import { BlockAad, type BlockHead, parseFrameHead } from "./wire/frame.js";

/** The frames of one body. */
export class FrameOpener {
  readonly #cipher: AeadKey;
  readonly #aad: BlockAad;
  readonly #frameLength: number;

  constructor(cipher: AeadKey, messageId: Uint8Array, frameLength: number) {
    this.#cipher = cipher;
    this.#aad = new BlockAad(messageId);
    this.#frameLength = frameLength;
  }

  /**
   * Opens the frame of this place.
   * @param bytes - the whole frame
   * @returns its plaintext, once its tag is verified for exactly this kind, sequence number and length
   * @throws `ERR_MESSAGE_INVALID` for a head of another place, `ERR_AUTHENTICATION`
   */
  open(place: FramePlace, bytes: Uint8Array): Awaitable<Uint8Array> {
    const { iv } = checkedHead(place, bytes, this.#frameLength);
    const content = place.headBytes + place.length;
    // A cipher may be asynchronous, and then other frames are opened meanwhile: the data must be this frame's own.
    const aad = this.#aad.of(place.kind, place.sequence, place.length).slice();
    return this.#cipher.open(iv, aad, bytes.subarray(place.headBytes, content), bytes.subarray(content));
  }
}

/** @throws `ERR_MESSAGE_INVALID` for the head of a frame that belongs elsewhere, or is of another kind or length */
function checkedHead({ kind, sequence, length, offset }: FramePlace, head: Uint8Array, frameLength: number): BlockHead {
  let cause: unknown;
  try {
    const block = parseFrameHead(head, sequence, frameLength);
    if (block.kind === kind && block.length === length) return block;
  } catch (error) {
    cause = error;
  }
  const what = kind === "final" ? "the final frame" : `frame ${sequence}`;
  throw new FengniError(
    "ERR_MESSAGE_INVALID",
    `${what} is not where the message's size puts it: the message was cut or extended, or its frames are out of order`,
    { cause, details: { offset } },
  );
}
