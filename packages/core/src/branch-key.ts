// Branch keys: what a store of them gives and takes. A branch key is one secret per tenant, opened once in a while, from which
// the keys of many messages are derived. Types, and the check of ids. It must not know how a store keeps or wraps anything.
import { assertBytes, utf8ToBytes } from "@fengni/crypto/bytes";
import { argumentError, FengniError, rangeError, shown } from "./errors.js";
import type { CallOptions } from "./provider.js";

/** Longest id of a branch key, in bytes of UTF-8; the shortest has 1. */
export const MAX_BRANCH_KEY_ID_BYTES = 256;
/** Length of the version of a branch key, in bytes. */
export const BRANCH_KEY_VERSION_BYTES = 16;
/** Length of the material of a branch key, in bytes. */
export const BRANCH_KEY_BYTES = 32;

/** One version of a branch key, opened. */
export interface BranchKeyVersion {
  readonly branchKeyId: string;
  /** 16 bytes, unique among the versions of the branch key. */
  readonly version: Uint8Array;
  /** 32 bytes; the caller owns the buffer and wipes it. */
  readonly material: Uint8Array;
}

/** What may be known of a version without opening it. */
export interface BranchKeyVersionInfo {
  readonly branchKeyId: string;
  /** 16 bytes. */
  readonly version: Uint8Array;
  /** When it was made, in milliseconds since the Unix epoch. */
  readonly createdAtMs: number;
  /** Whether it seals new messages; the other versions only open old ones. */
  readonly active: boolean;
}

/** Opens branch keys. */
export interface BranchKeyStore {
  /**
   * Opens the version that seals new messages.
   * @throws FengniError `ERR_KEY_NOT_FOUND` for an unknown id; `ERR_UNWRAP_FAILED` with what each wrapping key answered, or the
   *   error of the service that hosts the key; RangeError or TypeError `ERR_ARGUMENT` for what is no id; the signal's reason
   */
  getActive(branchKeyId: string, options?: CallOptions): Promise<BranchKeyVersion>;
  /** Opens one version. @throws as {@link getActive}; `ERR_KEY_NOT_FOUND` also for an unknown version */
  getVersion(branchKeyId: string, version: Uint8Array, options?: CallOptions): Promise<BranchKeyVersion>;
}

/** Makes branch keys, and opens them. */
export interface BranchKeyAdmin extends BranchKeyStore {
  /**
   * Makes a branch key with its first version.
   * @throws FengniError `ERR_CONFLICT` when there is one of this id, also one that was made at the same time
   */
  create(branchKeyId: string, options?: CallOptions): Promise<BranchKeyVersionInfo>;
  /**
   * Makes a new version, which seals new messages from now on; older versions still open old ones.
   * @throws FengniError `ERR_KEY_NOT_FOUND`; `ERR_CONFLICT` when another one was made at the same time, which then counts
   */
  rotate(branchKeyId: string, options?: CallOptions): Promise<BranchKeyVersionInfo>;
  /** All versions, the oldest first. @throws FengniError `ERR_KEY_NOT_FOUND` */
  versions(branchKeyId: string, options?: CallOptions): Promise<readonly BranchKeyVersionInfo[]>;
  /**
   * Wraps every version anew, under the wrapping key that new versions get; the versions themselves stay what they are. One that
   * fails ends it, and those before it stay wrapped anew: call it again.
   * @returns how many versions were wrapped anew
   * @throws FengniError `ERR_KEY_NOT_FOUND`; `ERR_CONFLICT` when a version was wrapped anew at the same time;
   *   `ERR_NOT_SUPPORTED` by a store whose wrapping keys are a service's own affair
   */
  rewrap(branchKeyId: string, options?: CallOptions): Promise<number>;
}

/**
 * The id as it stands in messages: UTF-8.
 * @throws TypeError or RangeError `ERR_ARGUMENT` for anything but well-formed text of 1 to 256 bytes
 */
export function encodeBranchKeyId(branchKeyId: string): Uint8Array {
  if (typeof branchKeyId !== "string") throw argumentError("branchKeyId expected text");
  // A character has one byte at least: what is too long is not encoded.
  const isShort = branchKeyId.length <= MAX_BRANCH_KEY_ID_BYTES;
  const bytes = isShort ? utf8ToBytes(branchKeyId) : undefined;
  if (bytes === undefined || bytes.length === 0 || bytes.length > MAX_BRANCH_KEY_ID_BYTES) {
    throw rangeError(`branchKeyId expected 1 to ${MAX_BRANCH_KEY_ID_BYTES} bytes of UTF-8`);
  }
  return bytes;
}

/** @throws RangeError or TypeError `ERR_ARGUMENT` for anything but 16 bytes */
export function checkBranchKeyVersion(version: Uint8Array): Uint8Array {
  return assertBytes(version, "version", BRANCH_KEY_VERSION_BYTES);
}

/** There is no such branch key, or no such version of it. */
export function branchKeyNotFound(branchKeyId: string, version?: string): FengniError<"ERR_KEY_NOT_FOUND"> {
  const what = version === undefined ? "" : `version ${version} of `;
  return new FengniError("ERR_KEY_NOT_FOUND", `there is no ${what}branch key ${shown(branchKeyId)}: create it first`, {
    details: { keyId: branchKeyId },
  });
}

/** Somebody else was quicker. */
export function branchKeyConflict(branchKeyId: string, why: string): FengniError<"ERR_CONFLICT"> {
  return new FengniError("ERR_CONFLICT", `branch key ${shown(branchKeyId)} ${why}`, {
    details: { name: branchKeyId },
  });
}
