// Branch keys as hosted data keys of the cloud's KMS, through the emulator; and answers that must not be believed.
import { BranchKeyring, Envelope } from "@fengni/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hostedBranchKeys } from "../src/index.js";
import { type Bench, startBench } from "./emulator-support.js";
import { FakeService, KEY_ID, OTHER_KEY_ID } from "./fake-service.js";

let bench: Bench;
let keyId: string;

beforeAll(async () => {
  bench = await startBench();
  keyId = (await bench.admin.createKey({ alias: "tenants" })).keyId;
});

afterAll(async () => {
  await bench.close();
});

describe("hosted branch keys through HTTP", () => {
  test("are made, opened, rotated and listed; a disabled one is not given out", async () => {
    const store = hostedBranchKeys(bench.client, { keyId: keyId.toUpperCase() });
    await expect(store.getActive("acme")).rejects.toMatchObject({ code: "ERR_KEY_NOT_FOUND" });
    const first = await store.create("acme");
    await expect(store.create("acme")).rejects.toMatchObject({ code: "ERR_CONFLICT" });
    const old = await store.getActive("acme");
    expect([old.version, old.material.length]).toEqual([first.version, 32]);
    const second = await store.rotate("acme");
    expect(await store.versions("acme")).toEqual([{ ...first, active: false }, second]);
    // As another process sees it.
    const other = bench.connect();
    const same = hostedBranchKeys(other, { keyId });
    expect((await same.getActive("acme")).version).toEqual(second.version);
    expect(await same.getVersion("acme", first.version)).toEqual(old);
    const { DataKeyMetadatas = [] } = await other.listDataKeyDetail({ SearchKeyAlias: "fbk-" });
    expect(DataKeyMetadatas.map(({ Description }) => Description)).toEqual(Array(2).fill("Fengni branch key acme"));
    for (const { DataKeyId = "" } of DataKeyMetadatas) await other.disableDataKey({ DataKeyId });
    await expect(same.getActive("acme")).rejects.toMatchObject({ code: "ERR_KEY_STATE" });
    await expect(same.rewrap("acme")).rejects.toMatchObject({ code: "ERR_NOT_SUPPORTED" });
    await other.close();
  });

  test("of many who create or rotate at once, one wins", async () => {
    const clients = [1, 2, 3].map(() => bench.connect());
    const stores = clients.map((client) => hostedBranchKeys(client, { keyId }));
    for (const change of ["create", "rotate"] as const) {
      const results = await Promise.allSettled(stores.map((store) => store[change]("raced")));
      const won = results.filter(({ status }) => status === "fulfilled").length;
      // Rotations that do not meet may follow each other; creations may not.
      if (change === "create") expect(won).toBe(1);
      else expect(won).toBeGreaterThanOrEqual(1);
      for (const result of results) {
        if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "ERR_CONFLICT" });
      }
      const versions = (await stores[0]?.versions("raced")) ?? [];
      expect(versions.length).toBe(change === "create" ? 1 : 1 + won);
      expect(versions.filter(({ active }) => active)).toEqual(versions.slice(-1));
    }
    for (const client of clients) await client.close();
  });

  test("with a keyring, a thousand messages cost two requests", async () => {
    const requests: string[] = [];
    const client = bench.connect({
      onEvent: (event) => {
        if (event.type === "call") requests.push(event.action);
      },
    });
    const store = hostedBranchKeys(client, { keyId });
    await store.create("busy");
    for (const direction of ["seal", "open"]) {
      requests.length = 0;
      const keyring = new BranchKeyring({ store, branchKeyIdFor: () => "busy", ttlMs: 60_000 });
      const envelope = new Envelope({ wrappingKeys: [keyring] });
      const message = direction === "seal" ? undefined : await sealed();
      for (let i = 0; i < 1000; i++) {
        if (message === undefined) await envelope.encrypt("x");
        else await envelope.decrypt(message);
      }
      expect(requests).toEqual(["ListDataKeyDetail", "GetDataKeyPlaintext"]);
      keyring.close();
    }
    await client.close();
  });
});

/** A message by another process. */
async function sealed(): Promise<Uint8Array> {
  const client = bench.connect();
  const store = hostedBranchKeys(client, { keyId });
  const keyring = new BranchKeyring({ store, branchKeyIdFor: () => "busy", ttlMs: 60_000 });
  const message = await new Envelope({ wrappingKeys: [keyring] }).encrypt("x");
  await client.close();
  return message;
}

