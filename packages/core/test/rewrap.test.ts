import {
  type EncryptedDataKey,
  Envelope,
  inspect,
  type RewrapProgress,
  type RewrapResult,
  rewrapMany,
  SUITE_COMMITTED,
  SUITE_COMMITTED_SIGNED,
  SUITE_COMMITTED_SIGNED_ML_DSA,
  SUITE_REWRAPPABLE,
  SUITE_SM4,
  SUITE_SM4_SIGNED,
  type WrappingKey,
  type WritableSuiteId,
} from "@fengni/core";
import type { AeadKey } from "@fengni/crypto/aes-gcm";
import { describe, expect, test } from "vitest";
import { deriveMessageKeys } from "../src/derive.js";
import { type ParsedHeader, parseHeader } from "../src/wire/header.js";
import { fullFinalFrame, nonFramed } from "./range-support.js";
import { bytesOf, chunksOf, joined, readings, refusal, testKey } from "./support.js";

const oldKey = testKey("old", 1);
const newKey = testKey("new", 2);
const otherKey = testKey("other", 3);
const before = new Envelope({ wrappingKeys: [oldKey], frameLength: 16 });
/** Opens the old key's messages, and writes under the new one. */
const between = new Envelope({ wrappingKeys: [newKey], unwrappingKeys: [oldKey], frameLength: 16 });
const after = new Envelope({ wrappingKeys: [newKey] });
const plaintext = bytesOf(70);
const context = { tenant: "7", purpose: "test" };

const SUITES: readonly (readonly [name: string, suite: WritableSuiteId, rewrapped: string])[] = [
  ["0x0478", SUITE_COMMITTED, "0xf478"],
  ["0x0578", SUITE_COMMITTED_SIGNED, "0xf578"],
  ["0xf478", SUITE_REWRAPPABLE, "0xf478"],
  ["0xf128", SUITE_SM4, "0xf128"],
  ["0xf228", SUITE_SM4_SIGNED, "0xf228"],
  ["0xf378", SUITE_COMMITTED_SIGNED_ML_DSA, "0xf378"],
];

const isSigned = (suite: WritableSuiteId): boolean => ![SUITE_COMMITTED, SUITE_REWRAPPABLE, SUITE_SM4].includes(suite);

/** Rewraps as a stream, in chunks of a length. */
async function streamed(envelope: Envelope, message: Uint8Array, length: number): Promise<Uint8Array> {
  const source = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunksOf(message, length)) controller.enqueue(chunk);
      controller.close();
    },
  });
  const pieces: Uint8Array[] = [];
  for await (const piece of source.pipeThrough(envelope.rewrapStream())) pieces.push(piece);
  return joined(pieces);
}

/** Everything behind the header, the footer left out. */
function bodyOf(message: Uint8Array, plaintextLength = 70, frameLength = 16): Uint8Array {
  const { headerLength } = inspect(message);
  const frames = Math.floor(plaintextLength / frameLength);
  return message.slice(headerLength, headerLength + frames * (frameLength + 32) + 40 + (plaintextLength % frameLength));
}

