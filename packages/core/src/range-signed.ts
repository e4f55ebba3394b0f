// Finds the final frame of a stored, signed message, behind which a footer of no fixed length stands: by the frame's head and
// the footer's length, which must agree with the size. Nothing it says is authenticated; must hold no key.
import { FengniError } from "./errors.js";
import { truncated } from "./message-header.js";
import { BodyLayout, signedLayouts } from "./range-layout.js";
import type { CheckedSource } from "./source.js";
import type { SignatureAlgorithm } from "./suites.js";
import { FOOTER_HEAD_BYTES, footerSignatureLength } from "./wire/footer.js";
import { FINAL_FRAME_HEAD_BYTES, frameHeadLength, parseFrameHead } from "./wire/frame.js";
import { GCM_TAG_BYTES, type ParsedHeader } from "./wire/header.js";
import { readU32 } from "./wire/integers.js";

/**
 * The layout of a body whose footer ends with the message. The places where a final frame could stand are looked at in
 * order, so that before the right one only heads of regular frames are met, which have no final frame's mark.
 * @throws `ERR_MESSAGE_TRUNCATED` when no final frame stands where one can, or the footer is cut; `ERR_MESSAGE_INVALID`
 */
export async function locateSignedEnd(
  source: CheckedSource,
  { frameLength, length }: ParsedHeader,
  signature: SignatureAlgorithm,
  signal: AbortSignal | undefined,
): Promise<BodyLayout> {
  for (const regularFrames of signedLayouts(length, frameLength, source.size, signature)) {
    const { offset, sequence } = new BodyLayout(length, frameLength, regularFrames, 0).frame(regularFrames);
    const head = await source.read(offset, FINAL_FRAME_HEAD_BYTES, signal);
    if (frameHeadLength(readU32(head, 0)) !== FINAL_FRAME_HEAD_BYTES) continue;
    const finalLength = parseFrameHead(head, sequence, frameLength).length;
    const footer = offset + FINAL_FRAME_HEAD_BYTES + finalLength + GCM_TAG_BYTES;
    const footerHead = await source.read(footer, FOOTER_HEAD_BYTES, signal);
    const end = footer + FOOTER_HEAD_BYTES + footerSignatureLength(footerHead);
    if (end > source.size) throw truncated(source.size);
    if (end < source.size) {
      throw new FengniError("ERR_MESSAGE_INVALID", "there are bytes after the end of the message", {
        details: { offset: end },
      });
    }
    return new BodyLayout(length, frameLength, regularFrames, finalLength);
  }
  throw truncated(source.size);
}
