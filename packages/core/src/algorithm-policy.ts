// Which algorithms an envelope may use at all, checked when it is made. Must run nothing.
import { FengniError, listed, shown } from "./errors.js";
import { algorithmSuites, formatSuiteId, GM_SUITES } from "./suites.js";
import type { UnwrappingKey } from "./wrapping-key.js";

/** Which algorithms are used: any that are offered, or only those of the SM family (SM2, SM3, SM4). */
export type AlgorithmPolicy = "any" | "gm-only";

/** Every algorithm policy, the default first. */
export const ALGORITHM_POLICIES: readonly AlgorithmPolicy[] = ["any", "gm-only"];

/** What a wrapping key may declare under `gm-only`. */
export const GM_ALGORITHMS: readonly string[] = ["SM2", "SM3", "SM4"];

/** What a policy is checked against. */
export interface UsedAlgorithms {
  /** Suite to write with. */
  readonly suite: number;
  /** Suites that are opened, where the caller names them. */
  readonly readableSuites: readonly number[] | undefined;
  readonly keys: readonly UnwrappingKey[];
}

/**
 * Refuses what the policy does not allow: a suite, a readable suite, a key of another algorithm, or a key that does not
 * declare its algorithms.
 * @returns the suites that may be opened; undefined: any
 * @throws `ERR_NOT_SUPPORTED`
 */
export function checkAlgorithms(
  policy: AlgorithmPolicy,
  { suite, readableSuites, keys }: UsedAlgorithms,
): readonly number[] | undefined {
  if (policy === "any") return readableSuites;
  const gmSuites: readonly number[] = GM_SUITES;
  for (const id of [suite, ...(readableSuites ?? [])]) {
    if (!gmSuites.includes(id)) {
      const row = algorithmSuites().find((known) => known.id === id);
      const allowed = gmSuites.map(formatSuiteId).join(", ");
      throw refused(`suite ${formatSuiteId(id)} (${row?.name ?? "unknown"})`, `choose one of ${allowed}`);
    }
  }
  for (const key of keys) {
    if (key.algorithms === undefined || key.algorithms.length === 0) {
      throw refused(
        `wrapping key ${shown(key.name)}, which does not say its algorithms`,
        "declare them, for a provider's key with the option algorithms",
      );
    }
    const others = key.algorithms.filter((algorithm) => !GM_ALGORITHMS.includes(algorithm));
    if (others.length > 0) {
      throw refused(`wrapping key ${shown(key.name)}, which uses ${listed(others)}`, "use a key of SM4 or SM2");
    }
  }
  return readableSuites ?? gmSuites;
}

function refused(what: string, advice: string): FengniError<"ERR_NOT_SUPPORTED"> {
  return new FengniError("ERR_NOT_SUPPORTED", `the algorithm policy gm-only refuses ${what}: ${advice}`, {
    details: { operation: "algorithmPolicy gm-only" },
  });
}
