// What the provider sends, what it refuses to send, and what it refuses to believe: against a service that the test plays.
import { FengniError, type KeyProvider } from "@fengni/core";
import { describe, expect, test } from "vitest";
import { listOffers, TencentKeyAdmin, TencentKeyProvider, type TencentKeyProviderOptions } from "../src/index.js";
import { FakeService, KEY_ID, metadata, OTHER_KEY_ID } from "./fake-service.js";

const ARGUMENT = { code: "ERR_ARGUMENT" };
const bytes = (length: number): Uint8Array => new Uint8Array(length).fill(7);
const base64 = (data: Uint8Array): string => Buffer.from(data).toString("base64");

function setUp(answers: FakeService["answers"], options: Partial<TencentKeyProviderOptions> = {}) {
  const service = new FakeService(answers);
  const time = { ms: 0 };
  const provider = new TencentKeyProvider({ client: service, elapsed: () => time.ms, ...options });
  return { service, time, provider };
}

describe("what is sent", () => {
  test("the context as canonical JSON, in any order, and none for an empty one", async () => {
    const { service, provider } = setUp({ Encrypt: { KeyId: KEY_ID, CiphertextBlob: "AAEC" } });
    for (const encryptionContext of [{ b: "2", a: "\u00e9\n" }, { a: "\u00e9\n", b: "2" }, {}]) {
      await provider.encrypt({ keyId: KEY_ID, plaintext: bytes(3), encryptionContext });
    }
    expect(service.requests.map(({ params }) => params["EncryptionContext"])).toEqual([
      '{"a":"\u00e9\\n","b":"2"}',
      '{"a":"\u00e9\\n","b":"2"}',
      undefined,
    ]);
    expect(service.requests[2]?.params).toEqual({ KeyId: KEY_ID, Plaintext: "BwcH" });
  });

  test("the region of the provider, and never what a caller adds", async () => {
    const { service, provider } = setUp(
      { Encrypt: { KeyId: KEY_ID, CiphertextBlob: "AAEC" } },
      { region: "ap-beijing" },
    );
    await provider.encrypt({ keyId: KEY_ID, plaintext: bytes(1) }, { region: "ap-elsewhere" } as object);
    expect(service.requests[0]?.region).toBe("ap-beijing");
  });

  test("data keys by their number of bytes", async () => {
    const answer = { KeyId: KEY_ID, CiphertextBlob: "AAEC", Plaintext: base64(bytes(17)) };
    const { service, provider } = setUp({ GenerateDataKey: answer });
    const made = await provider.generateDataKey({ keyId: KEY_ID, numberOfBytes: 17, encryptionContext: { a: "b" } });
    expect(made).toEqual({ keyId: KEY_ID, plaintext: bytes(17), ciphertext: Uint8Array.of(0, 1, 2) });
    expect(service.requests[0]?.params).toEqual({ KeyId: KEY_ID, NumberOfBytes: 17, EncryptionContext: '{"a":"b"}' });
  });

  test("signatures under the service's names", async () => {
    const answer = { Signature: "AAEC" };
    const { service, provider } = setUp({ SignByAsymmetricKey: answer, PostQuantumCryptoSign: answer });
    await provider.sign({ keyId: KEY_ID, algorithm: "ECDSA_P256_SHA_256", message: bytes(3) });
    await provider.sign({ keyId: KEY_ID, algorithm: "ECDSA_P384_SHA_384", message: bytes(48), messageType: "digest" });
    await provider.sign({ keyId: KEY_ID, algorithm: "ML_DSA_65", message: bytes(3) });
    expect(service.requests.map(({ action, params }) => [action, params["Algorithm"], params["MessageType"]])).toEqual([
      ["SignByAsymmetricKey", "ECC_P256_R1", "RAW"],
      ["SignByAsymmetricKey", "ECDSA_384", "DIGEST"],
      ["PostQuantumCryptoSign", undefined, undefined],
    ]);
  });

  test("a signature of an impossible length as one byte, and it is never valid", async () => {
    const { service, provider } = setUp({
      VerifyByAsymmetricKey: { SignatureValid: true },
      PostQuantumCryptoVerify: { SignatureValid: true },
    });
    const request = { keyId: KEY_ID, algorithm: "SM2DSA", message: bytes(3) } as const;
    const valid = [];
    for (const length of [0, 1, 1_024, 1_025]) {
      valid.push((await provider.verify({ ...request, signature: bytes(length) })).valid);
    }
    for (const length of [3_309, 8_193]) {
      valid.push((await provider.verify({ ...request, algorithm: "ML_DSA_65", signature: bytes(length) })).valid);
    }
    expect(valid).toEqual([false, true, true, false, true, false]);
    const lengths = service.requests.map(
      ({ params }) => Buffer.from(String(params["SignatureValue"]), "base64").length,
    );
    expect(lengths).toEqual([1, 1, 1_024, 1, 3_309, 1]);
  });

  test("what was given at the time of the call, though the caller's buffer changes while an alias is looked up", async () => {
    let release = (): void => {};
    const looked = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { service, provider } = setUp({
      ListKeyDetail: async () => {
        await looked;
        return { TotalCount: 1, KeyMetadatas: [metadata()] };
      },
      Encrypt: { KeyId: KEY_ID, CiphertextBlob: "AAEC" },
    });
    const plaintext = bytes(3);
    const call = provider.encrypt({ keyId: "sealer", plaintext });
    plaintext.fill(0);
    release();
    await call;
    expect(service.requests[1]?.params["Plaintext"]).toBe("BwcH");
  });
});

