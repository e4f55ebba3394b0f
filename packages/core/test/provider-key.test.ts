// Keys of a KeyProvider as wrapping keys, over a provider that tells what it was asked and can be made to lie.
import {
  type Capabilities,
  type DecryptRequest,
  discoverKeys,
  type EncryptRequest,
  Envelope,
  FengniError,
  type GenerateDataKeyRequest,
  inspect,
  type KeyProvider,
  providerKey,
  serializeContext,
} from "@fengni/core";
import { describe, expect, test } from "vitest";
import { refusal } from "./support.js";

const KEY_ONE = "key-one";
const KEY_TWO = "key-two";

/** "Wraps" by hiding the data key in a table; the context is compared as a service would. */
class FakeProvider implements KeyProvider {
  readonly providerId: string;
  readonly capabilities: Capabilities;
  readonly aliases = new Map([["app", KEY_ONE]]);
  readonly requests: (GenerateDataKeyRequest | EncryptRequest | DecryptRequest)[] = [];
  /** The key that answers claim to come from, when it is not the true one. */
  lie: string | undefined;
  dataKeyLength: number | undefined;
  readonly #wrapped = new Map<string, { keyId: string; plaintext: Uint8Array; context: string }>();

  constructor(providerId = "fake", maxContextCharacters?: number) {
    this.providerId = providerId;
    this.capabilities = {
      operations: ["generateDataKey", "encrypt", "decrypt"],
      dataKeyBytes: { minimum: 1, maximum: 1024 },
      maxPlaintextBytes: 4096,
      signatureAlgorithms: [],
      asymmetricEncryptionAlgorithms: [],
      maxMessageBytes: 0,
      ...(maxContextCharacters !== undefined && { maxContextCharacters }),
    };
  }

  async resolveKeyId(keyId: string): Promise<string> {
    const resolved = this.aliases.get(keyId) ?? keyId;
    if (resolved !== KEY_ONE && resolved !== KEY_TWO) {
      throw new FengniError("ERR_KEY_NOT_FOUND", `no key ${keyId}`, { details: { keyId } });
    }
    return resolved;
  }

  async encrypt(request: EncryptRequest): Promise<{ keyId: string; ciphertext: Uint8Array }> {
    this.requests.push(request);
    const keyId = await this.resolveKeyId(request.keyId);
    const ciphertext = crypto.getRandomValues(new Uint8Array(20));
    const context = Buffer.from(serializeContext(request.encryptionContext ?? {})).toString("hex");
    this.#wrapped.set(ciphertext.toString(), { keyId, plaintext: new Uint8Array(request.plaintext), context });
    return { keyId, ciphertext };
  }

  async generateDataKey(request: GenerateDataKeyRequest) {
    const plaintext = crypto.getRandomValues(new Uint8Array(this.dataKeyLength ?? request.numberOfBytes));
    return { plaintext, ...(await this.encrypt({ ...request, plaintext })) };
  }

  async decrypt(request: DecryptRequest): Promise<{ keyId: string; plaintext: Uint8Array }> {
    this.requests.push(request);
    const wrapped = this.#wrapped.get(request.ciphertext.toString());
    const context = Buffer.from(serializeContext(request.encryptionContext ?? {})).toString("hex");
    if (wrapped === undefined || wrapped.context !== context) throw new FengniError("ERR_AUTHENTICATION", "no");
    return { keyId: this.lie ?? wrapped.keyId, plaintext: new Uint8Array(wrapped.plaintext) };
  }

  reEncrypt = unsupported;
  sign = unsupported;
  verify = unsupported;
  getPublicKey = unsupported;
  asymmetricDecrypt = unsupported;
  postQuantumEncrypt = unsupported;
  postQuantumDecrypt = unsupported;
  async close(): Promise<void> {}
}

async function unsupported(): Promise<never> {
  throw new FengniError("ERR_NOT_SUPPORTED", "not offered");
}

