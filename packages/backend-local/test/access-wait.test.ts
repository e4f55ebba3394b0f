// What happens while an authorizer waits: only what was asked about is used, as it was shown.
import {
  type AccessRequest,
  type Authorizer,
  type KmsOperation,
  LocalKms,
  type LocalKmsOptions,
} from "@fengni/backend-local";
import { describe, expect, test } from "vitest";
import { MemoryRecordStore } from "../src/store-memory.js";
import { wrappedMaterial } from "./external-keys.js";
import { codeOf, errorOf, filled } from "./support.js";

/** A KMS whose authorizer does something once, when it is asked for an operation, and then grants it. */
function interrupted(options: LocalKmsOptions = {}): {
  kms: LocalKms;
  asked: AccessRequest[];
  onQuestion: (operation: KmsOperation, act: () => Promise<unknown>, isMeant?: Authorizer) => void;
} {
  const asked: AccessRequest[] = [];
  let pending: { operation: KmsOperation; act: () => Promise<unknown>; isMeant: Authorizer } | undefined;
  const authorizer: Authorizer = async (request) => {
    asked.push(request);
    if (pending?.operation === request.operation && (await pending.isMeant(request))) {
      const { act } = pending;
      pending = undefined;
      await act();
    }
    return true;
  };
  const kms = new LocalKms({ regions: [{ name: "here" }, { name: "there" }], ...options, authorizer });
  return {
    kms,
    asked,
    onQuestion: (operation, act, isMeant = () => true) => {
      pending = { operation, act, isMeant };
    },
  };
}

const BY_CAROL = { caller: { id: "carol" } };

describe("what is not there when access is asked for is not there afterwards", () => {
  test.each<[KmsOperation, (kms: LocalKms) => Promise<unknown>]>([
    ["encrypt", (kms) => kms.encrypt({ keyId: "new", plaintext: filled(1) })],
    ["generateDataKey", (kms) => kms.generateDataKey({ keyId: "new", numberOfBytes: 1 })],
    ["importDataKey", (kms) => importUnder(kms, "new")],
    ["describeKey", (kms) => kms.describeKey({ keyId: "new" })],
    ["describeKey", (kms) => kms.resolveKeyId("new")],
    ["describeKeys", (kms) => kms.describeKeys({ keyIds: ["old", "new"] })],
    ["disableKey", (kms) => kms.disableKey({ keyId: "new" })],
    ["disableKeys", (kms) => kms.disableKeys({ keyIds: ["new"] })],
    ["rotateKey", (kms) => kms.rotateKey({ keyId: "new" })],
    ["updateAlias", (kms) => kms.updateAlias({ keyId: "new", alias: "mine" })],
    ["setKeyAttributes", (kms) => kms.setKeyAttributes({ keyId: "new", attributes: {} })],
    ["bindCloudResource", (kms) => kms.bindCloudResource({ keyId: "new", productId: "p", resourceId: "r" })],
    ["describeKey", (kms) => kms.listDataKeyDetail({ keyId: "new" })],
  ])("a key: %s", async (operation, call) => {
    const { kms, asked, onQuestion } = interrupted();
    await kms.createKey({ alias: "old" });
    onQuestion(
      operation,
      () => kms.createKey({ alias: "new", tags: { level: "secret" } }, BY_CAROL),
      ({ resource }) => resource?.id === "new",
    );
    expect(await codeOf(call(kms))).toBe("ERR_KEY_NOT_FOUND");
    const question = asked.find((request) => request.operation === operation && request.resource?.id === "new");
    expect(question?.resource).toMatchObject({ id: "new", creator: "local", tags: {}, exists: false });
    expect((await kms.describeKey({ keyId: "new" })).state).toBe("enabled");
  });

  test("a key that a ciphertext is brought to", async () => {
    const { kms, onQuestion } = interrupted();
    const { keyId } = await kms.createKey();
    const { ciphertext } = await kms.encrypt({ keyId, plaintext: filled(1) });
    onQuestion(
      "reEncrypt",
      () => kms.createKey({ alias: "new" }),
      ({ resource }) => resource?.id === "new",
    );
    expect(await codeOf(kms.reEncrypt({ ciphertext, destinationKeyId: "new" }))).toBe("ERR_KEY_NOT_FOUND");
  });

  test("a hosted data key, and a white-box key", async () => {
    const { kms, onQuestion } = interrupted();
    const { keyId } = await kms.createKey();
    const host = (): Promise<unknown> =>
      kms.generateDataKey({ keyId, numberOfBytes: 1, isHostedByKms: true, dataKeyName: "new" });
    onQuestion("getDataKeyPlaintext", host);
    expect(await codeOf(kms.getDataKeyPlaintext({ dataKeyId: "new" }))).toBe("ERR_KEY_NOT_FOUND");
    onQuestion("describeWhiteBoxDecryptKey", () => kms.createWhiteBoxKey({ alias: "new", algorithm: "SM4" }));
    expect(await codeOf(kms.describeWhiteBoxDecryptKey({ keyId: "new" }))).toBe("ERR_KEY_NOT_FOUND");
    onQuestion("disableDataKey", () => kms.updateDataKeyName({ dataKeyId: "new", dataKeyName: "newer" }));
    expect(await codeOf(kms.disableDataKey({ dataKeyId: "newer" }))).toBe("ERR_KEY_NOT_FOUND");
  });
});