describe("what is not sent", () => {
  const long = { a: "x".repeat(1_017) };
  const refused: readonly (readonly [string, (provider: KeyProvider) => Promise<unknown>, object])[] = [
    ["a plaintext too long", (p) => p.encrypt({ keyId: KEY_ID, plaintext: bytes(4_097) }), { code: "ERR_LIMIT" }],
    ["no plaintext", (p) => p.encrypt({ keyId: KEY_ID, plaintext: bytes(0) }), ARGUMENT],
    ["a text", (p) => p.encrypt({ keyId: KEY_ID, plaintext: "text" as never }), ARGUMENT],
    ["no key", (p) => p.encrypt({ keyId: "", plaintext: bytes(1) }), ARGUMENT],
    ["a key that is no text", (p) => p.encrypt({ keyId: 7 as never, plaintext: bytes(1) }), ARGUMENT],
    [
      "a field it does not know",
      (p) => p.encrypt({ keyId: KEY_ID, plaintext: bytes(1), context: {} } as never),
      ARGUMENT,
    ],
    [
      "a context too long",
      (p) => p.encrypt({ keyId: KEY_ID, plaintext: bytes(1), encryptionContext: long }),
      { code: "ERR_LIMIT", details: { maximum: 1_024, actual: 1_025, limit: expect.any(String) } },
    ],
    [
      "a context that is a map",
      (p) => p.encrypt({ keyId: KEY_ID, plaintext: bytes(1), encryptionContext: new Map() as never }),
      ARGUMENT,
    ],
    ["a data key too long", (p) => p.generateDataKey({ keyId: KEY_ID, numberOfBytes: 1_025 }), { code: "ERR_LIMIT" }],
    ["a data key of nothing", (p) => p.generateDataKey({ keyId: KEY_ID, numberOfBytes: 0 }), ARGUMENT],
    ["a data key of half a byte", (p) => p.generateDataKey({ keyId: KEY_ID, numberOfBytes: 0.5 }), ARGUMENT],
    ["a ciphertext too long", (p) => p.decrypt({ ciphertext: bytes(8_193) }), { code: "ERR_CIPHERTEXT_INVALID" }],
    ["no ciphertext", (p) => p.decrypt({ ciphertext: bytes(0) }), ARGUMENT],
    [
      "a message too long",
      (p) => p.sign({ keyId: KEY_ID, algorithm: "SM2DSA", message: bytes(4_097) }),
      { code: "ERR_LIMIT" },
    ],
    [
      "a digest of another length",
      (p) => p.sign({ keyId: KEY_ID, algorithm: "ECDSA_P384_SHA_384", message: bytes(32), messageType: "digest" }),
      ARGUMENT,
    ],
    [
      "a digest for an algorithm without",
      (p) => p.sign({ keyId: KEY_ID, algorithm: "ML_DSA_65", message: bytes(32), messageType: "digest" }),
      ARGUMENT,
    ],
    [
      "an unknown algorithm",
      (p) => p.sign({ keyId: KEY_ID, algorithm: "constructor" as never, message: bytes(32) }),
      { code: "ERR_NOT_SUPPORTED" },
    ],
    [
      "an unknown encryption",
      (p) => p.asymmetricDecrypt({ keyId: KEY_ID, algorithm: "__proto__" as never, ciphertext: bytes(256) }),
      { code: "ERR_NOT_SUPPORTED" },
    ],
    ["a name that no key can have", (p) => p.resolveKeyId("__proto__"), { code: "ERR_KEY_NOT_FOUND" }],
  ];

  test.each(refused)("%s", async (_name, call, error) => {
    const { service, provider } = setUp({});
    await expect(call(provider)).rejects.toMatchObject(error);
    expect(service.requests).toEqual([]);
  });

  test("advice goes with what is too long", async () => {
    const { provider } = setUp({});
    const plaintext = provider.encrypt({ keyId: KEY_ID, plaintext: bytes(5_000) });
    await expect(plaintext).rejects.toThrow(
      "plaintext length is 5000, more than the allowed 4096: seal it with an Envelope",
    );
    const context = provider.decrypt({ ciphertext: bytes(1), encryptionContext: long });
    await expect(context).rejects.toThrow(/store less in it, or seal with an Envelope/);
  });
});

