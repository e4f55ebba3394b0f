// What docs/remote-kms.md shows, over the emulator: several regions, hosted data keys, least privilege, credentials that end.
import { Envelope, inspect, providerKey } from "@fengni/core";
import { base64ToBytes, wipe } from "@fengni/crypto/bytes";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  cachedCredentials,
  environmentCredentials,
  TencentKeyAdmin,
  TencentKeyProvider,
  TencentKmsClient,
} from "../src/index.js";
import { type Bench, startBench } from "./emulator-support.js";

const encryptionContext = { tenant: "7" };
const bytes = new Uint8Array(100).fill(7);

let bench: Bench;
beforeAll(async () => {
  bench = await startBench({ smRegions: ["ap-beijing"] });
});
afterAll(() => bench.close());

/** A provider of a region, and its admin. */
function inRegion(region: string) {
  const { client } = bench;
  return {
    provider: new TencentKeyProvider({ client, region, providerId: `tencent-kms:${region}` }),
    admin: new TencentKeyAdmin({ client, region }),
  };
}

describe("several regions", () => {
  test("a message wrapped in two regions opens in either, also when one does not answer", async () => {
    const guangzhou = inRegion("ap-guangzhou");
    const shanghai = inRegion("ap-shanghai");
    // The same alias is another key in each region.
    for (const { admin } of [guangzhou, shanghai]) await admin.createKey({ alias: "orders" });
    const wrappingKeys = [guangzhou, shanghai].map(({ provider }) => providerKey(provider, "orders"));
    const envelope = new Envelope({ wrappingKeys });
    const message = await envelope.encrypt(bytes, { encryptionContext });
    expect(inspect(message).encryptedDataKeys.map(({ providerId }) => providerId)).toEqual([
      "tencent-kms:ap-guangzhou",
      "tencent-kms:ap-shanghai",
    ]);
    for (const key of wrappingKeys) {
      const { plaintext } = await new Envelope({ wrappingKeys: [key] }).decrypt(message, { encryptionContext });
      expect(plaintext).toEqual(bytes);
    }
    await guangzhou.admin.disableKey("orders");
    expect((await envelope.decrypt(message, { encryptionContext })).plaintext).toEqual(bytes);
    await shanghai.admin.disableKey("orders");
    await expect(envelope.decrypt(message, { encryptionContext })).rejects.toMatchObject({ code: "ERR_UNWRAP_FAILED" });
  });

  test("a region of the SM algorithms has SM4 keys, and says so when the other spec is asked for", async () => {
    const { admin, provider } = inRegion("ap-beijing");
    const { keySpec } = await admin.createKey({ alias: "sm" });
    expect(keySpec).toBe("SM4");
    const { ciphertext } = await provider.encrypt({ keyId: "sm", plaintext: bytes });
    expect((await provider.decrypt({ ciphertext, keyId: "sm" })).plaintext).toEqual(bytes);
    await expect(admin.createKey({ keySpec: "AES_256" })).rejects.toMatchObject({ code: "ERR_NOT_SUPPORTED" });
  });
});

describe("hosted data keys", () => {
  test("are made, fetched in both forms and replaced by a new name with the client alone", async () => {
    const { client, admin } = bench;
    const { keyId } = await admin.createKey({ alias: "branches" });
    const create = async (name: string) =>
      client.generateDataKey({ KeyId: keyId, KeySpec: "AES_256", IsHostedByKms: 1, DataKeyName: name });
    const { DataKeyId = "", Plaintext = "" } = await create("tenant-7-v1");
    const fetched = await client.getDataKeyPlaintext({ DataKeyId });
    const material = base64ToBytes(fetched.Plaintext ?? "");
    expect([material.length, fetched.Plaintext]).toEqual([32, Plaintext]);
    wipe(material);
    const { CiphertextBlob = "" } = await client.getDataKeyCiphertextBlob({ DataKeyId });
    const opened = await bench.provider.decrypt({ ciphertext: base64ToBytes(CiphertextBlob), keyId });
    expect(opened.plaintext).toEqual(base64ToBytes(Plaintext));
    const next = await create("tenant-7-v2");
    expect(next.DataKeyId).not.toBe(DataKeyId);
    await client.disableDataKey({ DataKeyId });
    await expect(client.getDataKeyPlaintext({ DataKeyId })).rejects.toMatchObject({ code: "ERR_KEY_STATE" });
  });
});

