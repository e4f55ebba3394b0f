// What the KMS tells of itself.
import { readFileSync } from "node:fs";
import type { KeyState } from "@fengni/core";
import { expect, test } from "vitest";
import type { AccessRequest } from "../src/access.js";
import { ManualClock } from "../src/clock.js";
import { createId } from "../src/keys.js";
import { OPERATION_GROUPS } from "../src/operations.js";
import type { DataKeyRecord, KeyRecord, WhiteBoxKeyRecord } from "../src/records.js";
import { type LocalRegion, Regions } from "../src/regions.js";
import { Room } from "../src/room.js";
import { serviceOperations } from "../src/service.js";
import { ENCRYPTION_SDK_VARIANTS, SDK_VARIANTS } from "../src/service-packages.js";
import { KEY_SPECS } from "../src/specs.js";
import { MemoryRecordStore } from "../src/store-memory.js";

const TWO: readonly LocalRegion[] = [{ name: "one" }, { name: "two", symmetric: "sm4" }];

function fixture(regions: readonly LocalRegion[] = TWO) {
  const store = new MemoryRecordStore();
  const asked: AccessRequest[] = [];
  const room = new Room(store, new ManualClock(0), new Regions(regions), (request) => {
    asked.push(request);
    return request.caller.id !== "mallory";
  });
  return { service: serviceOperations(room), store, asked };
}

const COMMON = { createdAtMs: 0, creator: "local", description: "" } as const;

async function addKey(store: MemoryRecordStore, region: string, state: KeyState, owner = "user"): Promise<string> {
  const id = createId();
  await store.change((records) => {
    const record: KeyRecord = {
      ...COMMON,
      kind: "key",
      region,
      id,
      sequence: records.nextSequence(),
      keySpec: "AES_256",
      keyUsage: "encrypt-decrypt",
      origin: "provider",
      state,
      owner,
      role: owner === "user" ? "user" : "product",
      versions: 1,
    };
    records.put(record);
  });
  return id;
}

async function addOthers(store: MemoryRecordStore, region: string): Promise<readonly [string, string]> {
  const [dataKeyId, whiteBoxId, keyId] = [createId(), createId(), createId()];
  await store.change((records) => {
    const dataKey: DataKeyRecord = {
      ...COMMON,
      kind: "data-key",
      region,
      id: dataKeyId,
      name: "hosted",
      sequence: records.nextSequence(),
      state: "disabled",
      keyId,
      numberOfBytes: 32,
      origin: "provider",
      owner: "user",
      ciphertext: "",
    };
    const whiteBoxKey: WhiteBoxKeyRecord = {
      ...COMMON,
      kind: "white-box-key",
      region,
      id: whiteBoxId,
      name: "box",
      sequence: records.nextSequence(),
      algorithm: "SM4",
      state: "enabled",
      fingerprints: [],
    };
    records.put(dataKey);
    records.put(whiteBoxKey);
  });
  return [dataKeyId, whiteBoxId];
}

test("the status counts what is there, by region", async () => {
  const { service, store } = fixture();
  const empty = {
    isEnabled: true,
    region: "one",
    keyCount: 0,
    keyLimit: "unlimited",
    dataKeyCount: 0,
    dataKeyLimit: "unlimited",
    whiteBoxKeyCount: 0,
    isDataKeyHostingAllowed: true,
    isSyncAllowed: true,
    syncDestinations: [],
    requestsPerSecond: "unlimited",
  };
  expect(await service.getServiceStatus()).toEqual(empty);
  for (const state of ["enabled", "disabled", "pending-import", "pending-deletion", "archived"] as const) {
    await addKey(store, "one", state);
  }
  await addKey(store, "one", "enabled", "a-product");
  await addKey(store, "two", "enabled");
  await addOthers(store, "one");
  await store.change((records) =>
    records.put({
      kind: "sync",
      region: "one",
      id: "task",
      sequence: 99,
      createdAtMs: 0,
      destinations: ["two"],
      run: 1,
    }),
  );
  expect(await service.getServiceStatus({}, { region: "one" })).toEqual({
    ...empty,
    keyCount: 5,
    dataKeyCount: 1,
    whiteBoxKeyCount: 1,
    syncDestinations: ["two"],
  });
  expect(await service.getServiceStatus({}, { region: "two" })).toEqual({ ...empty, region: "two", keyCount: 1 });
  const single = fixture([{ name: "only" }]);
  expect(await single.service.getServiceStatus()).toEqual({ ...empty, region: "only", isSyncAllowed: false });
});

test("regions, services and instances", async () => {
  const { service } = fixture();
  expect(await service.getRegions()).toEqual({ regions: ["one", "two"] });
  expect(await service.describeServiceList()).toEqual({
    services: [{ name: "kms", state: "running", regions: ["one", "two"] }],
  });
  expect(await service.listKmsPremiumInstances()).toEqual({ instances: [], total: 0 });
});

test("the ids of a region: keys, data keys, white-box keys, each oldest first", async () => {
  const { service, store } = fixture();
  expect(await service.describeResourceIds()).toEqual({ resourceIds: [] });
  const [dataKeyId, whiteBoxId] = await addOthers(store, "one");
  const keyIds = [await addKey(store, "one", "enabled"), await addKey(store, "one", "pending-deletion")];
  const elsewhere = await addKey(store, "two", "enabled");
  expect(await service.describeResourceIds()).toEqual({
    resourceIds: [
      ...keyIds.map((id) => ({ kind: "key", id })),
      { kind: "data-key", id: dataKeyId },
      { kind: "white-box-key", id: whiteBoxId },
    ],
  });
  expect(await service.describeResourceIds({}, { region: "two" })).toEqual({
    resourceIds: [{ kind: "key", id: elsewhere }],
  });
});

