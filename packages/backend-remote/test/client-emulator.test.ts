// The client against the emulator: real HTTP, real signatures, real refusals, through both ways in.
import { type Emulator, startEmulator } from "@fengni/emulator";
import { ACTIONS } from "@fengni/kms-api";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TencentKmsClient } from "../src/client.js";
import type { Clock } from "../src/clock.js";
import { systemClock } from "../src/clock.js";
import { officialClientTransport } from "../src/transport-client.js";
import { rejection } from "./client-support.js";
import { officialClient } from "./official-client.js";

const MISSING_ID = "01234567-89ab-4cde-8f01-23456789abcd";

let emulator: Emulator;
let ways: Readonly<Record<string, TencentKmsClient>>;

function credentialsOf({ secretId, secretKey }: Emulator): { secretId: string; secretKey: string } {
  if (secretId === undefined || secretKey === undefined) throw new Error("the emulator made no credential");
  return { secretId, secretKey };
}

beforeAll(async () => {
  emulator = await startEmulator();
  const { endpoint, region } = emulator;
  const credentials = credentialsOf(emulator);
  const official = officialClient(new URL(endpoint).host, region, credentials);
  ways = {
    "our own transport": new TencentKmsClient({
      endpoint,
      region,
      credentials,
      attemptTimeoutMs: 60_000,
      timeoutMs: 60_000,
    }),
    "the official client": new TencentKmsClient({ region, transport: officialClientTransport(official) }),
  };
});

afterAll(async () => {
  await Promise.all(Object.values(ways).map((kms) => kms.close()));
  await emulator.close();
});

describe.each(["our own transport", "the official client"])("through %s", (way) => {
  const client = (): TencentKmsClient => {
    const kms = ways[way];
    if (kms === undefined) throw new Error(way);
    return kms;
  };
  const aliasOf = (name: string): string => `${name}-${way.replaceAll(" ", "-")}`;
  const keyOf = async (name: string, KeyUsage?: string): Promise<string> => {
    const { KeyId = "" } = await client().createKey({
      Alias: aliasOf(name),
      ...(KeyUsage === undefined ? {} : { KeyUsage }),
    });
    return KeyId;
  };

  test("a plaintext comes back, with its context only", async () => {
    const kms = client();
    const KeyId = await keyOf("symmetric");
    const EncryptionContext = '{"名":"值"}';
    const { CiphertextBlob = "" } = await kms.encrypt({ KeyId, Plaintext: "aGVsbG8=", EncryptionContext });
    expect(await kms.decrypt({ CiphertextBlob, EncryptionContext })).toMatchObject({ KeyId, Plaintext: "aGVsbG8=" });
    expect(await rejection(kms.decrypt({ CiphertextBlob }))).toMatchObject({
      code: "ERR_AUTHENTICATION",
      vendorCode: "FailedOperation.DecryptError",
    });
  });

  test("data keys, signatures and public keys are what they say", async () => {
    const kms = client();
    const KeyId = await keyOf("data-keys");
    const { Plaintext = "", CiphertextBlob = "" } = await kms.generateDataKey({ KeyId, NumberOfBytes: 32 });
    expect((await kms.decrypt({ CiphertextBlob })).Plaintext).toBe(Plaintext);
    const signer = await keyOf("signer", "ASYMMETRIC_SIGN_VERIFY_ECC");
    const message = { KeyId: signer, Algorithm: "ECC_P256_R1", Message: "aGVsbG8=" };
    const { Signature = "" } = await kms.signByAsymmetricKey(message);
    expect((await kms.verifyByAsymmetricKey({ ...message, SignatureValue: Signature })).SignatureValid).toBe(true);
    expect((await kms.getPublicKey({ KeyId: signer })).PublicKeyPem).toContain("BEGIN PUBLIC KEY");
  });

  test("a key goes through its life, and its refusals are typed", async () => {
    const kms = client();
    const KeyId = await keyOf("life");
    await kms.disableKey({ KeyId });
    expect(await rejection(kms.encrypt({ KeyId, Plaintext: "QQ==" }))).toMatchObject({
      code: "ERR_KEY_STATE",
      details: { keyId: KeyId, state: "disabled", reason: "ResourceUnavailable.CmkDisabled" },
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect((await kms.describeKey({ KeyId })).KeyMetadata).toMatchObject({ KeyState: "Disabled" });
    await kms.scheduleKeyDeletion({ KeyId, PendingWindowInDays: 7 });
    expect((await kms.describeKey({ KeyId })).KeyMetadata).toMatchObject({ KeyState: "PendingDelete" });
    expect(await rejection(kms.describeKey({ KeyId: MISSING_ID }))).toMatchObject({ code: "ERR_KEY_NOT_FOUND" });
    expect(await rejection(kms.createKey({ Alias: aliasOf("life") }))).toMatchObject({ code: "ERR_CONFLICT" });
  });

  test("every action that needs no fields is answered", async () => {
    const kms = client();
    const plain = ACTIONS.filter(
      ({ access, request, rules }) =>
        access !== "write" && rules === undefined && !request.some(({ required }) => required),
    );
    expect(plain.length).toBeGreaterThan(15);
    for (const { name } of plain) expect(await kms.request(name), name).toHaveProperty("RequestId");
  });
});

describe("faults of the service", () => {
  test.each(["reset", "http-5xx", "internal-error", "reset-after", "truncate", "garble", "throttle"] as const)(
    "%s is got over, where that is safe",
    async (kind) => {
      const kms = ways["our own transport"] as TencentKmsClient;
      emulator.faults.add({ kind, count: 1 });
      expect((await kms.generateRandom({ NumberOfBytes: 8 })).Plaintext).toHaveLength(12);
      emulator.faults.add({ kind, count: 1 });
      const created = kms.createKey({ Alias: `fault-${kind}` });
      if (kind === "throttle") await created;
      else expect(await rejection(created)).toMatchObject({ isAmbiguous: true, retryable: false });
      expect(emulator.faults.list()).toEqual([]);
    },
  );

  test("a clock that is wrong is put right", async () => {
    const wrong: Clock = { ...systemClock, now: () => systemClock.now() - 3_600_000 };
    const { endpoint, region } = emulator;
    const kms = new TencentKmsClient({ endpoint, region, credentials: credentialsOf(emulator), clock: wrong });
    await kms.createKey({ Alias: "late" });
    await kms.close();
  });

  test("wrong credentials are refused", async () => {
    const { endpoint, region } = emulator;
    const credentials = { ...credentialsOf(emulator), secretKey: "another" };
    const kms = new TencentKmsClient({ endpoint, region, credentials });
    expect(await rejection(kms.listKeys())).toMatchObject({
      code: "ERR_CREDENTIALS",
      vendorCode: "AuthFailure.SignatureFailure",
      isAmbiguous: false,
    });
    await kms.close();
  });
});
