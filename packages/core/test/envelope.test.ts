import { PassThrough, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  AggregateUnwrapError,
  DEFAULT_FRAME_LENGTH,
  Envelope,
  inspect,
  rawAesKey,
  rawRsaKey,
  SUITE_COMMITTED,
  SUITE_COMMITTED_SIGNED,
  serializeContext,
  type UnwrappingKey,
  type WrappingKey,
} from "@fengni/core";
import { createEncryptStream } from "@fengni/core/node";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { bytesOf, chunksOf, joined, readings, refusal, testKey } from "./support.js";

const suites = [SUITE_COMMITTED, SUITE_COMMITTED_SIGNED] as const;

describe("round trips", () => {
  test("any plaintext, context, frame length and cut of the stream", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 300 }),
        fc.dictionary(fc.string({ unit: "binary", maxLength: 8 }), fc.string({ unit: "binary", maxLength: 8 }), {
          maxKeys: 5,
        }),
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 1, max: 120 }),
        fc.constantFrom(...suites),
        async (plaintext, encryptionContext, frameLength, cut, suite) => {
          fc.pre(
            !Object.keys(encryptionContext).some((key) => key.startsWith("aws-crypto-") || key.startsWith("fengni-")),
          );
          const envelope = new Envelope({ wrappingKeys: [testKey()], frameLength });
          const encryptor = envelope.createEncryptor({ encryptionContext, suite });
          const pieces: Uint8Array[] = [];
          for (const chunk of chunksOf(plaintext, cut)) {
            pieces.push(...(await encryptor.update(chunk)));
            // The engine keeps no chunk: what the caller does to it afterwards changes nothing.
            chunk.fill(0);
          }
          pieces.push(...(await encryptor.final()));
          const message = joined(pieces);
          const { plaintext: opened, header } = await envelope.decrypt(message, { encryptionContext });
          expect(opened).toEqual(plaintext);
          expect(inspect(message)).toEqual(header);
          const whole = await envelope.encrypt(plaintext, { encryptionContext, suite });
          if (suite === SUITE_COMMITTED) expect(message.length).toBe(whole.length);
          expect(joined(await collectDecrypted(envelope, whole, cut))).toEqual(plaintext);
        },
      ),
      { numRuns: process.env["SLOW"] === "1" ? 2000 : 150 },
    );
  });

  test("text, also what is not ASCII", async () => {
    const envelope = new Envelope({ wrappingKeys: [testKey()] });
    for (const text of ["", "a", "封泥 \u{1F511}", "\uFEFFbom", "x".repeat(200_000)]) {
      expect(await envelope.decryptText(await envelope.encrypt(text))).toBe(text);
    }
    await expect(envelope.encrypt("\uD800")).rejects.toThrow(TypeError);
    await refusal(envelope.decryptText(await envelope.encrypt(new Uint8Array([0xff]))), "ERR_MESSAGE_INVALID");
  });

  test("several wrapping keys: each of them opens the message alone", async () => {
    const keys = [testKey("a", 1), testKey("b", 2), testKey("c", 3)];
    for (const suite of suites) {
      const message = await new Envelope({ wrappingKeys: keys, suite }).encrypt("for all of them");
      expect(inspect(message).encryptedDataKeys.length).toBe(3);
      for (const key of keys)
        expect(await new Envelope({ wrappingKeys: [key] }).decryptText(message)).toBe("for all of them");
      await refusal(new Envelope({ wrappingKeys: [testKey("d", 1)] }).decrypt(message), "ERR_NO_MATCHING_KEY");
      await refusal(new Envelope({ wrappingKeys: [testKey("a", 4)] }).decrypt(message), "ERR_UNWRAP_FAILED");
    }
  });

  test("Web Streams, through a pipe, one chunk larger than many frames", async () => {
    const envelope = new Envelope({ wrappingKeys: [testKey()], frameLength: 1000 });
    const plaintext = bytesOf(100_001);
    const source = new Blob([plaintext as Uint8Array<ArrayBuffer>]).stream() as ReadableStream<Uint8Array>;
    const decrypting = envelope.decryptStream({ encryptionContext: { a: "b" } });
    const encrypted = source.pipeThrough(envelope.encryptStream({ encryptionContext: { a: "b" } }));
    const pieces: Uint8Array[] = [];
    for await (const piece of encrypted.pipeThrough(decrypting)) pieces.push(piece);
    expect(joined(pieces)).toEqual(plaintext);
    expect((await decrypting.header).frameLength).toBe(1000);
  });

  test("a decrypting stream's header rejects with what the stream fails with", async () => {
    const envelope = new Envelope({ wrappingKeys: [testKey()] });
    const decrypting = envelope.decryptStream();
    const source = new Blob(["no message"]).stream() as ReadableStream<Uint8Array>;
    await refusal(source.pipeThrough(decrypting).getReader().read(), "ERR_MESSAGE_UNSUPPORTED");
    await refusal(decrypting.header, "ERR_MESSAGE_UNSUPPORTED");
  });

  test("Node streams give the same message form as a whole encryption", async () => {
    const envelope = new Envelope({ wrappingKeys: [testKey()], frameLength: 512 });
    const stream = createEncryptStream(envelope);
    for (const chunk of chunksOf(bytesOf(5000), 700)) stream.write(chunk);
    stream.end();
    const message = joined(await stream.toArray());
    expect(message.length).toBe((await envelope.encrypt(bytesOf(5000))).length);
    for (const read of Object.values(readings)) expect(await read(envelope, message)).toEqual(bytesOf(5000));
  });

  test("frames at and around every multiple of the frame length", async () => {
    for (const frameLength of [1, 2, 16, 33_000]) {
      const envelope = new Envelope({ wrappingKeys: [testKey()], frameLength });
      for (const length of [
        0,
        1,
        frameLength - 1,
        frameLength,
        frameLength + 1,
        2 * frameLength,
        3 * frameLength + 1,
      ]) {
        const plaintext = bytesOf(length);
        expect(
          (await envelope.decrypt(await envelope.encrypt(plaintext))).plaintext,
          `${frameLength}/${length}`,
        ).toEqual(plaintext);
      }
    }
  });
});