describe("a key of a provider", () => {
  test("by id and by alias: the message names the provider and the full id", async () => {
    const provider = new FakeProvider();
    for (const reference of [KEY_ONE, "app"]) {
      const envelope = new Envelope({ wrappingKeys: [providerKey(provider, reference)] });
      const message = await envelope.encrypt("x", { encryptionContext: { b: "2", a: "1" } });
      const [key] = inspect(message).encryptedDataKeys;
      expect(key?.providerId).toBe("fake");
      expect(Buffer.from(key?.providerInfo ?? []).toString()).toBe(KEY_ONE);
      expect(await envelope.decryptText(message)).toBe("x");
      expect(provider.requests.at(-1)).toMatchObject({ keyId: KEY_ONE, encryptionContext: { a: "1", b: "2" } });
    }
  });

  test("opens only what its own key wrapped, also when the alias moves on", async () => {
    const provider = new FakeProvider();
    const byAlias = new Envelope({ wrappingKeys: [providerKey(provider, "app")] });
    const message = await byAlias.encrypt("x");
    const other = new Envelope({ wrappingKeys: [providerKey(provider, KEY_TWO)] });
    await refusal(other.decrypt(message), "ERR_NO_MATCHING_KEY");
    provider.aliases.set("app", KEY_TWO);
    await refusal(byAlias.decrypt(message), "ERR_NO_MATCHING_KEY");
    expect(provider.requests.length).toBe(1);
    provider.aliases.delete("app");
    await refusal(byAlias.decrypt(message), "ERR_UNWRAP_FAILED");
  });

  test("another provider's encrypted data key is never sent to this one", async () => {
    const [here, there] = [new FakeProvider("here"), new FakeProvider("there")];
    const message = await new Envelope({ wrappingKeys: [providerKey(here, KEY_ONE)] }).encrypt("x");
    await refusal(
      new Envelope({ wrappingKeys: [providerKey(there, KEY_ONE)] }).decrypt(message),
      "ERR_NO_MATCHING_KEY",
    );
    expect(there.requests).toEqual([]);
  });

  test("an answer in the name of another key is refused", async () => {
    const provider = new FakeProvider();
    const envelope = new Envelope({ wrappingKeys: [providerKey(provider, KEY_ONE)] });
    const message = await envelope.encrypt("x");
    provider.lie = KEY_TWO;
    await refusal(envelope.decrypt(message), "ERR_UNWRAP_FAILED");
    const discovering = new Envelope({ wrappingKeys: [], unwrappingKeys: [discoverKeys(provider)] });
    await refusal(discovering.decrypt(message), "ERR_UNWRAP_FAILED");
  });

  test("a data key of another length than asked is refused", async () => {
    const provider = new FakeProvider();
    provider.dataKeyLength = 16;
    const envelope = new Envelope({ wrappingKeys: [providerKey(provider, KEY_ONE)] });
    await refusal(envelope.encrypt("x"), "ERR_UNAVAILABLE");
  });

  test("as a second wrapping key it wraps the first one's data key", async () => {
    const [first, second] = [new FakeProvider("first"), new FakeProvider("second")];
    const keys = [providerKey(first, KEY_ONE), providerKey(second, KEY_TWO)];
    const message = await new Envelope({ wrappingKeys: keys }).encrypt("x", { encryptionContext: { a: "1" } });
    for (const key of keys) expect(await new Envelope({ wrappingKeys: [key] }).decryptText(message)).toBe("x");
    expect(second.requests[0]).toMatchObject({ encryptionContext: { a: "1" } });
  });

  test("a context longer than the provider carries is replaced by its digest, at the limit exactly", async () => {
    const provider = new FakeProvider("fake", 100);
    const envelope = new Envelope({ wrappingKeys: [providerKey(provider, KEY_ONE)] });
    // {"k":"..."} is 8 characters around the value.
    for (const [length, isWhole] of [
      [92, true],
      [93, false],
      [1000, false],
    ] as const) {
      const encryptionContext = { k: "v".repeat(length) };
      const message = await envelope.encrypt("x", { encryptionContext });
      const sent = Object.keys(provider.requests.at(-1)?.encryptionContext ?? {});
      expect(sent).toEqual(isWhole ? ["k"] : ["fengni-context-digest"]);
      expect({ ...inspect(message).encryptionContext }).toEqual(encryptionContext);
      expect(await envelope.decryptText(message, { encryptionContext })).toBe("x");
    }
  });
});

describe("sealing", () => {
  test("nothing is sealed with the answer for another key, and its data key is wiped", async () => {
    for (const reference of [KEY_ONE, "app"]) {
      const provider = new FakeProvider();
      const given: Uint8Array[] = [];
      const asTwo: KeyProvider = Object.assign(Object.create(provider), {
        async generateDataKey(request: GenerateDataKeyRequest) {
          const generated = await provider.generateDataKey(request);
          given.push(generated.plaintext);
          return { ...generated, keyId: KEY_TWO };
        },
        encrypt: async (request: EncryptRequest) => ({ ...(await provider.encrypt(request)), keyId: KEY_TWO }),
        resolveKeyId: (keyId: string) => provider.resolveKeyId(keyId),
      });
      const key = providerKey(asTwo, reference);
      await refusal(new Envelope({ wrappingKeys: [key] }).encrypt("x"), "ERR_UNAVAILABLE");
      expect(given).toHaveLength(1);
      expect(given[0]?.every((byte) => byte === 0)).toBe(true);
      const good = providerKey(provider, KEY_ONE);
      await refusal(new Envelope({ wrappingKeys: [good, key] }).encrypt("x"), "ERR_UNAVAILABLE");
    }
  });

  test("a key that states only SM algorithms takes no digest for a long context", async () => {
    const provider = new FakeProvider("fake", 100);
    const encryptionContext = { k: "v".repeat(200) };
    const gm = new Envelope({ wrappingKeys: [providerKey(provider, KEY_ONE, { algorithms: ["SM4"] })] });
    await refusal(gm.encrypt("x", { encryptionContext }), "ERR_LIMIT");
    expect(provider.requests).toEqual([]);
    const any = new Envelope({ wrappingKeys: [providerKey(provider, KEY_ONE, { algorithms: ["SM4", "AES"] })] });
    expect(await gm.decryptText(await any.encrypt("x", { encryptionContext }))).toBe("x");
  });
});

describe("discovery", () => {
  test("opens what any key, or any of those listed, wrapped", async () => {
    const provider = new FakeProvider();
    const message = await new Envelope({ wrappingKeys: [providerKey(provider, KEY_TWO)] }).encrypt("x");
    const reading = (keyIds?: readonly string[]): Envelope =>
      new Envelope({
        wrappingKeys: [],
        unwrappingKeys: [discoverKeys(provider, keyIds === undefined ? {} : { keyIds })],
      });
    expect(await reading().decryptText(message)).toBe("x");
    expect(await reading([KEY_ONE, KEY_TWO]).decryptText(message)).toBe("x");
    await refusal(reading([KEY_ONE]).decrypt(message), "ERR_NO_MATCHING_KEY");
    await refusal(reading([]).decrypt(message), "ERR_NO_MATCHING_KEY");
  });
});
