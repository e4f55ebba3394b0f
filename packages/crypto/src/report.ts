// What this runtime offers and what was chosen, for a person (`fengni doctor`). It must not influence the choice.
import { aesGcmSelector } from "./aes-gcm-select.js";
import { ecdsaSelector } from "./ecdsa-select.js";
import { hashSelector } from "./hash-checked.js";
import { randomSelector } from "./random-source.js";
import { rsaSelector } from "./rsa-checked.js";

/** One primitive of the report. */
export interface RuntimeReportEntry {
  /** What it is about, such as `AES-GCM`. */
  readonly primitive: string;
  /** The implementation in use: `node`, `webcrypto` or `noble`; `none` where there is none. */
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
  ];
}
