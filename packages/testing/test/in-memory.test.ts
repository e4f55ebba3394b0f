// The in-memory double as an application's tests use it; the kit covers the contract.
import { Envelope, providerKey } from "@fengni/core";
import { describe, expect, test } from "vitest";
import { inMemoryProvider } from "../src/index.js";
import { findSecret } from "../src/secrets.js";

const DAY_MS = 86_400_000;

describe("inMemoryProvider", () => {
  test("is there at once, with two keys for each use", async () => {
    const { provider, keys, admin } = inMemoryProvider({ providerId: "double" });
    expect(provider.providerId).toBe("double");
    expect(Object.keys(keys.sign).length).toBe(6);
    expect(Object.keys(keys.asymmetricDecrypt).length).toBe(4);
    const { keys: listed } = await admin.listKeys();
    // Symmetric, post-quantum, ML-DSA and two curves, and RSA and SM2 for both of their uses.
    expect(listed.length).toBe(2 * 9);
    const envelope = new Envelope({ wrappingKeys: [providerKey(provider, keys.symmetric[0])] });
    await expect(envelope.decryptText(await envelope.encrypt("kept"))).resolves.toBe("kept");
  });

  test("its time stands still until the test moves it", async () => {
    const { admin, clock } = inMemoryProvider();
    const before = clock.now();
    const { keyId, createdAtMs } = await admin.createKey();
    expect(createdAtMs).toBe(before);
    await admin.enableKeyRotation(keyId, 30);
    clock.advance(95 * DAY_MS);
    expect(await admin.describeKey(keyId)).toMatchObject({ versions: 4, nextRotationAtMs: before + 120 * DAY_MS });
    expect(() => clock.advance(-1)).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
  });

  test("doubles share nothing", async () => {
    const [a, b] = [inMemoryProvider(), inMemoryProvider()];
    const [keyId] = a.keys.symmetric;
    const { ciphertext } = await a.provider.encrypt({ keyId, plaintext: Uint8Array.of(1) });
    await expect(b.provider.decrypt({ ciphertext })).rejects.toMatchObject({ code: "ERR_KEY_NOT_FOUND" });
  });
});

describe("findSecret", () => {
  const bytes = Uint8Array.from({ length: 24 }, (_value, index) => 40 + 7 * ((index * 5) % 24));
  const secrets = [{ name: "the secret", bytes }];
  const buffer = Buffer.from(bytes);

  test.each([
    ["bytes", { key: bytes }],
    ["bytes inside longer ones", [Buffer.concat([Buffer.alloc(3), buffer, Buffer.alloc(3)])]],
    ["hex", `x${buffer.toString("hex").toUpperCase()}x`],
    ["base64", new Error(buffer.toString("base64"))],
    ["base64url after two bytes", Buffer.concat([Buffer.alloc(2), buffer]).toString("base64url")],
    ["numbers", `key: ${bytes.join(", ")}`],
    ["a cause", new Error("a", { cause: new Error(buffer.toString("hex")) })],
    ["a hidden property", Object.defineProperty({}, "key", { value: bytes, enumerable: false })],
    ["a symbol's property", { [Symbol("key")]: bytes }],
    ["a map's key", new Map([[buffer.toString("latin1"), 1]])],
    [
      "a getter of a class",
      new (class Holder {
        get key(): Uint8Array {
          return bytes;
        }
      })(),
    ],
    ["toJSON", { toJSON: () => buffer.toString("base64") }],
    ["toString", { toString: () => buffer.toString("hex") }],
    ["what inspect prints", { [Symbol.for("nodejs.util.inspect.custom")]: () => buffer.toString("hex") }],
    ["deep inside", { a: [{ b: new Set([{ c: buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + 24) }]) }] }],
  ])("finds %s", (_name, value) => {
    expect(findSecret(value, secrets)).toBe("the secret");
  });

  test("finds nothing in what holds nothing, also in circles", () => {
    const circle: Record<string, unknown> = { text: "harmless", bytes: new Uint8Array(100) };
    circle["self"] = circle;
    expect(findSecret(circle, secrets)).toBeUndefined();
  });
});