describe("what is not believed", () => {
  const secret = base64(bytes(32));
  const operations: readonly (readonly [string, FakeService["answers"], (p: KeyProvider) => Promise<unknown>])[] = [
    [
      "decrypt",
      { Decrypt: { KeyId: OTHER_KEY_ID, Plaintext: secret } },
      (p) => p.decrypt({ ciphertext: bytes(9), keyId: KEY_ID }),
    ],
    [
      "generateDataKey",
      { GenerateDataKey: { KeyId: OTHER_KEY_ID, Plaintext: secret, CiphertextBlob: "AAEC" } },
      (p) => p.generateDataKey({ keyId: KEY_ID, numberOfBytes: 32 }),
    ],
    [
      "encrypt",
      { Encrypt: { KeyId: OTHER_KEY_ID, CiphertextBlob: "AAEC" } },
      (p) => p.encrypt({ keyId: KEY_ID, plaintext: bytes(1) }),
    ],
    [
      "reEncrypt to a key",
      { ReEncrypt: { KeyId: OTHER_KEY_ID, SourceKeyId: OTHER_KEY_ID, CiphertextBlob: "AAEC" } },
      (p) => p.reEncrypt({ ciphertext: bytes(9), destinationKeyId: KEY_ID }),
    ],
    [
      "reEncrypt within a key",
      { ReEncrypt: { KeyId: OTHER_KEY_ID, SourceKeyId: KEY_ID, CiphertextBlob: "AAEC" } },
      (p) => p.reEncrypt({ ciphertext: bytes(9) }),
    ],
    [
      "asymmetricDecrypt",
      { AsymmetricRsaDecrypt: { KeyId: OTHER_KEY_ID, Plaintext: secret } },
      (p) => p.asymmetricDecrypt({ keyId: KEY_ID, algorithm: "RSAES_OAEP_SHA_256", ciphertext: bytes(256) }),
    ],
    [
      "postQuantumDecrypt",
      { PostQuantumCryptoDecrypt: { KeyId: OTHER_KEY_ID, PlainText: secret } },
      (p) => p.postQuantumDecrypt({ ciphertext: bytes(9), keyId: KEY_ID }),
    ],
    [
      "getPublicKey",
      { GetPublicKey: { KeyId: OTHER_KEY_ID, PublicKey: "AAEC" } },
      (p) => p.getPublicKey({ keyId: KEY_ID }),
    ],
  ];

  test.each(operations)("%s, answered for another key", async (_name, answers, call) => {
    const error: unknown = await call(setUp(answers).provider).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: "ERR_NO_MATCHING_KEY",
      retryable: false,
      details: { available: [OTHER_KEY_ID] },
    });
    expect(String(error)).not.toContain(secret);
  });

  test("decryption without a named key says which key it was", async () => {
    const { provider } = setUp({ Decrypt: { KeyId: OTHER_KEY_ID.toUpperCase(), Plaintext: "BwcH" } });
    expect(await provider.decrypt({ ciphertext: bytes(9) })).toEqual({ keyId: OTHER_KEY_ID, plaintext: bytes(3) });
  });

  test.each([
    ["text", "not base64!"],
    ["base64 cut short", "BwcHB"],
    ["base64url", "-_-_"],
    ["bits that carry nothing", "Bwd="],
    ["nothing", ""],
    ["null", null],
    ["a number", 7],
    ["left out", undefined],
  ])("a plaintext that is %s", async (_name, Plaintext) => {
    const { provider } = setUp({ Decrypt: { KeyId: KEY_ID, Plaintext } });
    const error: unknown = await provider.decrypt({ ciphertext: bytes(9) }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "ERR_UNAVAILABLE", retryable: true });
    expect((error as Error).cause).toBeUndefined();
    if (typeof Plaintext === "string" && Plaintext !== "") expect(String(error)).not.toContain(Plaintext);
  });

  test("a data key of another length, and answers without a key", async () => {
    const short = { KeyId: KEY_ID, Plaintext: base64(bytes(31)), CiphertextBlob: "AAEC" };
    const { service, provider } = setUp({ GenerateDataKey: short });
    const call = () => provider.generateDataKey({ keyId: KEY_ID, numberOfBytes: 32 });
    await expect(call()).rejects.toMatchObject({ code: "ERR_UNAVAILABLE" });
    service.answers = { GenerateDataKey: { Plaintext: secret, CiphertextBlob: "AAEC" } };
    await expect(call()).rejects.toMatchObject({ code: "ERR_UNAVAILABLE" });
  });

  test("a verdict that is neither true nor false", async () => {
    const { provider } = setUp({ VerifyByAsymmetricKey: {} });
    const request = { keyId: KEY_ID, algorithm: "SM2DSA", message: bytes(1), signature: bytes(70) } as const;
    await expect(provider.verify(request)).rejects.toMatchObject({ code: "ERR_UNAVAILABLE" });
  });

  test("RSA decryption may give no bytes: a wrong padding must look like any other answer", async () => {
    const { provider } = setUp({ AsymmetricRsaDecrypt: { KeyId: KEY_ID, Plaintext: "" } });
    const request = { keyId: KEY_ID, algorithm: "RSAES_PKCS1_V1_5", ciphertext: bytes(256) } as const;
    expect((await provider.asymmetricDecrypt(request)).plaintext).toEqual(bytes(0));
  });

  test("a ciphertext of a wrong length says whether the key is at fault", async () => {
    const { service, provider } = setUp({ DescribeKey: { KeyMetadata: metadata() } });
    const request = { keyId: KEY_ID, algorithm: "RSAES_OAEP_SHA_1", ciphertext: bytes(255) } as const;
    await expect(provider.asymmetricDecrypt(request)).rejects.toMatchObject({ code: "ERR_KEY_USAGE" });
    service.answers = { DescribeKey: new FengniError("ERR_DENIED", "no") };
    const other = { ...request, keyId: OTHER_KEY_ID };
    await expect(provider.asymmetricDecrypt(other)).rejects.toMatchObject({ code: "ERR_CIPHERTEXT_INVALID" });
  });
});

