// From a branch key to the keys of single messages and values (docs/branch-keys.md, "Derivation"; RFC 5869). It must not know
// what the derived keys seal, nor where branch keys come from.
import { assertBytes, concatBytes, utf8ToBytes, wipe } from "@fengni/crypto/bytes";
import { hkdfExpand, hkdfExtract } from "@fengni/crypto/hash";
import { type BranchKeyVersion, encodeBranchKeyId } from "./branch-key.js";
import { FengniError, rangeError } from "./errors.js";
import { checkInteger } from "./options.js";
import { MAX_U16, putU16 } from "./wire/integers.js";

const HASH = "sha512";
/** RFC 5869 section 2.3: 255 times the hash's length. */
const MAX_DERIVED_BYTES = 255 * 64;
const EXTRACT_SALT: Uint8Array = /* @__PURE__ */ utf8ToBytes("fengni-branch-key/1");

/** A branch key that is ready for use. It is lent for the time of one call, and may be wiped at any moment afterwards. */
export interface WarmBranchKey {
  readonly branchKeyId: string;
  /** 16 bytes; not to be changed. */
  readonly version: Uint8Array;
  /**
   * Derives a key, by HKDF-Expand with SHA-512 (docs/branch-keys.md, "Derivation"). Other labels, salts, branch keys and versions
   * give keys that have nothing to do with each other.
   * @param label - what the key is for; each use has its own, of 1 to 65,535 bytes of UTF-8
   * @param salt - 0 to 65,535 bytes, not secret
   * @param length - 1 to 16,320 bytes
   * @returns a new buffer that the caller wipes
   * @throws RangeError or TypeError `ERR_ARGUMENT`; FengniError `ERR_CLOSED` when the key was wiped meanwhile
   */
  derive(label: string, salt: Uint8Array, length: number): Uint8Array;
}

/** A version of a branch key in the form from which keys are derived; holds a secret until it is wiped. */
export class DerivingKey implements WarmBranchKey {
  readonly branchKeyId: string;
  readonly version: Uint8Array;
  readonly #id: Uint8Array;
  readonly #pseudoRandomKey: Uint8Array;
  #isWiped = false;

  private constructor(branchKeyId: string, version: Uint8Array, pseudoRandomKey: Uint8Array) {
    this.branchKeyId = branchKeyId;
    this.version = version;
    this.#id = encodeBranchKeyId(branchKeyId);
    this.#pseudoRandomKey = pseudoRandomKey;
  }

  /** Takes the material over: it is wiped. */
  static of({ branchKeyId, version, material }: BranchKeyVersion): DerivingKey {
    try {
      return new DerivingKey(branchKeyId, Uint8Array.from(version), hkdfExtract(HASH, material, EXTRACT_SALT));
    } finally {
      wipe(material);
    }
  }

  derive(label: string, salt: Uint8Array, length: number): Uint8Array {
    // What is derived from zeros, everybody can derive.
    if (this.#isWiped) throw wiped();
    const use = utf8ToBytes(label);
    if (use.length === 0 || use.length > MAX_U16) throw rangeError(`label expected 1 to ${MAX_U16} bytes of UTF-8`);
    if (assertBytes(salt, "salt").length > MAX_U16) throw rangeError(`salt expected at most ${MAX_U16} bytes`);
    checkInteger("length", length, 1, MAX_DERIVED_BYTES);
    const info = concatBytes(sized(use), sized(this.#id), this.version, sized(salt));
    return hkdfExpand(HASH, this.#pseudoRandomKey, info, length);
  }

  wipe(): void {
    this.#isWiped = true;
    wipe(this.#pseudoRandomKey);
  }
}

function wiped(): FengniError<"ERR_CLOSED"> {
  return new FengniError("ERR_CLOSED", "the branch key was wiped: use it inside the call that lent it");
}

/** Length, then bytes. */
function sized(bytes: Uint8Array): Uint8Array {
  const all = new Uint8Array(2 + bytes.length);
  putU16(all, 0, bytes.length);
  all.set(bytes, 2);
  return all;
}
