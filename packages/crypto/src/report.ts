// What this runtime offers and what was chosen, for a person (`fengni doctor`). It must not influence the choice.
import { aesCbcSelector } from "./aes-cbc-select.js";
import { aesGcmSelector } from "./aes-gcm-select.js";
import { ecdsaSelector } from "./ecdsa-select.js";
import { hashSelector } from "./hash-checked.js";
import { mlDsaSelector } from "./ml-dsa-select.js";
import { mlKemSelector } from "./ml-kem-select.js";
import { randomSelector } from "./random-source.js";
import { rsaSelector } from "./rsa-checked.js";
import { slhDsaSelector } from "./slh-dsa-select.js";
import { sm2Selector } from "./sm2-select.js";
import { sm3Selector } from "./sm3-select.js";
import { sm4GcmSelector } from "./sm4-gcm-select.js";
import { sm4ChainSelector, sm4Selector } from "./sm4-select.js";
import { x25519Selector } from "./x25519.js";

/** One primitive of the report. */
export interface RuntimeReportEntry {
  /** What it is about, such as `AES-GCM`. */
  readonly primitive: string;
  /** The implementation in use, such as `node`, `webcrypto`, `wasm` or `noble`; `none` where there is none. */
  readonly chosen: string;
  /** Every implementation that is present and answered its known-answer test, best first. */
  readonly available: readonly string[];
  /** Why the chosen one was chosen, in words. */
  readonly reason: string;
}

/**
 * Reports which implementation each primitive uses, after running the known-answer tests that were not run yet.
 * @returns one entry per primitive, in a fixed order
 */
export function runtimeReport(): readonly RuntimeReportEntry[] {
  return [
    { primitive: "AES-GCM", ...aesGcmSelector.explain() },
    { primitive: "SHA-2, HMAC, HKDF", ...hashSelector.explain() },
    { primitive: "random", ...randomSelector.explain() },
    { primitive: "ECDSA", ...ecdsaSelector.explain() },
    { primitive: "RSA", ...rsaSelector.explain() },
    { primitive: "SM2", ...sm2Selector.explain() },
    { primitive: "SM3", ...sm3Selector.explain() },
    { primitive: "SM4-GCM", ...sm4GcmSelector.explain() },
    { primitive: "SM4", ...sm4Selector.explain() },
    { primitive: "SM4-CBC encryption", ...sm4ChainSelector.explain() },
    { primitive: "AES-CBC", ...aesCbcSelector.explain() },
    { primitive: "ML-KEM", ...mlKemSelector.explain() },
    { primitive: "ML-DSA", ...mlDsaSelector.explain() },
    { primitive: "SLH-DSA", ...slhDsaSelector.explain() },
    { primitive: "X25519", ...x25519Selector.explain() },
  ];
}