async function collectDecrypted(envelope: Envelope, message: Uint8Array, cut: number): Promise<Uint8Array[]> {
  const decryptor = envelope.createDecryptor();
  const pieces: Uint8Array[] = [];
  for (const chunk of chunksOf(message, cut)) {
    pieces.push(...(await decryptor.update(chunk)));
    chunk.fill(0);
  }
  await decryptor.final();
  return pieces;
}

describe("encryption context", () => {
  const envelope = new Envelope({ wrappingKeys: [testKey()] });

  test("expected pairs must be there; more may be", async () => {
    const message = await envelope.encrypt("x", { encryptionContext: { tenant: "7", table: "users" } });
    await envelope.decrypt(message, { encryptionContext: {} });
    await envelope.decrypt(message, { encryptionContext: { table: "users" } });
    await refusal(envelope.decrypt(message, { encryptionContext: { tenant: "8" } }), "ERR_CONTEXT_MISMATCH");
    await refusal(envelope.decrypt(message, { encryptionContext: { other: "7" } }), "ERR_CONTEXT_MISMATCH");
    await refusal(envelope.decrypt(message, { encryptionContext: { toString: "7" } }), "ERR_CONTEXT_MISMATCH");
  });

  test("keys of the object prototype are keys like any other", async () => {
    const encryptionContext = Object.fromEntries([
      ["__proto__", "a"],
      ["constructor", "b"],
      ["hasOwnProperty", "c"],
    ]);
    const message = await envelope.encrypt("x", { encryptionContext });
    const { header } = await envelope.decrypt(message, { encryptionContext });
    expect(Object.keys(header.encryptionContext).sort()).toEqual(["__proto__", "constructor", "hasOwnProperty"]);
  });

  test("reserved prefixes, wrong types and too much text are refused before any key is asked", async () => {
    let asked = 0;
    const counting: WrappingKey = {
      ...testKey(),
      async generateDataKey(request, options) {
        asked += 1;
        return testKey().generateDataKey(request, options);
      },
    };
    const counted = new Envelope({ wrappingKeys: [counting] });
    for (const key of ["aws-crypto-public-key", "aws-crypto-x", "fengni-context-digest"]) {
      await refusal(counted.encrypt("x", { encryptionContext: { [key]: "1" } }), "ERR_CONTEXT_INVALID");
    }
    await refusal(counted.encrypt("x", { encryptionContext: { long: "y".repeat(65_536) } }), "ERR_LIMIT");
    await refusal(
      counted.encrypt("x", { encryptionContext: { a: "y".repeat(40_000), b: "y".repeat(40_000) } }),
      "ERR_LIMIT",
    );
    for (const wrong of [
      new Map([["a", "1"]]),
      new URLSearchParams("a=1"),
      new (class {
        a = "1";
      })(),
      Object.create({ a: "1" }),
      { a: 1 },
      { a: undefined },
      [],
      "text",
      { a: "\uD800" },
    ] as unknown as Record<string, string>[]) {
      await expect(counted.encrypt("x", { encryptionContext: wrong })).rejects.toThrow(TypeError);
    }
    expect(asked).toBe(0);
    const message = await counted.encrypt("x", { encryptionContext: { tenant: "A" } });
    for (const wrong of [new Map([["tenant", "B"]]), new URLSearchParams("tenant=B")] as unknown as Record<
      string,
      string
    >[]) {
      await expect(counted.decrypt(message, { encryptionContext: wrong })).rejects.toMatchObject({
        code: "ERR_ARGUMENT",
      });
      await expect(counted.decrypt(message, { reproducedContext: wrong })).rejects.toMatchObject({
        code: "ERR_ARGUMENT",
      });
    }
    asked = 0;
    await counted.encrypt("x", { encryptionContext: { a: "y".repeat(65_000) } });
    expect(asked).toBe(1);
  });

  test("pairs that are authenticated but not stored must be reproduced", async () => {
    for (const suite of suites) {
      const message = await envelope.encrypt("x", {
        suite,
        encryptionContext: { stored: "1", unstored: "2" },
        unstoredContextKeys: ["unstored"],
      });
      expect(Object.keys(inspect(message).encryptionContext)).not.toContain("unstored");
      const all = { encryptionContext: { stored: "1", unstored: "2" }, reproducedContext: { unstored: "2" } };
      for (const read of Object.values(readings))
        expect(Buffer.from(await read(envelope, message, all)).toString()).toBe("x");
      await envelope.decrypt(message, { reproducedContext: { unstored: "2", stored: "1" } });
      await refusal(envelope.decrypt(message), "ERR_UNWRAP_FAILED");
      await refusal(envelope.decrypt(message, { reproducedContext: { unstored: "3" } }), "ERR_UNWRAP_FAILED");
      await refusal(
        envelope.decrypt(message, { reproducedContext: { unstored: "2", more: "4" } }),
        "ERR_UNWRAP_FAILED",
      );
      await refusal(
        envelope.decrypt(message, { reproducedContext: { unstored: "2", stored: "5" } }),
        "ERR_CONTEXT_MISMATCH",
      );
    }
    await expect(envelope.encrypt("x", { unstoredContextKeys: ["absent"] })).rejects.toThrow(TypeError);
  });

  test("a key that does not bind the context: the header's tag does", async () => {
    const { generateKeyPairSync } = await import("node:crypto");
    const { publicKey, privateKey } = generateKeyPairSync("rsa", {
      modulusLength: 2048,
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
    });
    const rsa = new Envelope({
      wrappingKeys: [rawRsaKey({ namespace: "n", name: "k", publicKey, privateKey, padding: "oaep-sha256" })],
    });
    const message = await rsa.encrypt("x", { encryptionContext: { a: "1", b: "2" }, unstoredContextKeys: ["b"] });
    await rsa.decrypt(message, { reproducedContext: { b: "2" } });
    await refusal(rsa.decrypt(message, { reproducedContext: { b: "3" } }), "ERR_AUTHENTICATION");
    await refusal(rsa.decrypt(message), "ERR_AUTHENTICATION");
  });
});

