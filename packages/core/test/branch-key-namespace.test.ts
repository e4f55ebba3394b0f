// Keyrings that tell their encrypted data keys apart, and what they tell a listener.
import {
  BranchKeyring,
  branchKeyStore,
  Envelope,
  inspect,
  memoryBranchKeyRecords,
  type TelemetryEvent,
  type TelemetryListener,
} from "@fengni/core";
import { describe, expect, test } from "vitest";
import { testKey } from "./support.js";

async function keyring(namespace?: string, telemetry?: TelemetryListener): Promise<BranchKeyring> {
  const store = branchKeyStore({ wrappingKey: testKey(), records: memoryBranchKeyRecords() });
  await store.create("acme");
  return new BranchKeyring({
    store,
    branchKeyIdFor: ({ tenant = "" }) => tenant,
    ttlMs: 60_000,
    ...(namespace !== undefined && { namespace }),
    ...(telemetry !== undefined && { telemetry }),
  });
}

const bound = { encryptionContext: { tenant: "acme" } };

describe("two keyrings of one envelope", () => {
  test("tell whose an encrypted data key is, and healing adds the one that is missing", async () => {
    const [first, second] = [await keyring("region-a"), await keyring("region-b")];
    const partial = await new Envelope({ wrappingKeys: [second] }).encrypt("text", bound);
    const both = new Envelope({ wrappingKeys: [first, second] });
    const [only] = inspect(partial).encryptedDataKeys;
    if (only === undefined) throw new Error("the message has no encrypted data key");
    expect(await first.matches(only)).toBe(false);
    expect(await second.matches(only)).toBe(true);
    const healed = await both.rewrap(partial, { ...bound, heal: true });
    expect(
      inspect(healed)
        .encryptedDataKeys.map((key) => key.providerId)
        .sort(),
    ).toEqual(["region-a", "region-b"]);
    for (const ring of [first, second]) {
      const alone = new Envelope({ wrappingKeys: [], unwrappingKeys: [ring] });
      expect(await alone.decryptText(healed, bound)).toBe("text");
    }
    expect(await both.rewrap(healed, { ...bound, heal: true })).toEqual(healed);
  });

  test("the default namespace is the documented one, and a wrong one is refused", async () => {
    const message = await new Envelope({ wrappingKeys: [await keyring()] }).encrypt("text", bound);
    expect(inspect(message).encryptedDataKeys[0]?.providerId).toBe("fengni-branch");
    for (const namespace of ["", "aws-kms", 7 as unknown as string]) {
      await expect(keyring(namespace)).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
    }
  });
});

test("a keyring tells its loads and hits", async () => {
  const events: TelemetryEvent[] = [];
  const ring = await keyring(undefined, (event) => events.push(event));
  const envelope = new Envelope({ wrappingKeys: [ring] });
  await envelope.encrypt("text", bound);
  await envelope.encrypt("text", bound);
  ring.close();
  const told = events.map((event) => (event.type === "cache" ? `${event.cache} ${event.what}` : event.type));
  expect(told.filter((word) => word === "branch-key load")).toHaveLength(1);
  expect(told).toContain("branch-key hit");
  expect(told).toContain("branch-key evicted");
  expect(JSON.stringify(events)).not.toContain("acme");
});