describe.each(SUITES)("a message of suite %s", (_name, suite, rewrapped) => {
  const sealed = before.encrypt(plaintext, { suite, encryptionContext: context });

  test("opens under the new key, and no longer under the old one", async () => {
    const message = await between.rewrap(await sealed);
    for (const read of Object.values(readings)) {
      expect(await read(after, message, { encryptionContext: context })).toEqual(plaintext);
    }
    await refusal(before.decrypt(message), "ERR_NO_MATCHING_KEY");
    await refusal(after.decrypt(await sealed), "ERR_NO_MATCHING_KEY");
    const header = inspect(message);
    expect(header.suite.id).toBe(rewrapped);
    expect(header.messageId).toEqual(inspect(await sealed).messageId);
    expect(header.encryptionContext).toMatchObject(context);
  });

  test("keeps its body to the byte", async () => {
    const message = await between.rewrap(await sealed);
    expect(bodyOf(message)).toEqual(bodyOf(await sealed));
    if (!isSigned(suite)) {
      expect(message.length - inspect(message).headerLength).toBe(bodyOf(message).length);
    }
  });

  test("can be rewrapped again and again, and never has the suite of a shared header key", async () => {
    let message = await sealed;
    for (let round = 0; round < 4; round++) {
      const [from, to] = round % 2 === 0 ? [oldKey, newKey] : [newKey, oldKey];
      const envelope = new Envelope({ wrappingKeys: [to], unwrappingKeys: [from] });
      message = await envelope.rewrap(message);
      expect(inspect(message).suite.id).toBe(rewrapped);
      expect((await new Envelope({ wrappingKeys: [to] }).decrypt(message)).plaintext).toEqual(plaintext);
      await refusal(new Envelope({ wrappingKeys: [from] }).decrypt(message), "ERR_NO_MATCHING_KEY");
    }
  });

  test("gives the same as a stream, whatever the chunks", async () => {
    for (const length of [1, 7, 64, 10_000]) {
      const message = await streamed(between, await sealed, length);
      expect((await after.decrypt(message)).plaintext).toEqual(plaintext);
      expect(bodyOf(message)).toEqual(bodyOf(await sealed));
    }
  });

  test("is refused when it was cut or extended", async () => {
    const message = await sealed;
    const step = isSigned(suite) ? 17 : 1;
    for (let length = 0; length < message.length; length += step) {
      await refusal(between.rewrap(message.slice(0, length)), "ERR_MESSAGE_TRUNCATED");
    }
    await refusal(streamed(between, message.slice(0, -1), 50), "ERR_MESSAGE_TRUNCATED");
    await refusal(between.rewrap(new Uint8Array([...message, 0])), "ERR_MESSAGE_INVALID");
    await refusal(between.rewrap(new Uint8Array([...message, ...message])), "ERR_MESSAGE_INVALID");
  });

  test("is refused when a bit of its header was changed, and no new key is asked to wrap", async () => {
    const message = await sealed;
    let wrapped = 0;
    const watched: WrappingKey = {
      ...newKey,
      wrapDataKey: (request, options) => {
        wrapped += 1;
        return newKey.wrapDataKey(request, options);
      },
    };
    const envelope = new Envelope({ wrappingKeys: [watched], unwrappingKeys: [oldKey] });
    const { headerLength } = inspect(message);
    for (let i = 0; i < headerLength; i += isSigned(suite) ? 11 : 1) {
      const changed = message.slice();
      changed[i] = (changed[i] as number) ^ 1;
      await refusal(envelope.rewrap(changed));
    }
    const tag = message.slice();
    tag[headerLength - 1] = (tag[headerLength - 1] as number) ^ 1;
    await refusal(envelope.rewrap(tag), "ERR_AUTHENTICATION");
    expect(wrapped).toBe(0);
    await envelope.rewrap(message);
    expect(wrapped).toBe(1);
  });
});

describe("the tags of a message's headers", () => {
  const EMPTY = new Uint8Array(0);

  function parsed(message: Uint8Array): ParsedHeader {
    const parse = parseHeader({ maxEncryptedDataKeys: 10, maxHeaderLength: 10_000 });
    let step = parse.next();
    while (step.done !== true) step = parse.next(message);
    return step.value;
  }

  async function opens(cipher: AeadKey, { iv, body, tag }: ParsedHeader): Promise<boolean> {
    try {
      await cipher.open(iv, body, EMPTY, tag);
      return true;
    } catch {
      return false;
    }
  }

  test("are made under keys of their own: none under the message key but the first", async () => {
    const message = await before.encrypt(plaintext);
    const source = parsed(message);
    const [encryptedDataKey] = source.encryptedDataKeys as [EncryptedDataKey];
    const request = { encryptedDataKey, dataKeyBytes: 32, encryptionContext: {} };
    const dataKey = (await oldKey.unwrapDataKey(request)) as Uint8Array;
    const keysOf = (header: ParsedHeader) => deriveMessageKeys(header.suite, dataKey, header.messageId);
    const others: ParsedHeader[] = [];
    for (let round = 0; round < 3; round++) others.push(parsed(await between.rewrap(message)));

    const messageKey = keysOf(source).cipher;
    expect(await opens(messageKey, source)).toBe(true);
    for (const header of others) {
      expect(await opens(messageKey, header)).toBe(false);
      for (const other of others) {
        const cipher = keysOf(other).headerCipher(other.body, EMPTY);
        expect(await opens(cipher, header)).toBe(other === header);
      }
    }
  });
});

