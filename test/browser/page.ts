// The page that Chromium opens: runs every part of the suite and tells scripts/test-browser.mjs each row as it comes. It must not know
// what the parts test.
import { type RuntimeReportEntry, runtimeReport } from "@fengni/crypto/report";
import { core } from "./core.js";
import { environment } from "./environment.js";
import { aesCbc } from "./families/aes-cbc.js";
import { aesGcm } from "./families/aes-gcm.js";
import { ecdsa } from "./families/ecdsa.js";
import { hash } from "./families/hash.js";
import { mlDsa, slhDsa } from "./families/ml-dsa.js";
import { hybridKem, mlKem } from "./families/ml-kem.js";
import { rsa } from "./families/rsa.js";
import { sm2 } from "./families/sm2.js";
import { sm4 } from "./families/sm4.js";
import type { Emit, Part } from "./harness.js";

/** In the order in which they run. The two that only noble does take the longest, so that a page of its own may run them. */
const GROUPS: Readonly<Record<string, Readonly<Record<string, Part>>>> = {
  primitives: { environment, aesCbc, aesGcm, hash, ecdsa, rsa, sm2, sm4, core },
  "post-quantum": { mlKem, hybridKem, mlDsa, slhDsa },
};

/** What the page offers to the script that opened it. */
interface SuitePage {
  readonly fengniGroups: readonly string[];
  readonly fengniReport: () => readonly RuntimeReportEntry[];
  readonly fengniRun: (group: string) => Promise<void>;
  /** Given by the script. */
  readonly fengniEmit?: Emit;
}

const page = globalThis as unknown as { -readonly [Key in keyof SuitePage]: SuitePage[Key] };

page.fengniGroups = Object.keys(GROUPS);
page.fengniReport = runtimeReport;
page.fengniRun = async (group) => {
  const emit = page.fengniEmit;
  const parts = GROUPS[group];
  if (emit === undefined || parts === undefined) throw new Error(`cannot run ${group}`);
  for (const [name, part] of Object.entries(parts)) {
    try {
      await part(emit);
    } catch (error) {
      const why = error instanceof Error ? `${error.message}\n${error.stack}` : String(error);
      const failures = [`${name} stopped: ${why}`];
      await emit({ file: `(${name})`, implementation: "", passed: 0, outOfScope: 0, failures, milliseconds: 0 });
    }
  }
};