describe("answers", () => {
  const NAME = "fbk-ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72-0000001";
  const dataKey = {
    DataKeyId: "0b1c2d3e-0000-4000-8000-000000000001",
    KeyId: KEY_ID,
    DataKeyName: NAME,
    NumberOfBytes: 32,
    Origin: "TENCENT_KMS",
    CreateTime: 1_700_000_000,
  };
  const plaintext = Buffer.alloc(32, 5).toString("base64");
  const open = (metadata: object, Plaintext: unknown = plaintext, more: object = {}): Promise<unknown> => {
    const answers = {
      ListDataKeyDetail: { DataKeyMetadatas: [metadata], TotalCount: 1 },
      GetDataKeyPlaintext: { Plaintext },
      ...more,
    };
    return hostedBranchKeys(new FakeService(answers as FakeService["answers"]), { keyId: KEY_ID }).getActive("a");
  };

  test("are taken as they should be", async () => {
    expect(await open(dataKey)).toMatchObject({ branchKeyId: "a", material: new Uint8Array(32).fill(5) });
  });

  test("of an imported data key, another key, another length or name, count for nothing", async () => {
    const wrong: readonly object[] = [
      { Origin: "EXTERNAL" },
      { Origin: undefined },
      { KeyId: OTHER_KEY_ID },
      { NumberOfBytes: 16 },
      { NumberOfBytes: undefined },
      { DataKeyName: `${NAME}0` },
      { DataKeyName: `x${NAME}` },
      { DataKeyName: NAME.replace("c", "d") },
    ];
    for (const fields of wrong) {
      await expect(open({ ...dataKey, ...fields })).rejects.toMatchObject({ code: "ERR_KEY_NOT_FOUND" });
    }
  });

  test("that are malformed are refused", async () => {
    for (const field of ["DataKeyId", "KeyId", "DataKeyName", "CreateTime"]) {
      await expect(open({ ...dataKey, [field]: undefined })).rejects.toMatchObject({ code: "ERR_UNAVAILABLE" });
    }
    for (const Plaintext of [undefined, "", "!", Buffer.alloc(31).toString("base64")]) {
      await expect(open(dataKey, Plaintext ?? null)).rejects.toMatchObject({ code: "ERR_UNAVAILABLE" });
    }
    const endless = {
      DataKeyMetadatas: Array.from({ length: 200 }, () => ({ ...dataKey, DataKeyName: "other" })),
      TotalCount: Number.MAX_SAFE_INTEGER,
    };
    for (const ListDataKeyDetail of [endless, { DataKeyMetadatas: [dataKey] }]) {
      await expect(open(dataKey, plaintext, { ListDataKeyDetail })).rejects.toMatchObject({ code: "ERR_UNAVAILABLE" });
    }
    const twice = { DataKeyMetadatas: [dataKey, dataKey], TotalCount: 2 };
    await expect(open(dataKey, plaintext, { ListDataKeyDetail: twice })).rejects.toMatchObject({
      code: "ERR_UNAVAILABLE",
    });
  });

  test("of a key that was not asked for make no version", async () => {
    const answers = {
      ListDataKeyDetail: { DataKeyMetadatas: [], TotalCount: 0 },
      GenerateDataKey: { KeyId: OTHER_KEY_ID, DataKeyId: dataKey.DataKeyId },
    };
    const store = hostedBranchKeys(new FakeService(answers), { keyId: KEY_ID });
    await expect(store.create("a")).rejects.toMatchObject({ code: "ERR_NO_MATCHING_KEY" });
  });

  test("options that cannot be are refused", () => {
    const client = new FakeService({});
    expect(() => hostedBranchKeys(client, { keyId: KEY_ID, regio: "x" } as never)).toThrow(/regio/);
    expect(() => hostedBranchKeys(client, {} as never)).toThrow(TypeError);
    expect(() => hostedBranchKeys(client, { keyId: KEY_ID, formerKeyIds: "x" as never })).toThrow(TypeError);
    expect(() => hostedBranchKeys({} as never, { keyId: KEY_ID })).toThrow(TypeError);
  });
});