describe("a signed message", () => {
  const sealed = before.encrypt(plaintext, { suite: SUITE_COMMITTED_SIGNED });

  test("has another verification key and a signature of its own", async () => {
    const message = await between.rewrap(await sealed);
    const name = "aws-crypto-public-key";
    expect(inspect(message).encryptionContext[name]).not.toBe(inspect(await sealed).encryptionContext[name]);
  });

  test("whose body or signature was changed is refused, and as a stream ends before its footer", async () => {
    const message = await sealed;
    const { headerLength } = inspect(message);
    for (const i of [headerLength + 20, headerLength + 60, message.length - 1]) {
      const changed = message.slice();
      changed[i] = (changed[i] as number) ^ 1;
      await refusal(between.rewrap(changed), "ERR_AUTHENTICATION");
      const rewrapper = between.createRewrapper();
      const pieces = await rewrapper.update(changed);
      await refusal(rewrapper.final(), "ERR_AUTHENTICATION");
      // What came out lacks its footer, and is no message.
      const isBody = i < message.length - 1;
      await refusal(after.decrypt(joined(pieces)), isBody ? "ERR_AUTHENTICATION" : "ERR_MESSAGE_TRUNCATED");
    }
  });

  test("is not left unchanged when its signature is wrong", async () => {
    const changed = (await sealed).slice();
    changed[changed.length - 1] = (changed[changed.length - 1] as number) ^ 1;
    await refusal(before.rewrap(changed, { unlessCurrent: true }), "ERR_AUTHENTICATION");
    expect(await before.rewrap(await sealed, { unlessCurrent: true })).toEqual(await sealed);
  });
});

describe("the context", () => {
  test("that is not stored stays so, and is needed", async () => {
    const message = await before.encrypt(plaintext, {
      encryptionContext: { tenant: "7", secret: "x" },
      unstoredContextKeys: ["secret"],
    });
    await refusal(between.rewrap(message));
    const reproducedContext = { secret: "x" };
    const rewrapped = await between.rewrap(message, { reproducedContext });
    expect(inspect(rewrapped).encryptionContext).toEqual(Object.assign(Object.create(null), { tenant: "7" }));
    await refusal(after.decrypt(rewrapped));
    await refusal(after.decrypt(rewrapped, { reproducedContext: { secret: "y" } }));
    expect((await after.decrypt(rewrapped, { reproducedContext })).plaintext).toEqual(plaintext);
    const again = await new Envelope({ wrappingKeys: [oldKey], unwrappingKeys: [newKey] }).rewrap(rewrapped, {
      reproducedContext,
    });
    expect((await before.decrypt(again, { reproducedContext })).plaintext).toEqual(plaintext);
  });

  test("must be the one expected", async () => {
    const message = await before.encrypt(plaintext, { encryptionContext: context });
    await refusal(between.rewrap(message, { encryptionContext: { tenant: "8" } }), "ERR_CONTEXT_MISMATCH");
    await between.rewrap(message, { encryptionContext: { tenant: "7" } });
  });
});