async function importUnder(kms: LocalKms, keyId: string): Promise<unknown> {
  return kms.importDataKey({ dataKeyName: "a", importType: "plaintext", importKeyMaterial: filled(1), keyId });
}

test("a record whose tags or creator became others is asked for again, as it is then", async () => {
  for (const change of [{ tags: { level: "secret" } }, { creator: "carol" }]) {
    const store = new MemoryRecordStore();
    const { kms, asked, onQuestion } = interrupted({ store });
    const { keyId } = await kms.createKey({ tags: { level: "open" } });
    asked.length = 0;
    onQuestion("encrypt", () =>
      store.change((records) => {
        const record = records.get("key", "here", keyId);
        if (record !== undefined) records.put({ ...record, ...change });
      }),
    );
    await kms.encrypt({ keyId, plaintext: filled(1) });
    const before = { creator: "local", tags: { level: "open" } };
    expect(asked.map(({ resource }) => resource)).toMatchObject([before, { ...before, ...change }]);
  }
});

test("several keys are described as they stand at the end", async () => {
  const { kms, onQuestion } = interrupted();
  const [first, second] = [await kms.createKey(), await kms.createKey()];
  const keyIds = [first.keyId, second.keyId];
  onQuestion(
    "describeKeys",
    () => kms.disableKey({ keyId: first.keyId }),
    ({ resource }) => resource?.id === second.keyId,
  );
  const { keys } = await kms.describeKeys({ keyIds });
  expect(keys.map(({ keyId, state }) => [keyId, state])).toEqual([
    [first.keyId, "disabled"],
    [second.keyId, "enabled"],
  ]);
});

test("several data keys are described as they stand at the end", async () => {
  const { kms, onQuestion } = interrupted();
  const { keyId } = await kms.createKey();
  for (const dataKeyName of ["a", "b"]) {
    await kms.generateDataKey({ keyId, numberOfBytes: 1, isHostedByKms: true, dataKeyName });
  }
  const { dataKeyId: last } = await kms.describeDataKey({ dataKeyId: "b" });
  onQuestion(
    "describeDataKeys",
    () => kms.disableDataKey({ dataKeyId: "a" }),
    ({ resource }) => resource?.id === last,
  );
  const { dataKeys } = await kms.describeDataKeys({ dataKeyIds: ["a", "b"] });
  expect(dataKeys.map(({ state }) => state)).toEqual(["disabled", "enabled"]);
});

