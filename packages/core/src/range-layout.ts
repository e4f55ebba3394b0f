// Where the frames of a stored message lie: arithmetic on its size, its header and its frame length (message format, section
// "Body"). Nothing it says is authenticated; must read nothing and hold no key.
import { FengniError } from "./errors.js";
import { truncated } from "./message-header.js";
import type { SignatureAlgorithm } from "./suites.js";
import { FOOTER_HEAD_BYTES } from "./wire/footer.js";
import { FINAL_FRAME_HEAD_BYTES, FINAL_FRAME_MARK, REGULAR_FRAME_HEAD_BYTES } from "./wire/frame.js";
import { GCM_TAG_BYTES } from "./wire/header.js";

/** Where one frame lies. */
export interface FramePlace {
  readonly kind: "regular" | "final";
  /** From 1 on. */
  readonly sequence: number;
  /** Offset of its head in the message. */
  readonly offset: number;
  /** Bytes of its head. */
  readonly headBytes: number;
  /** Bytes of plaintext in it. */
  readonly length: number;
  /** Bytes of the whole frame. */
  readonly bytes: number;
}

/** Shortest and longest signature of an algorithm: DER of two integers, or the fixed length of ML-DSA-65 (FIPS 204). */
const SIGNATURE_BYTES: Readonly<Record<SignatureAlgorithm, readonly [shortest: number, longest: number]>> = {
  ECDSA_P256: [8, 72],
  ECDSA_P384: [8, 104],
  SM2: [8, 72],
  ML_DSA_65: [3309, 3309],
};

/** Most regular frames: the sequence number after theirs is the final frame's. */
const MAX_REGULAR_FRAMES: number = FINAL_FRAME_MARK - 1;

/** A body of regular frames and a final one. */
export class BodyLayout {
  readonly frameLength: number;
  /** Regular frames before the final one. */
  readonly regularFrames: number;
  /** Bytes of plaintext in the final frame. */
  readonly finalLength: number;
  readonly #bodyOffset: number;

  constructor(bodyOffset: number, frameLength: number, regularFrames: number, finalLength: number) {
    this.#bodyOffset = bodyOffset;
    this.frameLength = frameLength;
    this.regularFrames = regularFrames;
    this.finalLength = finalLength;
  }

  get plaintextLength(): number {
    return this.regularFrames * this.frameLength + this.finalLength;
  }

  /** The place of a frame. @param index - from 0 to `regularFrames`, which is the final one */
  frame(index: number): FramePlace {
    const isFinal = index === this.regularFrames;
    const headBytes = isFinal ? FINAL_FRAME_HEAD_BYTES : REGULAR_FRAME_HEAD_BYTES;
    const length = isFinal ? this.finalLength : this.frameLength;
    return {
      kind: isFinal ? "final" : "regular",
      sequence: index + 1,
      offset: this.#bodyOffset + index * regularFrameBytes(this.frameLength),
      headBytes,
      length,
      bytes: headBytes + length + GCM_TAG_BYTES,
    };
  }
}

/**
 * The one layout of a body without a footer. A regular frame is 32 bytes longer than its plaintext, the final one 40, so
 * that a full final frame and an empty one behind a full regular frame have different sizes: no size has two layouts.
 * @param bodyOffset - length of the header, in bytes
 * @param size - of the message, in bytes
 * @throws `ERR_MESSAGE_TRUNCATED` when no body has this size, `ERR_MESSAGE_INVALID` when it has more frames than can be
 */
export function layoutOf(bodyOffset: number, frameLength: number, size: number): BodyLayout {
  const rest = size - bodyOffset - FINAL_FRAME_HEAD_BYTES - GCM_TAG_BYTES;
  if (rest < 0) throw truncated(size);
  const regularFrames = Math.floor(rest / regularFrameBytes(frameLength));
  const finalLength = rest - regularFrames * regularFrameBytes(frameLength);
  if (finalLength > frameLength) throw truncated(size);
  if (regularFrames > MAX_REGULAR_FRAMES) throw tooManyFrames();
  return new BodyLayout(bodyOffset, frameLength, regularFrames, finalLength);
}

/**
 * How many regular frames may stand before the final one of a body with a footer, the fewest first: the length of a
 * signature varies, so the size alone does not say.
 * @throws `ERR_MESSAGE_TRUNCATED` when no body has this size, `ERR_MESSAGE_INVALID` when it has more frames than can be
 */
export function signedLayouts(
  bodyOffset: number,
  frameLength: number,
  size: number,
  signature: SignatureAlgorithm,
): readonly number[] {
  const [shortest, longest] = SIGNATURE_BYTES[signature];
  const rest = size - bodyOffset - FINAL_FRAME_HEAD_BYTES - GCM_TAG_BYTES - FOOTER_HEAD_BYTES;
  const frame = regularFrameBytes(frameLength);
  const most = Math.floor((rest - shortest) / frame);
  const least = Math.max(0, Math.ceil((rest - longest - frameLength) / frame));
  if (most > MAX_REGULAR_FRAMES) throw tooManyFrames();
  const counts: number[] = [];
  for (let count = least; count <= most; count++) counts.push(count);
  if (counts.length === 0) throw truncated(size);
  return counts;
}

/** Bytes of a whole regular frame. */
export function regularFrameBytes(frameLength: number): number {
  return REGULAR_FRAME_HEAD_BYTES + frameLength + GCM_TAG_BYTES;
}

function tooManyFrames(): FengniError<"ERR_MESSAGE_INVALID"> {
  return new FengniError("ERR_MESSAGE_INVALID", "the message is longer than its frame length allows");
}