test("every id is told, also beyond one page of the store", async () => {
  const { service, store } = fixture();
  const count = 20_001;
  await store.change((records) => {
    for (let i = 0; i < count; i++) {
      const fingerprints: WhiteBoxKeyRecord["fingerprints"] = [];
      const parts = { kind: "white-box-key", region: "one", algorithm: "SM4", state: "enabled", fingerprints } as const;
      records.put({ ...COMMON, ...parts, id: `id-${i}`, sequence: records.nextSequence() });
    }
  });
  const { resourceIds } = await service.describeResourceIds();
  expect(resourceIds.map(({ id }) => id)).toEqual(Array.from({ length: count }, (_, i) => `id-${i}`));
});

test("the algorithms are those of the key specs", async () => {
  const { service } = fixture();
  const { symmetric, asymmetric, signVerify, postQuantum } = await service.listAlgorithms();
  expect(symmetric).toEqual([
    { keyUsage: "encrypt-decrypt", keySpec: "AES_256", algorithm: "AES_256" },
    { keyUsage: "encrypt-decrypt", keySpec: "SM4", algorithm: "SM4" },
  ]);
  const told = (rows: typeof asymmetric) =>
    rows.map(({ keyUsage, keySpec, algorithm }) => [keyUsage, keySpec, algorithm]);
  expect(told(asymmetric)).toEqual([
    ["asymmetric-decrypt", "RSA_2048", "RSAES_OAEP_SHA_256"],
    ["asymmetric-decrypt", "RSA_2048", "RSAES_OAEP_SHA_1"],
    ["asymmetric-decrypt", "RSA_2048", "RSAES_PKCS1_V1_5"],
    ["asymmetric-decrypt", "SM2", "SM2_C1C3C2_ASN1"],
  ]);
  expect(told(signVerify)).toEqual([
    ["sign-verify", "RSA_2048", "RSA_PSS_SHA_256"],
    ["sign-verify", "RSA_2048", "RSA_PKCS1_SHA_256"],
    ["sign-verify", "SM2", "SM2DSA"],
    ["sign-verify", "ECC_P256", "ECDSA_P256_SHA_256"],
    ["sign-verify", "ECC_P384", "ECDSA_P384_SHA_384"],
  ]);
  expect(told(postQuantum)).toEqual([
    ["post-quantum-encrypt-decrypt", "ML_KEM_768", "ML_KEM_768"],
    ["sign-verify", "ML_DSA_65", "ML_DSA_65"],
  ]);
  const all = [symmetric, asymmetric, signVerify, postQuantum].flat().map(({ keySpec }) => keySpec);
  expect(new Set(all)).toEqual(new Set(KEY_SPECS));
});

test("the packages are this project's, in their versions", async () => {
  const { service } = fixture();
  expect(await service.listSDKVariants()).toEqual({ variants: SDK_VARIANTS });
  expect(await service.listEncryptionSDKVariants()).toEqual({ variants: ENCRYPTION_SDK_VARIANTS });
  const all = [...SDK_VARIANTS, ...ENCRYPTION_SDK_VARIANTS];
  expect(all.length).toBe(4);
  for (const { variant, version } of all) {
    const folder = variant.split("/")[1] ?? "";
    const text = readFileSync(new URL(`../../${folder}/package.json`, import.meta.url), "utf8");
    expect(JSON.parse(text)).toMatchObject({ name: variant, version });
  }
});

test("links to the packages", async () => {
  const { service } = fixture();
  const linkOf = (variant: string) => {
    const { version } = [...SDK_VARIANTS, ...ENCRYPTION_SDK_VARIANTS][0] ?? { version: "" };
    return { variant, version, language: "typescript", link: `npm:${variant}@${version}` };
  };
  expect(await service.getSDKDownloadLink()).toEqual(linkOf("@fengni/backend-local"));
  expect(await service.getSDKDownloadLink({ variant: "@fengni/cli" })).toEqual(linkOf("@fengni/cli"));
  expect(await service.getEncryptionSDKDownloadLink()).toEqual(linkOf("@fengni/core"));
  expect(await service.getEncryptionSDKDownloadLink({ variant: "@fengni/crypto" })).toEqual(linkOf("@fengni/crypto"));
  for (const variant of ["", "@fengni/core", "constructor"]) {
    await expect(service.getSDKDownloadLink({ variant })).rejects.toMatchObject({
      code: "ERR_NOT_SUPPORTED",
      details: { operation: "getSDKDownloadLink", reason: "no-such-variant" },
    });
  }
});

test("every operation of the group is there, refuses unknown fields and regions, and asks for access", async () => {
  const { service, asked } = fixture();
  const names = OPERATION_GROUPS["service-info"];
  expect(Object.keys(service).sort()).toEqual([...names].sort());
  expect(names.length).toBe(10);
  for (const name of names) {
    await expect(service[name]({ unknown: 1 } as never)).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
    await expect(service[name]({}, { region: "three" })).rejects.toMatchObject({
      code: "ERR_NOT_SUPPORTED",
      details: { reason: "no-such-region" },
    });
    const signal = AbortSignal.abort(new Error("stopped"));
    await expect(service[name]({}, { signal })).rejects.toThrow("stopped");
    expect(asked).toEqual([]);
    await expect(service[name]({}, { caller: { id: "mallory" } })).rejects.toMatchObject({ code: "ERR_DENIED" });
    expect(asked.splice(0)).toEqual([{ caller: { id: "mallory" }, operation: name, region: "one" }]);
  }
});
