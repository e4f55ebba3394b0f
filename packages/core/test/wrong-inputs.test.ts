// What cannot be is refused with ERR_ARGUMENT at the call, and never taken for something else: wrong signals, nulls, objects
// that are no options, and arguments of another kind.
import {
  type DiscoverKeysOptions,
  discoverKeys,
  Envelope,
  inspect,
  type KeyProvider,
  type ProviderKeyOptions,
  providerKey,
  rewrapMany,
} from "@fengni/core";
import { createDecryptStream, createEncryptStream, rewrapFile } from "@fengni/core/node";
import { describe, expect, test } from "vitest";
import { checkInteger, checkOptions } from "../src/options.js";
import { bytesOf, testKey } from "./support.js";

const key = testKey();
const envelope = new Envelope({ wrappingKeys: [key], cache: { maxAgeMs: 60_000 } });
const message = envelope.encrypt(bytesOf(10));
const refused = { code: "ERR_ARGUMENT" };

/** Calls, also what fails at once. */
async function called(call: () => unknown): Promise<unknown> {
  return call();
}

/** Every call that takes options. */
const CALLS: Readonly<Record<string, (options: never) => unknown>> = {
  encrypt: (options) => envelope.encrypt("x", options),
  decrypt: async (options) => envelope.decrypt(await message, options),
  decryptText: async (options) => envelope.decryptText(await message, options),
  rewrap: async (options) => envelope.rewrap(await message, options),
  explain: async (options) => envelope.explain(await message, options),
  decryptRange: async (options) => envelope.decryptRange(await message, 0, 1, options),
  openRange: async (options) => envelope.openRange(await message, options),
  "a range's read": async (options) => (await envelope.openRange(await message)).read(0, 1, options),
  createEncryptor: (options) => envelope.createEncryptor(options),
  createDecryptor: (options) => envelope.createDecryptor(options),
  createRewrapper: (options) => envelope.createRewrapper(options),
  encryptStream: (options) => envelope.encryptStream(options),
  decryptStream: (options) => envelope.decryptStream(options),
  rewrapStream: (options) => envelope.rewrapStream(options),
  createEncryptStream: (options) => createEncryptStream(envelope, options).destroy(),
  createDecryptStream: (options) => createDecryptStream(envelope, options).destroy(),
  prewarm: (options) => envelope.prewarm([options]),
  rewrapMany: async (options) => rewrapMany(envelope, [await message], options).next(),
  rewrapFile: (options) => rewrapFile(envelope, "no such file", options),
};

const named = Object.entries(CALLS);

describe.each(named)("%s", (_name, call) => {
  test("refuses a signal that is none", async () => {
    const polyfill = { aborted: false, addEventListener: () => {} };
    for (const signal of [null, 5, "x", true, {}, [], () => {}, new AbortController(), polyfill]) {
      await expect(called(() => call({ signal } as never))).rejects.toMatchObject(refused);
    }
  });

  test("refuses what are no options", async () => {
    const none = [
      null,
      5,
      Number.NaN,
      true,
      "",
      () => {},
      [],
      new Map(),
      new Uint8Array(0),
      new AbortController().signal,
    ];
    for (const options of none) await expect(called(() => call(options as never))).rejects.toMatchObject(refused);
  });

  test("refuses null where an option may be left out", async () => {
    for (const field of ["encryptionContext", "reproducedContext", "suite", "frameLength", "maxRangeLength"]) {
      await expect(called(() => call({ [field]: null } as never))).rejects.toMatchObject(refused);
    }
  });
});

test("signals of another kind that do what is asked of them, and undefined, are taken", async () => {
  const like = {
    aborted: false,
    reason: undefined,
    throwIfAborted: () => {},
    addEventListener: () => {},
    removeEventListener: () => {},
  };
  for (const signal of [new AbortController().signal, like, undefined]) {
    const options = { signal } as { signal: AbortSignal };
    expect(await envelope.decryptText(await envelope.encrypt("x", options), options)).toBe("x");
  }
});

describe("an envelope's options", () => {
  test.each([
    "optionalWrappingKeys",
    "minimumWrappings",
    "keyDeadlineMs",
    "algorithmPolicy",
    "unwrappingKeys",
    "suite",
    "frameLength",
    "commitmentPolicy",
    "readableSuites",
    "maxEncryptedDataKeys",
    "maxFrameLength",
    "maxHeaderLength",
    "cache",
    "telemetry",
  ])("%s is no null, and may be undefined", (field) => {
    expect(() => new Envelope({ wrappingKeys: [key], [field]: null })).toThrowError(
      expect.objectContaining({ ...refused, message: expect.stringContaining(`"${field}"`) }),
    );
    new Envelope({ wrappingKeys: [key], [field]: undefined });
  });

  test("of inspect too", async () => {
    const bytes = await message;
    expect(() => inspect(bytes, { maxHeaderLength: null as never })).toThrowError(expect.objectContaining(refused));
  });

  test("refuseSigned says yes or no", () => {
    for (const refuseSigned of [1, "no", {}]) {
      expect(() => envelope.createDecryptor({ refuseSigned } as never)).toThrowError(expect.objectContaining(refused));
    }
  });

  test("may be an object of a class, or without a prototype", () => {
    class Settings {
      readonly wrappingKeys = [key];
    }
    new Envelope(new Settings());
    new Envelope(Object.assign(Object.create(null), { wrappingKeys: [key] }));
  });
});