describe("a rewrap is refused", () => {
  test("for a body that is not framed", async () => {
    await refusal(between.rewrap(await nonFramed(oldKey, plaintext)), "ERR_NOT_SUPPORTED");
  });

  test("without wrapping keys", async () => {
    const reader = new Envelope({ wrappingKeys: [], unwrappingKeys: [oldKey] });
    await refusal(reader.rewrap(await before.encrypt(plaintext)), "ERR_NOT_SUPPORTED");
  });

  test("where the suite that comes out may not be read", async () => {
    const strict = new Envelope({
      wrappingKeys: [newKey],
      unwrappingKeys: [oldKey],
      readableSuites: [SUITE_COMMITTED],
    });
    await refusal(strict.rewrap(await before.encrypt(plaintext)), "ERR_NOT_SUPPORTED");
  });

  test("for frames out of order", async () => {
    const message = await before.encrypt(plaintext);
    const { headerLength } = inspect(message);
    const exchanged = message.slice();
    exchanged.set(message.slice(headerLength, headerLength + 48), headerLength + 48);
    exchanged.set(message.slice(headerLength + 48, headerLength + 96), headerLength);
    await refusal(between.rewrap(exchanged), "ERR_MESSAGE_INVALID");
  });

  test("for a header that gets longer than can be read, or has too many keys", async () => {
    const message = await before.encrypt(plaintext);
    const { headerLength } = inspect(message);
    const short = { unwrappingKeys: [oldKey], maxHeaderLength: headerLength };
    await refusal(new Envelope({ ...short, wrappingKeys: [newKey, otherKey] }).rewrap(message), "ERR_LIMIT");
    await new Envelope({ ...short, wrappingKeys: [newKey] }).rewrap(message);
    const few = new Envelope({ wrappingKeys: [newKey], unwrappingKeys: [oldKey], maxEncryptedDataKeys: 1 });
    await refusal(few.rewrap(message, { heal: true }), "ERR_LIMIT");
  });

  test("when the new key fails, with its own error", async () => {
    const failing: WrappingKey = { ...newKey, wrapDataKey: () => Promise.reject(new Error("no such key")) };
    const envelope = new Envelope({ wrappingKeys: [failing], unwrappingKeys: [oldKey] });
    await expect(envelope.rewrap(await before.encrypt(plaintext))).rejects.toThrow("no such key");
  });

  test("for options that cannot be, after close, and when the signal aborts", async () => {
    const message = await before.encrypt(plaintext);
    for (const options of [{ heel: true }, { heal: 1 }, { heal: true, unlessCurrent: true }]) {
      await expect(between.rewrap(message, options as object)).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
    }
    await expect(between.rewrap("text" as unknown as Uint8Array)).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(between.rewrap(message, { signal })).rejects.toThrow("enough");
    const closed = new Envelope({ wrappingKeys: [oldKey] });
    closed.close();
    await refusal(closed.rewrap(message), "ERR_CLOSED");
    const closing = new Envelope({ wrappingKeys: [oldKey] });
    const begun = closing.createRewrapper();
    closing.close();
    await refusal(begun.update(message), "ERR_CLOSED");
    const rewrapper = between.createRewrapper();
    await rewrapper.update(message);
    await rewrapper.final();
    await refusal(rewrapper.final(), "ERR_CLOSED");
  });
});

test("a body that ends with a full final frame is kept", async () => {
  const { message, plaintext: full } = await fullFinalFrame(oldKey, 16, 3);
  expect((await after.decrypt(await between.rewrap(message))).plaintext).toEqual(full);
});

test("the cache of data keys does not hide that the old key opens no more", async () => {
  const cache = { maxAgeMs: 60_000 };
  const cached = new Envelope({ wrappingKeys: [newKey], unwrappingKeys: [oldKey], cache });
  const message = await before.encrypt(plaintext);
  await cached.decrypt(message);
  const rewrapped = await cached.rewrap(message);
  expect((await cached.decrypt(rewrapped)).plaintext).toEqual(plaintext);
  await refusal(before.decrypt(rewrapped), "ERR_NO_MATCHING_KEY");
});