const metadataOf = (keyId: string): object => ({ KeyMetadata: metadata({ KeyId: keyId }) });

describe("aliases", () => {
  const list = (...aliases: readonly string[]) => ({
    TotalCount: aliases.length,
    KeyMetadatas: aliases.map((Alias, index) => metadata({ Alias, KeyId: `${KEY_ID.slice(0, -1)}${index}` })),
  });
  const id = (index: number): string => `${KEY_ID.slice(0, -1)}${index}`;
  const encrypted = { Encrypt: ({ KeyId }: Readonly<Record<string, unknown>>) => ({ KeyId, CiphertextBlob: "AAEC" }) };

  test("are found among those that have the text in them, and remembered", async () => {
    const { service, time, provider } = setUp({ ListKeyDetail: list("sealer-2", "my-sealer", "sealer"), ...encrypted });
    for (let i = 0; i < 3; i++) {
      expect((await provider.encrypt({ keyId: "sealer", plaintext: bytes(1) })).keyId).toBe(id(2));
    }
    expect(service.count("ListKeyDetail")).toBe(1);
    expect(service.requests[0]?.params).toMatchObject({ SearchKeyAlias: "sealer", KeyUsage: "ALL", Role: 0 });
    time.ms = 299_999;
    await provider.resolveKeyId("sealer");
    expect(service.count("ListKeyDetail")).toBe(1);
    time.ms = 300_000;
    await provider.resolveKeyId("sealer");
    expect(service.count("ListKeyDetail")).toBe(2);
  });

  test("that moved open what their present key made: they are looked up once again", async () => {
    let present = KEY_ID;
    const { service, provider } = setUp({
      ListKeyDetail: () => ({ TotalCount: 1, KeyMetadatas: [metadata({ KeyId: present })] }),
      Decrypt: () => ({ KeyId: OTHER_KEY_ID, Plaintext: "AAEC" }),
    });
    const open = () => provider.decrypt({ ciphertext: bytes(1), keyId: "sealer" });
    await provider.resolveKeyId("sealer");
    await expect(open()).rejects.toMatchObject({ code: "ERR_NO_MATCHING_KEY" });
    expect(service.count("ListKeyDetail")).toBe(2);
    present = OTHER_KEY_ID;
    expect((await open()).keyId).toBe(OTHER_KEY_ID);
    expect([service.count("ListKeyDetail"), service.count("Decrypt")]).toEqual([3, 2]);
  });

  test("an answer about another key is refused, and nothing of it is remembered", async () => {
    const { service, provider } = setUp({
      DescribeKey: metadataOf(OTHER_KEY_ID),
      GetPublicKey: { KeyId: KEY_ID, PublicKey: "AAEC" },
    });
    const refused = { code: "ERR_NO_MATCHING_KEY" };
    await expect(provider.resolveKeyId(KEY_ID)).rejects.toMatchObject(refused);
    await expect(provider.getPublicKey({ keyId: KEY_ID })).rejects.toMatchObject(refused);
    service.answers.DescribeKey = metadataOf(KEY_ID);
    expect(await provider.resolveKeyId(KEY_ID)).toBe(KEY_ID);
    expect((await provider.getPublicKey({ keyId: KEY_ID })).keyUsage).toBe("encrypt-decrypt");
  });

  test("are looked for on every page", async () => {
    const { service, provider } = setUp({
      ListKeyDetail: ({ Offset }) => ({
        TotalCount: 401,
        KeyMetadatas:
          Offset === 400
            ? [metadata()]
            : Array.from({ length: 200 }, (_value, index) => metadata({ Alias: `sealer-${index}` })),
      }),
    });
    expect(await provider.resolveKeyId("sealer")).toBe(KEY_ID);
    expect(service.requests.map(({ params }) => params["Offset"])).toEqual([0, 200, 400]);
  });

  test("that name nothing are remembered for a moment", async () => {
    const { service, time, provider } = setUp({ ListKeyDetail: list("sealer-2") });
    const call = () => provider.encrypt({ keyId: "sealer", plaintext: bytes(1) });
    for (let i = 0; i < 3; i++) await expect(call()).rejects.toMatchObject({ code: "ERR_KEY_NOT_FOUND" });
    expect(service.count("ListKeyDetail")).toBe(1);
    time.ms = 2_000;
    await expect(call()).rejects.toMatchObject({ code: "ERR_KEY_NOT_FOUND", details: { keyId: "sealer" } });
    expect(service.count("ListKeyDetail")).toBe(2);
  });

  test("are asked for once by all who ask at once; who gives up does not end the question", async () => {
    const { service, provider } = setUp({ ListKeyDetail: list("sealer"), ...encrypted });
    const controller = new AbortController();
    const reason = new Error("given up");
    const aborted = provider.encrypt({ keyId: "sealer", plaintext: bytes(1) }, { signal: controller.signal });
    const others = Array.from({ length: 20 }, () => provider.encrypt({ keyId: "sealer", plaintext: bytes(1) }));
    controller.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    await Promise.all(others);
    expect(service.count("ListKeyDetail")).toBe(1);
  });

  test("are asked for again when the key that they named does not serve", async () => {
    const gone = new FengniError("ERR_KEY_NOT_FOUND", "gone", { details: { keyId: KEY_ID } });
    const { service, provider } = setUp({ ListKeyDetail: list("sealer"), Encrypt: gone });
    const call = () => provider.encrypt({ keyId: "sealer", plaintext: bytes(1) });
    await expect(call()).rejects.toBe(gone);
    service.answers = { ListKeyDetail: list("other", "sealer"), ...encrypted };
    expect((await call()).keyId).toBe(id(1));
  });

  test("that an admin over the same client moves count at once", async () => {
    const { service, provider } = setUp({ ListKeyDetail: list("sealer"), UpdateAlias: {} });
    const admin = new TencentKeyAdmin({ client: service });
    expect(await provider.resolveKeyId("sealer")).toBe(id(0));
    service.answers = { ...service.answers, ListKeyDetail: list("other", "sealer") };
    expect(await provider.resolveKeyId("sealer")).toBe(id(0));
    await admin.updateAlias(OTHER_KEY_ID, "sealer");
    expect(await provider.resolveKeyId("sealer")).toBe(id(1));
  });

  test("count at once also where only one of the two names the client's region", async () => {
    const service = Object.assign(new FakeService({ ListKeyDetail: list("sealer"), UpdateAlias: {} }), {
      region: "ap-beijing",
    });
    const provider = new TencentKeyProvider({ client: service, region: "ap-beijing" });
    const elsewhere = new TencentKeyAdmin({ client: service, region: "ap-shanghai" });
    expect(await provider.resolveKeyId("sealer")).toBe(id(0));
    await elsewhere.updateAlias(OTHER_KEY_ID, "sealer");
    await provider.resolveKeyId("sealer");
    expect(service.count("ListKeyDetail")).toBe(1);
    await new TencentKeyAdmin({ client: service }).updateAlias(OTHER_KEY_ID, "sealer");
    await provider.resolveKeyId("sealer");
    expect(service.count("ListKeyDetail")).toBe(2);
  });

  test("are asked for at each call when nothing is to be remembered", async () => {
    const { service, provider } = setUp({ ListKeyDetail: list("sealer"), ...encrypted }, { aliasCacheMs: 0 });
    for (let i = 0; i < 3; i++) await provider.encrypt({ keyId: "sealer", plaintext: bytes(1) });
    expect(service.count("ListKeyDetail")).toBe(3);
  });

  test("of products are looked for among the products' keys", async () => {
    const { service, provider } = setUp({ ListKeyDetail: list("kms-cos") });
    expect(await provider.resolveKeyId("kms-cos")).toBe(id(0));
    expect(service.requests[0]?.params["Role"]).toBe(1);
  });

  test("a lookup that fails is not remembered", async () => {
    const down = new FengniError("ERR_UNAVAILABLE", "down");
    const { service, provider } = setUp({ ListKeyDetail: down });
    await expect(provider.resolveKeyId("sealer")).rejects.toBe(down);
    service.answers = { ListKeyDetail: list("sealer") };
    expect(await provider.resolveKeyId("sealer")).toBe(id(0));
  });

  test("an id stands for itself, and is looked up only to be resolved", async () => {
    const { service, provider } = setUp({ DescribeKey: { KeyMetadata: metadata() }, ...encrypted });
    await provider.encrypt({ keyId: KEY_ID.toUpperCase(), plaintext: bytes(1) });
    expect(service.requests.map(({ action }) => action)).toEqual(["Encrypt"]);
    expect(await provider.resolveKeyId(KEY_ID.toUpperCase())).toBe(KEY_ID);
    service.answers = { DescribeKey: new FengniError("ERR_KEY_NOT_FOUND", "none") };
    await expect(provider.resolveKeyId(OTHER_KEY_ID)).rejects.toMatchObject({ code: "ERR_KEY_NOT_FOUND" });
  });
});