test("prewarm takes a list of options", async () => {
  for (const orders of [null, undefined, 5, {}, "", "x", new Uint8Array(0), () => {}]) {
    await expect(envelope.prewarm(orders as never)).rejects.toMatchObject(refused);
  }
  await envelope.prewarm([]);
  await envelope.prewarm(new Set([{}]));
});

test("streams and files need an envelope", async () => {
  for (const none of [null, undefined, 5, "x", {}, key]) {
    expect(() => createEncryptStream(none as never)).toThrowError(expect.objectContaining(refused));
    expect(() => createDecryptStream(none as never)).toThrowError(expect.objectContaining(refused));
    await expect(rewrapFile(none as never, "no such file")).rejects.toMatchObject(refused);
  }
});

test("parallel is a boolean or an object of options", () => {
  for (const parallel of [null, [], 0, "yes", new Map()]) {
    const options = { parallel } as never;
    expect(() => createEncryptStream(envelope, options)).toThrowError(expect.objectContaining(refused));
    expect(() => createDecryptStream(envelope, options)).toThrowError(expect.objectContaining(refused));
  }
  expect(() => createEncryptStream(envelope, { paralel: true } as never)).toThrowError(/"paralel".*parallel/);
});

describe("a key of a provider", () => {
  const call = async (): Promise<never> => {
    throw new Error("not asked here");
  };
  const provider = {
    providerId: "p",
    resolveKeyId: call,
    generateDataKey: call,
    encrypt: call,
    decrypt: call,
  } as unknown as KeyProvider;

  test("needs a provider with what it calls", () => {
    providerKey(provider, "app");
    discoverKeys(provider);
    for (const none of [undefined, null, 5, {}, [], () => {}]) {
      expect(() => providerKey(none as never, "app")).toThrowError(expect.objectContaining(refused));
      expect(() => discoverKeys(none as never)).toThrowError(expect.objectContaining(refused));
    }
    for (const method of ["resolveKeyId", "generateDataKey", "encrypt", "decrypt", "providerId"]) {
      const lacking = { ...provider, [method]: undefined } as never;
      expect(() => providerKey(lacking, "app")).toThrowError(expect.objectContaining(refused));
    }
    expect(() => discoverKeys({ ...provider, decrypt: undefined } as never)).toThrowError(
      expect.objectContaining(refused),
    );
  });

  test("needs the name of a key, and options that can be", () => {
    for (const keyId of [undefined, null, 5, "", {}]) {
      expect(() => providerKey(provider, keyId as never)).toThrowError(expect.objectContaining(refused));
    }
    for (const options of [null, 5, [], { algorithms: "SM4" }, { algorithms: [1] }, { algorithms: null }]) {
      const given = options as ProviderKeyOptions;
      expect(() => providerKey(provider, "app", given)).toThrowError(expect.objectContaining(refused));
    }
  });

  test("discovery takes a list of key ids, under this name and no other", async () => {
    const wrong = [
      null,
      5,
      [],
      { keyIds: "app" },
      { keyIds: [1] },
      { keyIds: [""] },
      { keyIds: null },
      { keyId: "app" },
    ];
    for (const options of wrong) {
      const given = options as DiscoverKeysOptions;
      expect(() => discoverKeys(provider, given)).toThrowError(expect.objectContaining(refused));
    }
    // What is changed in the caller's list afterwards gives access to nothing.
    const keyIds = ["one"];
    const keys = discoverKeys(provider, { keyIds });
    keyIds.push("two");
    const named = (id: string) => ({
      providerId: "p",
      providerInfo: new TextEncoder().encode(id),
      ciphertext: new Uint8Array(1),
    });
    expect(await keys.matches?.(named("one"))).toBe(true);
    expect(await keys.matches?.(named("two"))).toBe(false);
  });
});

test("numbers that cannot be are refused, whatever they are, without a word of theirs", () => {
  const detached = new Uint8Array(8);
  structuredClone(detached.buffer, { transfer: [detached.buffer] });
  const bare: unknown = Object.create(null);
  const loud = { toString: () => "\u001b[2J" };
  for (const value of [detached, bare, loud, Symbol("x"), 10n, "\u001b[2J", null, undefined, 1.5, Number.NaN, -1]) {
    const message = expect.not.stringContaining("\u001b");
    expect(() => checkInteger("count", value as number, 0, 9)).toThrowError(
      expect.objectContaining({ ...refused, name: "RangeError", message }),
    );
  }
  expect(() => checkInteger("count", 1.5, 0, 9)).toThrowError("count expected a whole number from 0 to 9, got 1.5");
});

test("an unknown option is named without its control characters", () => {
  expect(() => checkOptions("call", { "\u001b[2J": 1 }, ["a"])).toThrowError(
    expect.objectContaining({ ...refused, message: 'call does not know the option "\\u{1b}[2J": it takes a' }),
  );
});