describe("policies and limits", () => {
  const key = testKey();
  const envelope = new Envelope({ wrappingKeys: [key] });

  test("more encrypted data keys than allowed, written and read", async () => {
    expect(
      () => new Envelope({ wrappingKeys: [testKey(), testKey(), testKey()], maxEncryptedDataKeys: 2 }),
    ).toThrowError(/raise/);
    const message = await new Envelope({ wrappingKeys: [testKey(), testKey(), testKey()] }).encrypt("x");
    await new Envelope({ wrappingKeys: [key], maxEncryptedDataKeys: 3 }).decrypt(message);
    await refusal(new Envelope({ wrappingKeys: [key], maxEncryptedDataKeys: 2 }).decrypt(message), "ERR_LIMIT");
  });

  test("readableSuites narrows what is opened", async () => {
    const only = new Envelope({
      wrappingKeys: [key],
      suite: SUITE_COMMITTED_SIGNED,
      readableSuites: [SUITE_COMMITTED_SIGNED],
    });
    // What could not be read back is not written.
    await refusal(only.encrypt("x", { suite: SUITE_COMMITTED }), "ERR_NOT_SUPPORTED");
    expect(() => new Envelope({ wrappingKeys: [key], readableSuites: [SUITE_COMMITTED_SIGNED] })).toThrowError(
      /readable/,
    );
    new Envelope({ wrappingKeys: [], unwrappingKeys: [key], readableSuites: [SUITE_COMMITTED_SIGNED] });
    await refusal(only.decrypt(await envelope.encrypt("x")), "ERR_MESSAGE_UNSUPPORTED");
    expect(await only.decryptText(await envelope.encrypt("x", { suite: SUITE_COMMITTED_SIGNED }))).toBe("x");
  });

  test("a header longer than the reader takes is not written", async () => {
    const short = new Envelope({ wrappingKeys: [key], maxHeaderLength: 300 });
    const message = await short.encrypt("x");
    expect(inspect(message).headerLength).toBeLessThanOrEqual(300);
    expect(await short.decryptText(message)).toBe("x");
    await refusal(short.encrypt("x", { encryptionContext: { a: "y".repeat(200) } }), "ERR_LIMIT");
  });

  test("frames longer than the reader takes", async () => {
    const message = await envelope.encrypt("x", { frameLength: 5000 });
    await refusal(new Envelope({ wrappingKeys: [key], maxFrameLength: 4999 }).decrypt(message), "ERR_LIMIT");
    await new Envelope({ wrappingKeys: [key], maxFrameLength: 5000 }).decrypt(message);
    expect(DEFAULT_FRAME_LENGTH).toBe(65536);
  });

  test("more plaintext than was stated", async () => {
    const encryptor = envelope.createEncryptor({ maxPlaintextLength: 10 });
    await encryptor.update(bytesOf(10));
    await refusal(encryptor.update(bytesOf(1)), "ERR_LIMIT");
    await refusal(encryptor.final(), "ERR_CLOSED");
  });

  test("suites that are only read cannot be written", async () => {
    for (const suite of [0x0178, 0x0014, 0x0000, 0xffff] as unknown as [typeof SUITE_COMMITTED]) {
      await refusal(envelope.encrypt("x", { suite }), "ERR_NOT_SUPPORTED");
    }
  });

  test("wrong arguments are the programmer's errors, with a code", async () => {
    const wrong: readonly (() => unknown)[] = [
      () => new Envelope({ wrappingKeys: [] }),
      () => new Envelope({ wrappingKeys: key as unknown as [] }),
      () => new Envelope({ wrappingKeys: [undefined, {}, "x"] as unknown as [] }),
      () => new Envelope({ wrappingKeys: [key], unwrappingKeys: {} as unknown as [] }),
      () => new Envelope({ wrappingKeys: [key], unwrappingKeys: [{}] as unknown as [] }),
      () => new Envelope({ wrappingKeys: [key], readableSuites: ["0x0478"] as unknown as [] }),
      () => new Envelope({ wrappingKeys: [key], readableSuites: [] }),
      () => new Envelope({ wrappingKeys: [key], readableSuites: [0x1234] }),
      () => rawAesKey({ namespace: "n", name: 5 as unknown as string, key: new Uint8Array(32) }),
      () => rawRsaKey({ namespace: "n", name: "k", privateKey: "x", padding: "nope" as "pkcs1" }),
      () => envelope.createEncryptor({ unstoredContextKeys: "tenant" as unknown as [] }),
      () => serializeContext(null as unknown as Record<string, string>),
      () => new Envelope({ wrappingKeys: [key], frameLength: 0 }),
      () => new Envelope({ wrappingKeys: [key], frameLength: 2 ** 32 }),
      () => new Envelope({ wrappingKeys: [key], frameLength: 1.5 }),
      () => new Envelope({ wrappingKeys: [key], maxEncryptedDataKeys: 0 }),
      () => new Envelope({ wrappingKeys: [key], commitmentPolicy: "none" as "require-encrypt-require-decrypt" }),
      () => new Envelope({ wrappingKeys: [key], framelength: 5 } as unknown as { wrappingKeys: [] }),
      () => new Envelope({ wrappingKeys: [key], cache: { maxAgeMs: 0 } }),
      () => new Envelope({ wrappingKeys: [key], cache: { maxAgeMs: 10, maxMessages: 0 } }),
      () => rawAesKey({ namespace: "n", name: "k", key: new Uint8Array(31) }),
      () => rawAesKey({ namespace: "aws-kms", name: "k", key: new Uint8Array(32) }),
      () => rawAesKey({ namespace: "", name: "k", key: new Uint8Array(32) }),
      () => rawRsaKey({ namespace: "n", name: "k", padding: "oaep-sha256" }),
      () => envelope.createEncryptor({ frameLength: -1 }),
      () => envelope.createDecryptor({ context: {} } as object),
    ];
    for (const call of wrong) {
      expect(call).toThrowError(expect.objectContaining({ code: "ERR_ARGUMENT" }) as Error);
    }
    await expect(envelope.encrypt(5 as unknown as string)).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
    await expect(envelope.decrypt("AgR4" as unknown as Uint8Array)).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
  });

  test("base64 instead of bytes is told as such", async () => {
    const text = Buffer.from(Buffer.from(await envelope.encrypt("x")).toString("base64"));
    await expect(envelope.decrypt(text)).rejects.toThrow(/base64/);
  });

  test("an envelope that cannot write says so", async () => {
    const reader = new Envelope({ wrappingKeys: [], unwrappingKeys: [key] });
    await refusal(reader.encrypt("x"), "ERR_NOT_SUPPORTED");
    expect(await reader.decryptText(await envelope.encrypt("x"))).toBe("x");
  });
});

