// How many calls a second each action takes: token buckets, one for each action, account and region. It must not know what an
// action does.
import { type Action, ApiError } from "@fengni/kms-api";

/** Calls a second; a bucket holds one second's worth. */
export interface RateLimitOptions {
  /** Actions that use keys; default 300. */
  readonly cryptographicPerSecond?: number;
  /** All other actions; default 20. */
  readonly otherPerSecond?: number;
}

/** Calls a second of actions that use keys, unless told otherwise. */
export const DEFAULT_CRYPTOGRAPHIC_PER_SECOND = 300;
/** Calls a second of any other action, unless told otherwise. */
export const DEFAULT_OTHER_PER_SECOND = 20;

const CRYPTOGRAPHIC: ReadonlySet<string> = new Set([
  "Encrypt",
  "Decrypt",
  "ReEncrypt",
  "GenerateDataKey",
  "GetDataKeyPlaintext",
  "GenerateRandom",
  "AsymmetricRsaDecrypt",
  "AsymmetricSm2Decrypt",
  "SignByAsymmetricKey",
  "VerifyByAsymmetricKey",
  "PostQuantumCryptoEncrypt",
  "PostQuantumCryptoDecrypt",
  "PostQuantumCryptoSign",
  "PostQuantumCryptoVerify",
  "EncryptByWhiteBox",
]);

interface Bucket {
  tokens: number;
  filledAtMs: number;
}

/** Counts the calls of one emulator. */
export class RateLimits {
  readonly #cryptographic: number;
  readonly #other: number;
  // Bounded: actions, accounts and regions are all known by the time a call gets here.
  readonly #buckets = new Map<string, Bucket>();

  constructor(options: RateLimitOptions = {}) {
    this.#cryptographic = options.cryptographicPerSecond ?? DEFAULT_CRYPTOGRAPHIC_PER_SECOND;
    this.#other = options.otherPerSecond ?? DEFAULT_OTHER_PER_SECOND;
  }

  /** Takes one call of the second's worth. @throws ApiError `RequestLimitExceeded` when there is none left */
  take({ name }: Action, ownerUin: string, region: string, nowMs: number): void {
    const perSecond = CRYPTOGRAPHIC.has(name) ? this.#cryptographic : this.#other;
    const key = `${name} ${ownerUin} ${region}`;
    const bucket = this.#buckets.get(key) ?? { tokens: perSecond, filledAtMs: nowMs };
    this.#buckets.set(key, bucket);
    const elapsedMs = Math.max(0, nowMs - bucket.filledAtMs);
    bucket.tokens = Math.min(perSecond, bucket.tokens + (elapsedMs * perSecond) / 1000);
    bucket.filledAtMs = nowMs;
    if (bucket.tokens < 1) {
      throw new ApiError("RequestLimitExceeded", `The action takes ${perSecond} calls a second. Try again later.`);
    }
    bucket.tokens -= 1;
  }
}