describe("least privilege", () => {
  const user = { secretId: "AKIDsealer0000000000", secretKey: "sealer-secret-key-0123456789" };
  const root = { secretId: "AKIDroot000000000000", secretKey: "root-secret-key-0123456789" };

  test("the service lets a user decrypt with every key, and the provider only with the one that was named", async () => {
    const guarded = await startBench(
      {
        credentials: {
          ownerUin: "100000000001",
          users: [
            { uin: "100000000001", name: "root", policies: [], keys: [root] },
            { uin: "100000000002", name: "sealer", policies: ["sealer"], keys: [user] },
          ],
        },
        policies: {
          sealer: {
            version: "2.0",
            statement: [
              {
                effect: "allow",
                action: ["kms:GenerateDataKey", "kms:Encrypt"],
                resource: ["qcs::kms:ap-guangzhou:uin/100000000001:key/*"],
                condition: { string_equal: { "qcs:resource_tag": ["team&orders"] } },
              },
              { effect: "allow", action: ["kms:Decrypt"], resource: ["*"] },
            ],
          },
        },
      },
      { credentials: root },
    );
    try {
      const admin = new TencentKeyAdmin({ client: guarded.connect(), ownsClient: true });
      const rootClient = guarded.connect();
      const own = await rootClient.createKey({ Alias: "own", Tags: [{ TagKey: "team", TagValue: "orders" }] });
      const other = await admin.createKey({ alias: "other" });
      const rootProvider = new TencentKeyProvider({ client: rootClient, ownsClient: true });
      const provider = new TencentKeyProvider({ client: guarded.connect({ credentials: user }), ownsClient: true });
      const keyId = own.KeyId ?? "";
      const sealed = await provider.generateDataKey({ keyId, numberOfBytes: 32 });
      expect((await provider.decrypt({ ciphertext: sealed.ciphertext, keyId })).plaintext).toEqual(sealed.plaintext);
      const foreign = await rootProvider.encrypt({ keyId: other.keyId, plaintext: bytes });
      await expect(provider.encrypt({ keyId: other.keyId, plaintext: bytes })).rejects.toMatchObject({
        code: "ERR_DENIED",
      });
      // Not bound to a key by the service:
      expect((await provider.decrypt({ ciphertext: foreign.ciphertext })).keyId).toBe(other.keyId);
      // Bound by the provider:
      const bound = provider.decrypt({ ciphertext: foreign.ciphertext, keyId });
      await expect(bound).rejects.toMatchObject({ code: "ERR_NO_MATCHING_KEY" });
      await Promise.all([admin.close(), provider.close(), rootProvider.close()]);
    } finally {
      await guarded.close();
    }
  });
});

describe("credentials that end", () => {
  test("are replaced once when the service refuses them, and then serve", async () => {
    const { emulator } = bench;
    const right = { secretId: emulator.secretId ?? "", secretKey: emulator.secretKey ?? "" };
    let loads = 0;
    const credentials = cachedCredentials("test", async () => {
      loads += 1;
      return loads === 1 ? { ...right, token: "ended" } : right;
    });
    const client = new TencentKmsClient({ credentials, endpoint: emulator.endpoint, region: emulator.region });
    const provider = new TencentKeyProvider({ client, ownsClient: true });
    const { keyId } = await bench.admin.createKey();
    for (let i = 0; i < 3; i++) await provider.encrypt({ keyId, plaintext: bytes });
    expect(loads).toBe(2);
    await provider.close();
  });

  test("none at all are an error before any request", async () => {
    const { emulator } = bench;
    const { endpoint, region } = emulator;
    const client = new TencentKmsClient({ credentials: environmentCredentials({}), endpoint, region });
    let requests = 0;
    const unsubscribe = emulator.audit.subscribe(() => {
      requests += 1;
    });
    await expect(client.getRegions()).rejects.toMatchObject({
      code: "ERR_CREDENTIALS",
      message: expect.stringContaining("TENCENTCLOUD_SECRET_ID"),
    });
    unsubscribe();
    expect(requests).toBe(0);
    await client.close();
  });
});
