// What describes a key, and the resources that are bound to it.
import { LocalKms, MAX_CLOUD_RESOURCES, ManualClock } from "@fengni/backend-local";
import { describe, expect, test } from "vitest";
import { codeOf, errorOf, refusalOf } from "./assertions.js";

describe("attributes", () => {
  test("are all put in the place of those before, and read in every state", async () => {
    const kms = new LocalKms();
    const { keyId } = await kms.createKey({ alias: "a" });
    expect(await kms.getKeyAttributes({ keyId: "a" })).toEqual({ keyId, attributes: {} });
    const attributes: Record<string, string> = { cost: "12", empty: "" };
    const call = kms.setKeyAttributes({ keyId: "a", attributes });
    attributes["cost"] = "13";
    await call;
    expect(await kms.getKeyAttributes({ keyId })).toEqual({ keyId, attributes: { cost: "12", empty: "" } });
    await kms.setKeyAttributes({ keyId, attributes: { other: "1" } });
    await kms.disableKey({ keyId });
    expect(await kms.getKeyAttributes({ keyId })).toEqual({ keyId, attributes: { other: "1" } });
    await kms.setKeyAttributes({ keyId, attributes: {} });
    expect((await kms.getKeyAttributes({ keyId })).attributes).toEqual({});
  });

  test("have limits", async () => {
    const kms = new LocalKms();
    const { keyId } = await kms.createKey();
    const many = (count: number): Record<string, string> =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`n${index}`, ""]));
    for (const attributes of [many(50), { ["n".repeat(127)]: "v".repeat(255) }]) {
      await kms.setKeyAttributes({ keyId, attributes });
    }
    const before = await kms.getKeyAttributes({ keyId });
    for (const attributes of [many(51), { ["n".repeat(128)]: "" }, { n: "v".repeat(256) }]) {
      expect(await codeOf(kms.setKeyAttributes({ keyId, attributes }))).toBe("ERR_LIMIT");
    }
    for (const attributes of [{ "": "v" }, { n: 1 }, ["a"], "a", null, undefined]) {
      expect(await codeOf(kms.setKeyAttributes({ keyId, attributes: attributes as never }))).toBe("ERR_ARGUMENT");
    }
    expect(await kms.getKeyAttributes({ keyId })).toEqual(before);
  });
});

test("a description is replaced", async () => {
  const kms = new LocalKms();
  const { keyId } = await kms.createKey({ description: "old" });
  await kms.updateKeyDescription({ keyId, description: "new" });
  expect((await kms.describeKey({ keyId })).description).toBe("new");
  await kms.updateKeyDescription({ keyId, description: "" });
  expect((await kms.describeKey({ keyId })).description).toBe("");
});

describe("cloud resources", () => {
  const one = { productId: "disk", resourceId: "disk-1" };
  const two = { productId: "bucket", resourceId: "disk-1" };

  test("are bound once and unbound once", async () => {
    const kms = new LocalKms();
    const { keyId } = await kms.createKey();
    await kms.bindCloudResource({ keyId, ...one });
    await kms.bindCloudResource({ keyId, ...two });
    await kms.bindCloudResource({ keyId, ...one });
    expect((await kms.describeKey({ keyId })).resources).toEqual([one, two]);
    await kms.unbindCloudResource({ keyId, ...one });
    expect((await kms.describeKey({ keyId })).resources).toEqual([two]);
    expect(await errorOf(kms.unbindCloudResource({ keyId, ...one }))).toMatchObject({
      code: "ERR_CONFLICT",
      details: { name: "disk-1", reason: "cloud-resource-not-bound" },
    });
  });

  test("keep a key from being deleted until the last is unbound", async () => {
    const kms = new LocalKms({ clock: new ManualClock() });
    const { keyId } = await kms.createKey();
    await kms.bindCloudResource({ keyId, ...one });
    const schedule = (): Promise<unknown> => kms.scheduleKeyDeletion({ keyId, pendingWindowDays: 7 });
    expect(await refusalOf(schedule())).toBe("ERR_KEY_STATE should-be-disabled");
    await kms.disableKey({ keyId });
    expect(await errorOf(schedule())).toMatchObject({
      code: "ERR_CONFLICT",
      details: { name: keyId, reason: "cloud-resource-bound" },
    });
    expect((await kms.describeKey({ keyId })).state).toBe("disabled");
    await kms.unbindCloudResource({ keyId, ...one });
    await schedule();
    expect((await kms.describeKey({ keyId })).state).toBe("pending-deletion");
  });

  test("have limits", async () => {
    const kms = new LocalKms();
    const { keyId } = await kms.createKey();
    await kms.bindCloudResource({ keyId, productId: "p".repeat(128), resourceId: "r".repeat(256) });
    for (const wrong of [
      { productId: "p".repeat(129), resourceId: "r" },
      { productId: "p", resourceId: "r".repeat(257) },
    ]) {
      expect(await codeOf(kms.bindCloudResource({ keyId, ...wrong }))).toBe("ERR_LIMIT");
    }
    for (const wrong of [{ productId: "", resourceId: "r" }, { productId: "p" }, { productId: 1, resourceId: "r" }]) {
      expect(await codeOf(kms.bindCloudResource({ keyId, ...wrong } as never))).toBe("ERR_ARGUMENT");
      expect(await codeOf(kms.unbindCloudResource({ keyId, ...wrong } as never))).toBe("ERR_ARGUMENT");
    }
    for (let count = 1; count < MAX_CLOUD_RESOURCES; count++) {
      await kms.bindCloudResource({ keyId, productId: "p", resourceId: `r${count}` });
    }
    expect(await errorOf(kms.bindCloudResource({ keyId, ...one }))).toMatchObject({
      code: "ERR_LIMIT",
      details: { maximum: 1000, actual: 1001 },
    });
    await kms.bindCloudResource({ keyId, productId: "p", resourceId: "r1" });
  });
});
