// The regions of a local KMS: names under which keys stand apart, each with its own default algorithms. It must not know keys.
import { FengniError, type KeySpec } from "@fengni/core";
import { argumentError, checkFields, checkText, rangeError } from "./checks.js";

/** A region of a local KMS. */
export interface LocalRegion {
  /** 1 to 40 of lower-case letters, digits and `-`. */
  readonly name: string;
  /** What symmetric keys are made of: AES-256, or SM4 where the SM algorithms are the rule. Default `aes`. */
  readonly symmetric?: "aes" | "sm4";
}

/** The only region when none are named. */
export const DEFAULT_REGION = "local";
const NAME = /^[a-z0-9][a-z0-9-]{0,39}$/;
const MAX_REGIONS = 100;

/** The regions that a KMS was given, by name; the first is the default. */
export class Regions {
  readonly names: readonly string[];
  readonly defaultName: string;
  readonly #symmetric = new Map<string, KeySpec>();

  /** @throws TypeError or RangeError `ERR_ARGUMENT` for none, more than 100, a malformed name, or one name twice */
  constructor(regions: readonly LocalRegion[] = [{ name: DEFAULT_REGION }]) {
    if (!Array.isArray(regions)) throw argumentError("regions expected a list");
    if (regions.length < 1 || regions.length > MAX_REGIONS) throw rangeError(`regions expected 1 to ${MAX_REGIONS}`);
    for (const region of regions) {
      checkFields("region", region, ["name", "symmetric"]);
      const { name, symmetric = "aes" } = region;
      if (!NAME.test(checkText("region name", name))) {
        throw rangeError('region name expected 1 to 40 of lower-case letters, digits and "-"');
      }
      if (symmetric !== "aes" && symmetric !== "sm4") throw rangeError('region symmetric expected "aes" or "sm4"');
      if (this.#symmetric.has(name)) throw rangeError(`regions expected distinct names, got "${name}" twice`);
      this.#symmetric.set(name, symmetric === "aes" ? "AES_256" : "SM4");
    }
    this.names = [...this.#symmetric.keys()];
    this.defaultName = this.names[0] as string;
  }

  /** The region named, or the default. @throws FengniError `ERR_NOT_SUPPORTED` for a name that this KMS does not have */
  resolve(name: string | undefined): string {
    if (name === undefined) return this.defaultName;
    if (this.#symmetric.has(name)) return name;
    throw new FengniError("ERR_NOT_SUPPORTED", `this KMS has no such region: it has ${this.names.join(", ")}`, {
      details: { operation: "region", reason: "no-such-region" },
    });
  }

  /** What a symmetric key is made of in a region. */
  symmetricSpec(name: string): KeySpec {
    return this.#symmetric.get(name) ?? "AES_256";
  }
}