describe("the provider itself", () => {
  test("claims what the region offers, and refuses the rest", async () => {
    const service = new FakeService({
      ListAlgorithms: {
        SymmetricAlgorithms: [{ KeyUsage: "ENCRYPT_DECRYPT", Algorithm: "AES_256" }],
        AsymmetricAlgorithms: [{ KeyUsage: "SOMETHING_NEW", Algorithm: "X" }],
        AsymmetricSignVerifyAlgorithms: [{ KeyUsage: "ASYMMETRIC_SIGN_VERIFY_ECC", Algorithm: "ECC_P256_R1" }],
      },
    });
    const offers = await listOffers(service, "ap-shanghai");
    expect(service.requests[0]?.region).toBe("ap-shanghai");
    const provider = new TencentKeyProvider({ client: service, offers });
    expect(provider.capabilities).toMatchObject({
      operations: ["generateDataKey", "encrypt", "decrypt", "reEncrypt", "sign", "verify", "getPublicKey"],
      signatureAlgorithms: ["ECDSA_P256_SHA_256"],
      asymmetricEncryptionAlgorithms: [],
    });
    const unclaimed = [
      provider.sign({ keyId: KEY_ID, algorithm: "SM2DSA", message: bytes(1) }),
      provider.postQuantumEncrypt({ keyId: KEY_ID, plaintext: bytes(1) }),
      provider.asymmetricDecrypt({ keyId: KEY_ID, algorithm: "RSAES_OAEP_SHA_1", ciphertext: bytes(256) }),
    ];
    for (const call of unclaimed) await expect(call).rejects.toMatchObject({ code: "ERR_NOT_SUPPORTED" });
  });

  test.each([true, false])("closes the client only if it owns it (%s)", async (ownsClient) => {
    const { service, provider } = setUp({}, { ownsClient });
    await Promise.all([provider.close(), provider.close()]);
    expect(service.isClosed).toBe(ownsClient);
    await expect(provider.decrypt({ ciphertext: bytes(1) })).rejects.toMatchObject({ code: "ERR_CLOSED" });
    await expect(provider.resolveKeyId(KEY_ID)).rejects.toMatchObject({ code: "ERR_CLOSED" });
    expect(service.requests).toEqual([]);
  });

  test.each([
    ["no client", {}],
    ["an unknown option", { client: new FakeService({}), key: "a" }],
    ["a region of another form", { client: new FakeService({}), region: "Guangzhou!" }],
    ["an empty provider id", { client: new FakeService({}), providerId: "" }],
    ["offers that are none", { client: new FakeService({}), offers: {} }],
    ["a negative age", { client: new FakeService({}), aliasCacheMs: -1 }],
  ])("refuses %s", (_name, options) => {
    expect(() => new TencentKeyProvider(options as TencentKeyProviderOptions)).toThrow(
      expect.objectContaining(ARGUMENT),
    );
  });
});
