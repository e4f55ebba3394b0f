// What the author of a backend gives to the kit: the provider under test and what is around it. Types only.
import type { AsymmetricEncryptionAlgorithm, KeyAdmin, KeyProvider, SignatureAlgorithm } from "@fengni/core";

/** Ids or aliases of two different keys that are enabled and made for the same use. */
export type KeyPair = readonly [string, string];

/** The keys that the kit works with. Give a pair for every use that the provider's capabilities claim; the kit leaves them as they were. */
export interface ConformanceKeys {
  /** For `generateDataKey`, `encrypt`, `decrypt` and `reEncrypt`. */
  readonly symmetric?: KeyPair;
  /** For `sign`, `verify` and `getPublicKey`: a pair for each claimed algorithm. One pair may serve several algorithms. */
  readonly sign?: Readonly<Partial<Record<SignatureAlgorithm, KeyPair>>>;
  /** For `asymmetricDecrypt`: a pair for each claimed algorithm. One pair may serve several algorithms. */
  readonly asymmetricDecrypt?: Readonly<Partial<Record<AsymmetricEncryptionAlgorithm, KeyPair>>>;
  /** For `postQuantumEncrypt` and `postQuantumDecrypt`. */
  readonly postQuantumEncryption?: KeyPair;
}

/** Makes the backend fail, so that its errors can be looked at. */
export interface ConformanceFaults {
  /**
   * Has the next calls fail inside the backend, as a broken network would.
   * @param next - how many calls
   * @param error - what they fail with; absent: whatever the backend meets most
   */
  fail(next: number, error?: Error): void;
  /** Has the next calls never end by themselves; an abort must still end them. */
  hang?(next: number): void;
}

/** A provider to test, ready for use. */
export interface ConformanceSubject {
  readonly provider: KeyProvider;
  /** Creates and changes keys in the same place; absent: the areas of lifecycle, rotation and import are not claimed. */
  readonly admin?: KeyAdmin;
  readonly keys: ConformanceKeys;
  /** Moves the time of the backend forward; absent: what needs days to pass is not exercised. */
  readonly clock?: { advance(ms: number): void | Promise<void> };
  readonly faults?: ConformanceFaults;
  /** Another provider over the same keys, as a second process would have; the kit closes it. */
  sibling?(): Promise<KeyProvider>;
  /** Lets go of what the factory took beside the provider and the admin, which the kit closes. */
  cleanup?(): Promise<void>;
}

/** Makes a subject. The kit calls it once for a whole run: making keys may be slow and cost money. */
export type ConformanceFactory = () => Promise<ConformanceSubject>;