describe("healing", () => {
  const both = new Envelope({ wrappingKeys: [oldKey], optionalWrappingKeys: [newKey], frameLength: 16 });

  test("adds the keys that lack, and keeps those that are there", async () => {
    const message = await before.encrypt(plaintext);
    const healed = await both.rewrap(message, { heal: true });
    const keys = inspect(healed).encryptedDataKeys;
    expect(keys).toHaveLength(2);
    expect(keys[0]).toEqual(inspect(message).encryptedDataKeys[0]);
    for (const envelope of [before, after]) expect((await envelope.decrypt(healed)).plaintext).toEqual(plaintext);
    // Nothing lacks any more.
    expect(await both.rewrap(healed, { heal: true })).toEqual(healed);
  });

  test("keeps keys that are not the envelope's", async () => {
    const message = await new Envelope({ wrappingKeys: [oldKey, otherKey] }).encrypt(plaintext);
    const healed = await both.rewrap(message, { heal: true });
    expect(inspect(healed).encryptedDataKeys).toHaveLength(3);
    for (const key of [oldKey, newKey, otherKey]) {
      expect((await new Envelope({ wrappingKeys: [key] }).decrypt(healed)).plaintext).toEqual(plaintext);
    }
  });

  test("leaves the message as it is where the optional key still cannot be reached", async () => {
    const down: WrappingKey = { ...newKey, wrapDataKey: () => Promise.reject(new Error("down")) };
    const message = await before.encrypt(plaintext);
    const envelope = new Envelope({ wrappingKeys: [oldKey], optionalWrappingKeys: [down] });
    expect(await envelope.rewrap(message, { heal: true })).toEqual(message);
  });

  test("of a signed message is refused where a key lacks: none of its keys could be kept", async () => {
    const message = await before.encrypt(plaintext, { suite: SUITE_COMMITTED_SIGNED });
    await refusal(both.rewrap(message, { heal: true }), "ERR_NOT_SUPPORTED");
    expect(await before.rewrap(message, { heal: true })).toEqual(message);
  });

  test("needs keys that can tell what is theirs", async () => {
    const { matches: _, ...dumb } = newKey;
    const envelope = new Envelope({ wrappingKeys: [oldKey, dumb] });
    await refusal(envelope.rewrap(await before.encrypt(plaintext), { heal: true }), "ERR_NOT_SUPPORTED");
  });
});

describe("unless current", () => {
  const options = { unlessCurrent: true };

  test("a message whose keys are exactly the envelope's stays as it is", async () => {
    const message = await before.encrypt(plaintext);
    expect(await before.rewrap(message, options)).toEqual(message);
    const two = new Envelope({ wrappingKeys: [newKey, oldKey] });
    expect(inspect(await two.rewrap(message, options)).encryptedDataKeys).toHaveLength(2);
    const wider = await two.encrypt(plaintext);
    expect(await two.rewrap(wider, options)).toEqual(wider);
    expect(inspect(await before.rewrap(wider, options)).encryptedDataKeys).toHaveLength(1);
    expect(await before.rewrap(message)).not.toEqual(message);
  });

  test("is checked after the header is authenticated, and its end all the same", async () => {
    const message = await before.encrypt(plaintext);
    const tag = message.slice();
    const { headerLength } = inspect(message);
    tag[headerLength - 1] = (tag[headerLength - 1] as number) ^ 1;
    await refusal(before.rewrap(tag, options), "ERR_AUTHENTICATION");
    await refusal(before.rewrap(message.slice(0, -1), options), "ERR_MESSAGE_TRUNCATED");
  });

  test("a key that cannot tell, or matches another's too, is wrapped anew", async () => {
    const message = await before.encrypt(plaintext);
    const { matches: _, ...dumb } = oldKey;
    expect(await new Envelope({ wrappingKeys: [dumb] }).rewrap(message, options)).not.toEqual(message);
    const greedy: WrappingKey = { ...oldKey, matches: async (_key: EncryptedDataKey) => true };
    const wider = await new Envelope({ wrappingKeys: [oldKey, newKey] }).encrypt(plaintext);
    const rewrapped = await new Envelope({ wrappingKeys: [greedy, newKey] }).rewrap(wider, options);
    expect(rewrapped).not.toEqual(wider);
  });
});

