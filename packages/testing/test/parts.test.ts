// The seams of the in-memory double: with one part replaced the kit finds fault in the area that the part belongs to.
import { expect, test } from "vitest";
import { type InMemoryParts, RIGHT_PARTS } from "../src/in-memory-parts.js";
import { inMemoryProviderOf } from "../src/in-memory-provider.js";
import { runConformance } from "../src/index.js";

const WRONG: readonly (readonly [name: string, area: string, parts: Partial<InMemoryParts>])[] = [
  ["ignores the context", "encrypt-decrypt", { contextBytes: () => new Uint8Array(0) }],
  ["uses one nonce", "encrypt-decrypt", { nonce: () => new Uint8Array(12) }],
  ["leaves the key id unauthenticated", "import", { additionalData: (_header, context) => context }],
  ["opens with another key than the one named", "post-quantum", { checkMatch: () => {} }],
  ["goes on after disable", "key-lifecycle", { checkState: () => {} }],
  ["signs digests of any length", "sign-verify", { checkMessage: () => {} }],
  ["does not look at the signal", "cancellation", { begin: (isClosed) => RIGHT_PARTS.begin(isClosed, undefined) }],
  ["does not close", "shutdown", { begin: (_isClosed, signal) => RIGHT_PARTS.begin(false, signal) }],
  ["has a data key end in zero", "data-keys", { dataKey: (length) => RIGHT_PARTS.dataKey(length).fill(0, length - 1) }],
];

test.each(WRONG)("a provider that %s is caught by %s", async (_name, area, parts) => {
  const factory = async () => inMemoryProviderOf({ ...RIGHT_PARTS, ...parts });
  const report = await runConformance(factory, { only: [area], uniqueDataKeys: 600 });
  expect(report.areas).toMatchObject([{ area, status: "failed" }]);
});

test("with the right parts each of these areas holds", async () => {
  const only = [...new Set(WRONG.map(([, area]) => area))].filter((area) => area !== "sign-verify");
  const report = await runConformance(async () => inMemoryProviderOf(RIGHT_PARTS), { only, uniqueDataKeys: 600 });
  expect(report.passed).toBe(true);
});
