// The conformance kit through this backend: over real HTTP with real signatures, against the emulator.
import { conformance } from "@fengni/testing";
import { test } from "vitest";
import { TencentKeyProvider } from "../src/index.js";
import { createKeys, startBench } from "./emulator-support.js";

conformance({
  test,
  name: "TencentKeyProvider",
  uniqueDataKeys: 3_000,
  factory: async () => {
    // One attempt: a fault that is injected must reach the caller.
    const bench = await startBench({}, { maxAttempts: 1 });
    const { emulator, provider, admin, clock, connect } = bench;
    return {
      provider,
      admin,
      keys: await createKeys(admin),
      clock,
      faults: {
        fail: (count) => void emulator.faults.add({ kind: "internal-error", count }),
        hang: (count) => void emulator.faults.add({ kind: "hang", count }),
      },
      sibling: async () => new TencentKeyProvider({ client: connect(), ownsClient: true }),
      cleanup: () => bench.close(),
    };
  },
});