test("a filter by the alias of a wrapping key asks for that key; one by its id asks for nothing more", async () => {
  const { kms, asked } = interrupted();
  const { keyId } = await kms.createKey({ alias: "a" });
  await kms.generateDataKey({ keyId, numberOfBytes: 1, isHostedByKms: true, dataKeyName: "d" });
  asked.length = 0;
  expect((await kms.listDataKeyDetail({ keyId: "a" })).total).toBe(1);
  expect(asked.map(({ operation, resource }) => [operation, resource?.id])).toEqual([
    ["listDataKeyDetail", undefined],
    ["describeKey", keyId],
  ]);
  asked.length = 0;
  expect((await kms.listDataKeyDetail({ keyId })).total).toBe(1);
  expect(asked.map(({ operation }) => operation)).toEqual(["listDataKeyDetail"]);
});

test("an import reaches the key that was asked about, whoever has its alias meanwhile", async () => {
  const { kms, onQuestion } = interrupted();
  const { keyId } = await kms.createKey({ origin: "external", alias: "a" });
  const { keyId: other } = await kms.createKey({ origin: "external" });
  const request = { ...(await wrappedMaterial(kms, keyId)), keyId: "a" };
  onQuestion("importKeyMaterial", async () => {
    await kms.updateAlias({ keyId, alias: "b" });
    await kms.updateAlias({ keyId: other, alias: "a" });
  });
  await kms.importKeyMaterial(request);
  expect((await kms.describeKey({ keyId })).state).toBe("enabled");
  expect((await kms.describeKey({ keyId: other })).state).toBe("pending-import");
});

describe("who calls, and where, is read once", () => {
  test("options that change while access is waited for change nothing", async () => {
    const { kms, asked } = interrupted();
    const caller = { id: "alice", department: "accounts" };
    const options = { caller, region: "here" };
    const creating = kms.createKey({ tags: { a: "b" } }, options);
    caller.id = "root";
    options.region = "there";
    options.caller = { id: "root", department: "none" };
    const { keyId, creator, region } = await creating;
    expect([creator, region]).toEqual(["alice", "here"]);
    expect(asked[0]?.caller).toEqual({ id: "alice", department: "accounts" });
    const again = { caller: { id: "bob" }, region: "here" };
    const disabling = kms.disableKey({ keyId }, again);
    again.caller.id = "root";
    again.region = "there";
    await disabling;
    expect(asked.at(-1)).toMatchObject({ caller: { id: "bob" }, region: "here", resource: { region: "here" } });
  });

  test("an id that reads differently each time is one id", async () => {
    const { kms, asked } = interrupted();
    let reads = 0;
    const caller = {
      get id(): string {
        reads++;
        return reads === 1 ? "alice" : "root";
      },
    };
    expect((await kms.createKey({}, { caller })).creator).toBe("alice");
    expect(asked[0]?.caller.id).toBe("alice");
    expect(reads).toBe(1);
  });

  test("an authorizer gets what a caller carries, its methods too, and cannot change who it is", async () => {
    class Person {
      readonly id = "alice";
      readonly roles: readonly string[] = ["reader"];
      has(role: string): boolean {
        return this.roles.includes(role);
      }
    }
    const kms = new LocalKms({
      authorizer: ({ caller }) => {
        expect(() => Object.assign(caller, { id: "root" })).toThrow(TypeError);
        return caller instanceof Person && caller.has("reader");
      },
    });
    expect((await kms.createKey({}, { caller: new Person() })).creator).toBe("alice");
    expect(await codeOf(kms.createKey({}, { caller: { id: "alice" } }))).toBe("ERR_DENIED");
  });
});

test("what is told of a record is a copy", async () => {
  const kms = new LocalKms();
  const created = await kms.createKey({ alias: "a", tags: { a: "b" } });
  await kms.bindCloudResource({ keyId: "a", productId: "p", resourceId: "r" });
  const described = await kms.describeKey({ keyId: "a" });
  for (const { tags, resources } of [created, described]) {
    Object.assign(tags, { a: "changed" });
    for (const resource of resources) Object.assign(resource, { productId: "changed" });
  }
  expect(await kms.describeKey({ keyId: "a" })).toMatchObject({ tags: { a: "b" }, resources: [{ productId: "p" }] });
  expect((await errorOf(kms.describeKey({ keyId: "b" }))).message).toContain('"b"');
});