describe("many messages", () => {
  test("come out in order, failures among them, no more at a time than allowed", async () => {
    let running = 0;
    let most = 0;
    const slow: WrappingKey = {
      ...newKey,
      async wrapDataKey(request, options) {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setTimeout(resolve, 2));
        running -= 1;
        return newKey.wrapDataKey(request, options);
      },
    };
    const envelope = new Envelope({ wrappingKeys: [slow], unwrappingKeys: [oldKey] });
    const current = await after.encrypt(bytesOf(3));
    const messages: Uint8Array[] = [];
    for (let i = 0; i < 20; i++) messages.push(await before.encrypt(bytesOf(i)));
    messages[5] = new Uint8Array(9);
    messages[9] = current;
    const progress: RewrapProgress[] = [];
    const results: RewrapResult[] = [];
    const options = {
      concurrency: 3,
      total: 20,
      unlessCurrent: true,
      onProgress: (at: RewrapProgress) => progress.push(at),
    };
    for await (const result of rewrapMany(envelope, messages, options)) results.push(result);
    expect(results.map(({ index }) => index)).toEqual(messages.map((_message, index) => index));
    for (const [index, result] of results.entries()) {
      if (index === 5) {
        expect(result).toMatchObject({ error: { code: "ERR_MESSAGE_UNSUPPORTED" } });
        continue;
      }
      if ("error" in result) throw result.error;
      expect(result.isUnchanged).toBe(index === 9);
      const opened = await after.decrypt(result.message);
      expect(opened.plaintext).toEqual(bytesOf(index === 9 ? 3 : index));
    }
    expect(most).toBe(3);
    expect(progress).toHaveLength(20);
    const bytes = results.reduce((sum, result) => sum + ("error" in result ? 0 : result.message.length), 0);
    expect(progress.at(-1)).toEqual({ done: 20, total: 20, bytes, failed: 1, unchanged: 1 });
  });

  test("of an iterable that fails come out as far as it went; who stops early ends it", async () => {
    const message = await before.encrypt(plaintext);
    let isClosed = false;
    async function* failing(): AsyncGenerator<Uint8Array, void, undefined> {
      yield message;
      yield message;
      throw new Error("list ended badly");
    }
    const seen: number[] = [];
    const all = async (): Promise<void> => {
      for await (const { index } of rewrapMany(between, failing())) seen.push(index);
    };
    await expect(all()).rejects.toThrow("list ended badly");
    expect(seen).toEqual([0, 1]);
    function* endless(): Generator<Uint8Array, void, undefined> {
      try {
        for (;;) yield message;
      } finally {
        isClosed = true;
      }
    }
    for await (const { index } of rewrapMany(between, endless(), { concurrency: 2 })) if (index === 4) break;
    expect(isClosed).toBe(true);
  });

  test("end when the signal aborts, and for options that cannot be", async () => {
    const message = await before.encrypt(plaintext);
    const controller = new AbortController();
    const work = async (): Promise<void> => {
      const messages = Array.from({ length: 50 }, () => message);
      for await (const { index } of rewrapMany(between, messages, { signal: controller.signal, concurrency: 2 })) {
        if (index === 3) controller.abort(new Error("enough"));
      }
    };
    await expect(work()).rejects.toThrow("enough");
    for (const options of [{ concurrency: 0 }, { total: -1 }, { heel: true }, { onProgress: 1 }]) {
      await expect(rewrapMany(between, [message], options as object).next()).rejects.toMatchObject({
        code: "ERR_ARGUMENT",
      });
    }
  });
});