describe("wrapping keys that misbehave", () => {
  const good = testKey();

  test("every answer is in the error, in the order of asking; a key that works ends the search", async () => {
    const failing = (name: string, retryable: boolean): UnwrappingKey => ({
      name,
      unwrapDataKey: async () => {
        throw Object.assign(new Error(`${name} is down`), { retryable });
      },
    });
    const message = await new Envelope({ wrappingKeys: [good] }).encrypt("x");
    const broken = new Envelope({ wrappingKeys: [], unwrappingKeys: [failing("one", false), failing("two", true)] });
    const error = await broken.decrypt(message).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(AggregateUnwrapError);
    expect((error as AggregateUnwrapError).attempts.map((attempt) => attempt.key)).toEqual(["one", "two"]);
    expect((error as AggregateUnwrapError).retryable).toBe(true);
    expect((error as AggregateUnwrapError).message).toContain("two is down");
    const healed = new Envelope({ wrappingKeys: [], unwrappingKeys: [failing("one", false), good] });
    expect(await healed.decryptText(message)).toBe("x");
  });

  test("a data key of the wrong length, or another one, never decrypts", async () => {
    const message = await new Envelope({ wrappingKeys: [good] }).encrypt("x");
    const giving = (dataKey: Uint8Array): Envelope =>
      new Envelope({ wrappingKeys: [], unwrappingKeys: [{ name: "static", unwrapDataKey: async () => dataKey }] });
    for (const length of [0, 16, 31, 33, 64])
      await refusal(giving(new Uint8Array(length)).decrypt(message), "ERR_UNWRAP_FAILED");
    await refusal(giving(new Uint8Array(32)).decrypt(message), "ERR_AUTHENTICATION");
  });

  test("the data key is wiped when a second wrapping key fails, and after use", async () => {
    const seen: Uint8Array[] = [];
    const watching: WrappingKey = {
      ...good,
      async generateDataKey(request, options) {
        const generated = await good.generateDataKey(request, options);
        seen.push(generated.dataKey);
        return generated;
      },
      async unwrapDataKey(request, options) {
        const dataKey = await good.unwrapDataKey(request, options);
        if (dataKey !== undefined) seen.push(dataKey);
        return dataKey;
      },
    };
    const failing: WrappingKey = {
      ...good,
      wrapDataKey: async () => {
        throw new Error("no");
      },
    };
    await expect(new Envelope({ wrappingKeys: [watching, failing] }).encrypt("x")).rejects.toThrow("no");
    const envelope = new Envelope({ wrappingKeys: [watching] });
    await envelope.decrypt(await envelope.encrypt("x"));
    expect(seen.length).toBe(3);
    for (const dataKey of seen) expect(dataKey).toEqual(new Uint8Array(32));
  });

  test("an aborted call settles with the signal's reason", async () => {
    const envelope = new Envelope({ wrappingKeys: [good] });
    const reason = new Error("enough");
    const signal = AbortSignal.abort(reason);
    await expect(envelope.encrypt("x", { signal })).rejects.toBe(reason);
    const message = await envelope.encrypt("x");
    await expect(envelope.decrypt(message, { signal })).rejects.toBe(reason);
    const hanging: WrappingKey = {
      ...good,
      generateDataKey: (_request, options) =>
        new Promise((_resolve, reject) =>
          options?.signal?.addEventListener("abort", () => reject(options.signal?.reason)),
        ),
    };
    const controller = new AbortController();
    const pending = new Envelope({ wrappingKeys: [hanging] }).encrypt("x", { signal: controller.signal });
    controller.abort(reason);
    await expect(pending).rejects.toBe(reason);
  });

  test("calls of an engine that overlap are refused, and harm nothing", async () => {
    const envelope = new Envelope({ wrappingKeys: [good], frameLength: 4 });
    const encryptor = envelope.createEncryptor();
    const first = encryptor.update(bytesOf(10));
    await expect(encryptor.update(bytesOf(10))).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
    await expect(encryptor.final()).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
    const message = joined([...(await first), ...(await encryptor.final())]);
    const decryptor = envelope.createDecryptor();
    const opening = decryptor.update(message);
    await expect(decryptor.update(message)).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
    expect(joined(await opening)).toEqual(bytesOf(10));
    await decryptor.final();
  });

  test("a malformed answer is refused, not written into a message", async () => {
    const broken = (change: (answer: Record<string, unknown>) => unknown): WrappingKey => ({
      ...good,
      generateDataKey: async (request) => {
        const { dataKey, encryptedDataKey } = await good.generateDataKey(request);
        return change({ dataKey, encryptedDataKey: { ...encryptedDataKey } }) as never;
      },
    });
    const text = "bm90IGJ5dGVz";
    for (const change of [
      () => undefined,
      () => ({}),
      (answer: Record<string, unknown>) => ({ ...answer, dataKey: text }),
      (answer: Record<string, unknown>) => ({ ...answer, dataKey: new Uint8Array(31) }),
      (answer: Record<string, unknown>) => ({ ...answer, encryptedDataKey: undefined }),
      (answer: Record<string, unknown>) => ({
        ...answer,
        encryptedDataKey: { ...(answer["encryptedDataKey"] as object), ciphertext: text },
      }),
      (answer: Record<string, unknown>) => ({
        ...answer,
        encryptedDataKey: { ...(answer["encryptedDataKey"] as object), providerInfo: text },
      }),
      (answer: Record<string, unknown>) => ({
        ...answer,
        encryptedDataKey: { ...(answer["encryptedDataKey"] as object), providerId: 5 },
      }),
    ]) {
      await refusal(new Envelope({ wrappingKeys: [broken(change)] }).encrypt("x"), "ERR_UNAVAILABLE");
    }
    const second: WrappingKey = {
      ...good,
      wrapDataKey: async () => ({ providerId: "p", providerInfo: text }) as never,
    };
    await refusal(new Envelope({ wrappingKeys: [good, second] }).encrypt("x"), "ERR_UNAVAILABLE");
    const message = await new Envelope({ wrappingKeys: [good] }).encrypt("x");
    const giving: UnwrappingKey = { name: "text", unwrapDataKey: async () => text as never };
    await refusal(new Envelope({ wrappingKeys: [], unwrappingKeys: [giving] }).decrypt(message), "ERR_UNWRAP_FAILED");
  });

  test("errors stay short and carry no control characters, whatever a message says", async () => {
    const forging = { ...good, name: "k\n2026 FORGED \u001b[31m\u202e" };
    const failing: WrappingKey = {
      ...forging,
      generateDataKey: async (request) => {
        const answer = await good.generateDataKey(request);
        return { ...answer, encryptedDataKey: { ...answer.encryptedDataKey, providerId: "p\n2026 FORGED \u001b[31m" } };
      },
      unwrapDataKey: async () => {
        throw new Error("x".repeat(100_000));
      },
    };
    const keys = Array.from({ length: 100 }, () => ({ ...failing }));
    const message = await new Envelope({ wrappingKeys: [failing] }).encrypt("x");
    const errors = [
      await new Envelope({ wrappingKeys: [good] }).decrypt(message).catch((error: unknown) => error),
      await new Envelope({ wrappingKeys: keys }).decrypt(message).catch((error: unknown) => error),
    ] as Error[];
    expect(errors.map((error) => (error as { code?: string }).code)).toEqual([
      "ERR_NO_MATCHING_KEY",
      "ERR_UNWRAP_FAILED",
    ]);
    for (const { message: text } of errors) {
      expect(text).not.toMatch(/\p{C}/u);
      expect(text.length).toBeLessThan(3000);
    }
  });

  test("a signal ends a stream that has begun; giving up while waiting releases nothing", async () => {
    const envelope = new Envelope({ wrappingKeys: [good], frameLength: 4 });
    const controller = new AbortController();
    const encryptor = envelope.createEncryptor({ signal: controller.signal });
    await encryptor.update(bytesOf(10));
    const message = await envelope.encrypt(bytesOf(10));
    const decryptor = envelope.createDecryptor({ signal: controller.signal });
    await decryptor.update(message.slice(0, -1));
    const reason = new Error("enough");
    controller.abort(reason);
    await expect(encryptor.update(bytesOf(10))).rejects.toBe(reason);
    await expect(decryptor.update(message.slice(-1))).rejects.toBe(reason);
    await refusal(encryptor.final(), "ERR_CLOSED");
    await refusal(decryptor.final(), "ERR_CLOSED");

    const abandoned = envelope.createDecryptor();
    const opening = abandoned.update(message);
    abandoned.abort();
    await refusal(opening, "ERR_CLOSED");
    expect(abandoned.header).toBeUndefined();
    const given = envelope.createEncryptor();
    const sealing = given.update(bytesOf(10));
    given.abort();
    await refusal(sealing, "ERR_CLOSED");
    const early = envelope.createDecryptor();
    const pending = early.update(message);
    await expect(early.final()).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
    expect(joined(await pending)).toEqual(bytesOf(10));
  });

  test("a Node stream fails also where the reason is no error", async () => {
    const envelope = new Envelope({ wrappingKeys: [good] });
    for (const reason of [null, undefined, "text"]) {
      const failing: WrappingKey = {
        ...good,
        generateDataKey: async () => {
          throw reason;
        },
      };
      for (const stream of [
        createEncryptStream(envelope, { signal: AbortSignal.abort(reason) }),
        createEncryptStream(new Envelope({ wrappingKeys: [failing] })),
      ]) {
        await expect(pipeline(Readable.from([]), stream, new PassThrough().resume())).rejects.toBeDefined();
      }
    }
  });

  test("the header is read once: bytes that change while the data key is waited for change nothing", async () => {
    const message = await new Envelope({ wrappingKeys: [good] }).encrypt("tenant B's", {
      encryptionContext: { tenant: "B" },
    });
    const at = Buffer.from(message).indexOf("tenant") + "tenant".length + 2;
    // Does not bind the context, as RSA does not; and gives the caller time.
    let dataKey: Uint8Array | undefined;
    const waiting: WrappingKey = {
      ...good,
      generateDataKey: async (request) => {
        const answer = await good.generateDataKey(request);
        dataKey = new Uint8Array(answer.dataKey);
        return answer;
      },
      unwrapDataKey: async () => {
        shared[at] = "B".charCodeAt(0);
        return new Uint8Array(dataKey ?? []);
      },
    };
    const envelope = new Envelope({ wrappingKeys: [waiting] });
    const sealed = await envelope.encrypt("tenant B's", { encryptionContext: { tenant: "B" } });
    const shared = new Uint8Array(new SharedArrayBuffer(sealed.length));
    shared.set(sealed);
    shared[at] = "A".charCodeAt(0);
    await refusal(envelope.decrypt(shared, { encryptionContext: { tenant: "A" } }), "ERR_AUTHENTICATION");
  });

  test("a message of very many frames opens, and is refused when it was changed", async () => {
    const envelope = new Envelope({ wrappingKeys: [good], frameLength: 1 });
    const plaintext = bytesOf(200_000);
    const message = await envelope.encrypt(plaintext);
    expect(Buffer.from((await envelope.decrypt(message)).plaintext).equals(plaintext)).toBe(true);
    message[message.length - 50] = (message[message.length - 50] as number) ^ 1;
    await refusal(envelope.decrypt(message), "ERR_AUTHENTICATION");
  });

  test("what is held is wiped when it is given up, and text's bytes when they were decoded", async () => {
    const envelope = new Envelope({ wrappingKeys: [good], frameLength: 1000 });
    const message = await envelope.encrypt(new Uint8Array(900).fill(0x61));
    const wiped: number[] = [];
    const fill = vi.spyOn(Uint8Array.prototype, "fill").mockImplementation(function (
      this: Uint8Array,
      value,
      start,
      end,
    ) {
      if (value === 0 && this.includes(0x61)) wiped.push(this.length);
      const part = this.subarray(start, end);
      for (let i = 0; i < part.length; i++) part[i] = value;
      return this;
    });
    try {
      const decryptor = envelope.createDecryptor();
      await decryptor.update(message.slice(0, -20));
      decryptor.abort();
      expect(wiped.reduce((sum, length) => sum + length, 0)).toBeGreaterThan(800);
      wiped.length = 0;
      expect((await envelope.decryptText(message)).length).toBe(900);
      expect(wiped).toContain(900);
      wiped.length = 0;
      const writer = envelope.encryptStream().writable.getWriter();
      await writer.ready;
      const encryptor = envelope.createEncryptor();
      await encryptor.update(new Uint8Array(500).fill(0x61));
      encryptor.abort();
      expect(wiped).toContain(500);
    } finally {
      fill.mockRestore();
    }
  });

  test("a closed envelope does nothing more", async () => {
    const envelope = new Envelope({ wrappingKeys: [good], cache: { maxAgeMs: 1000 } });
    const message = await envelope.encrypt("x");
    envelope.close();
    envelope.close();
    await refusal(envelope.encrypt("x"), "ERR_CLOSED");
    await refusal(envelope.decrypt(message), "ERR_CLOSED");
  });
});
