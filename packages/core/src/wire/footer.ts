// The footer of a signed message: a length and a DER signature (message format, section "Footer").
import { limitError } from "../errors.js";
import { MAX_U16, putU16, readU16 } from "./integers.js";

export const FOOTER_HEAD_BYTES = 2;

export function footerSignatureLength(head: Uint8Array): number {
  return readU16(head, 0);
}

export function serializeFooter(signature: Uint8Array): Uint8Array {
  if (signature.length > MAX_U16) throw limitError("signature length", MAX_U16, signature.length, "this is a defect");
  const footer = new Uint8Array(FOOTER_HEAD_BYTES + signature.length);
  putU16(footer, 0, signature.length);
  footer.set(signature, FOOTER_HEAD_BYTES);
  return footer;
}
