import { equalBytes } from "@fengni/crypto/bytes";
import { randomBytes } from "@fengni/crypto/random";
import { describe, expect, it, vi } from "vitest";
import {
  AggregateUnwrapError,
  DEFAULT_KEY_DEADLINE_MS,
  Envelope,
  FengniError,
  inspect,
  KEY_COOL_OFF_MS,
  rawAesKey,
  type WrappingKey,
} from "../src/index.js";

type Call = "generateDataKey" | "wrapDataKey" | "unwrapDataKey";

/** A raw AES key that can be made to fail or to hang, and counts its calls. */
class FlakyKey implements WrappingKey {
  readonly name: string;
  readonly #key: WrappingKey;
  failure: unknown;
  isHanging = false;
  /** Data keys handed out, to see that they are wiped. */
  readonly given: Uint8Array[] = [];
  readonly calls: Call[] = [];
  #release: (() => void)[] = [];

  constructor(name: string) {
    this.name = name;
    this.#key = rawAesKey({ namespace: "test", name, key: new Uint8Array(32).fill(name.charCodeAt(0)) });
  }

  release(): void {
    this.isHanging = false;
    for (const release of this.#release) release();
    this.#release = [];
  }

  async generateDataKey(request: Parameters<WrappingKey["generateDataKey"]>[0]) {
    await this.#enter("generateDataKey");
    const made = await this.#key.generateDataKey(request);
    this.given.push(made.dataKey);
    return made;
  }

  async wrapDataKey(request: Parameters<WrappingKey["wrapDataKey"]>[0]) {
    await this.#enter("wrapDataKey");
    return this.#key.wrapDataKey(request);
  }

  async unwrapDataKey(request: Parameters<WrappingKey["unwrapDataKey"]>[0]) {
    await this.#enter("unwrapDataKey");
    const dataKey = await this.#key.unwrapDataKey(request);
    if (dataKey !== undefined) this.given.push(dataKey);
    return dataKey;
  }

  async #enter(call: Call): Promise<void> {
    this.calls.push(call);
    if (this.isHanging) await new Promise<void>((resolve) => this.#release.push(resolve));
    if (this.failure !== undefined) throw this.failure;
  }
}

const down = (): FengniError => new FengniError("ERR_UNAVAILABLE", "the service is down", { retryable: true });
const denied = (): FengniError => new FengniError("ERR_DENIED", "not allowed");
const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => "success",
    (error: { code?: unknown }) => error.code ?? error,
  );
const opensAlone = (key: WrappingKey, message: Uint8Array): Promise<unknown> =>
  codeOf(new Envelope({ wrappingKeys: [], unwrappingKeys: [key] }).decrypt(message));

describe("several wrapping keys", () => {
  it("writes no message without every required key, and wipes the data key", async () => {
    const [a, b] = [new FlakyKey("a"), new FlakyKey("b")];
    const envelope = new Envelope({ wrappingKeys: [a, b] });
    b.failure = denied();
    expect(await codeOf(envelope.encrypt("text"))).toBe("ERR_DENIED");
    expect(a.given).toHaveLength(1);
    expect(a.given[0]?.every((byte) => byte === 0)).toBe(true);
  });

  it("writes a message without an optional key that fails, and with it when it works", async () => {
    const [a, b] = [new FlakyKey("a"), new FlakyKey("b")];
    const envelope = new Envelope({ wrappingKeys: [a], optionalWrappingKeys: [b] });
    const whole = await envelope.encrypt("text");
    expect(inspect(whole).encryptedDataKeys).toHaveLength(2);
    expect(await opensAlone(b, whole)).toBe("success");
    b.failure = down();
    const partial = await envelope.encrypt("text");
    expect(inspect(partial).encryptedDataKeys).toHaveLength(1);
    expect(await opensAlone(a, partial)).toBe("success");
  });

  it("generates with the next optional key where none is required", async () => {
    const [a, b] = [new FlakyKey("a"), new FlakyKey("b")];
    const envelope = new Envelope({ wrappingKeys: [], optionalWrappingKeys: [a, b] });
    a.failure = down();
    const message = await envelope.encrypt("text");
    expect(b.calls).toEqual(["generateDataKey"]);
    expect(await opensAlone(b, message)).toBe("success");
    expect(a.calls).toEqual(["generateDataKey"]);
    // Demoted now: not asked at all while the others suffice.
    a.calls.length = 0;
    await envelope.encrypt("text");
    expect(a.calls).toEqual([]);
    b.failure = down();
    expect(await codeOf(envelope.encrypt("text"))).toBe("ERR_UNAVAILABLE");
    expect(a.calls).toEqual(["generateDataKey"]);
  });

  it("demands the minimum, and says which keys did not wrap", async () => {
    const keys = ["a", "b", "c"].map((name) => new FlakyKey(name));
    const [, b, c] = keys as [FlakyKey, FlakyKey, FlakyKey];
    const envelope = new Envelope({ wrappingKeys: [], optionalWrappingKeys: keys, minimumWrappings: 2 });
    c.failure = denied();
    expect(inspect(await envelope.encrypt("text")).encryptedDataKeys).toHaveLength(2);
    b.failure = down();
    const error = await envelope.encrypt("text").catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "ERR_UNAVAILABLE", retryable: true });
    expect((error as Error).message).toMatch(/1 of at least 2 .*"b", "c"/);
    // The one that is down is asked where it is needed; refusals alone are no reason to try again.
    b.failure = denied();
    expect(await envelope.encrypt("text").catch((reason: unknown) => reason)).toMatchObject({ retryable: false });
  });

  it("rejects with what the first answered when no optional key can generate", async () => {
    const [a, b] = [new FlakyKey("a"), new FlakyKey("b")];
    a.failure = down();
    b.failure = denied();
    const envelope = new Envelope({ wrappingKeys: [], optionalWrappingKeys: [a, b] });
    expect(await codeOf(envelope.encrypt("text"))).toBe("ERR_UNAVAILABLE");
  });

  it("checks its options", () => {
    const key = new FlakyKey("a");
    for (const options of [
      { wrappingKeys: [key], optionalWrappingKeys: [key] },
      { wrappingKeys: [key, key] },
      { wrappingKeys: [key], minimumWrappings: 2 },
      { wrappingKeys: [key, new FlakyKey("b")], minimumWrappings: 1 },
      { wrappingKeys: [key], minimumWrappings: 0 },
      { wrappingKeys: [key], keyDeadlineMs: 0 },
      { wrappingKeys: [key], keyDeadlineMs: 600_001 },
      { wrappingKeys: [key], optionalWrappingKeys: [{}] as never },
      { wrappingKeys: [key], algorithmPolicy: "sm" as never },
    ]) {
      expect(() => new Envelope(options)).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
    }
  });
});

describe("fail-over on opening", () => {
  it("tries the keys in order, says what each answered, and asks those that are down last", async () => {
    const [a, b] = [new FlakyKey("a"), new FlakyKey("b")];
    const envelope = new Envelope({ wrappingKeys: [a, b] });
    const message = await envelope.encrypt("text");
    const asked = async (): Promise<readonly string[]> => {
      a.calls.length = 0;
      b.calls.length = 0;
      await envelope.decrypt(message);
      return [...a.calls.map(() => "a"), ...b.calls.map(() => "b")];
    };
    expect(await asked()).toEqual(["a"]);
    a.failure = down();
    expect(await asked()).toEqual(["a", "b", "b"]);
    expect(await asked()).toEqual(["b", "b"]);
    b.failure = denied();
    const error = await envelope.decrypt(message).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(AggregateUnwrapError);
    const { attempts, retryable } = error as AggregateUnwrapError;
    expect(attempts.map(({ key }) => key)).toContain("a");
    expect(attempts.map(({ key }) => key)).toContain("b");
    expect(retryable).toBe(true);
  });

  it("restores a key once it answers, or its time is over", async () => {
    vi.useFakeTimers();
    try {
      const [a, b] = [new FlakyKey("a"), new FlakyKey("b")];
      const envelope = new Envelope({ wrappingKeys: [a, b] });
      const message = await envelope.encrypt("text");
      a.failure = down();
      await envelope.decrypt(message);
      a.failure = undefined;
      a.calls.length = 0;
      await envelope.decrypt(message);
      expect(a.calls).toEqual([]);
      vi.advanceTimersByTime(KEY_COOL_OFF_MS);
      await envelope.decrypt(message);
      expect(a.calls).toEqual(["unwrapDataKey"]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("gives a key that hangs its deadline, whatever it makes of its signal, and wipes what comes late", async () => {
    vi.useFakeTimers();
    try {
      const [a, b] = [new FlakyKey("a"), new FlakyKey("b")];
      const envelope = new Envelope({ wrappingKeys: [a, b] });
      const message = await envelope.encrypt("text");
      a.given.length = 0;
      a.isHanging = true;
      const opened = envelope.decrypt(message);
      await vi.advanceTimersByTimeAsync(DEFAULT_KEY_DEADLINE_MS);
      expect(new TextDecoder().decode((await opened).plaintext)).toBe("text");
      expect(vi.getTimerCount()).toBe(0);
      a.release();
      await vi.waitFor(() => expect(a.given).toHaveLength(1));
      await vi.waitFor(() => expect(a.given[0]?.every((byte) => byte === 0)).toBe(true));
    } finally {
      vi.useRealTimers();
    }
  });

  it("does not let an optional key that hangs hold up sealing for longer than its deadline", async () => {
    const [a, b] = [new FlakyKey("a"), new FlakyKey("b")];
    const envelope = new Envelope({ wrappingKeys: [a], optionalWrappingKeys: [b], keyDeadlineMs: 20 });
    b.isHanging = true;
    const message = await envelope.encrypt("text");
    expect(inspect(message).encryptedDataKeys).toHaveLength(1);
    b.release();
    a.isHanging = true;
    expect(await codeOf(envelope.encrypt("text"))).toBe("ERR_TIMEOUT");
  });

  it("rejects with the signal's reason at once, and demotes nobody for it", async () => {
    const [a, b] = [new FlakyKey("a"), new FlakyKey("b")];
    const envelope = new Envelope({ wrappingKeys: [a, b] });
    const message = await envelope.encrypt("text");
    a.isHanging = true;
    const controller = new AbortController();
    const reason = new Error("enough");
    const opening = envelope.decrypt(message, { signal: controller.signal });
    const sealing = envelope.encrypt("text", { signal: controller.signal });
    controller.abort(reason);
    expect(await codeOf(opening)).toBe(reason);
    expect(await codeOf(sealing)).toBe(reason);
    a.release();
    a.calls.length = 0;
    await envelope.decrypt(message);
    expect(a.calls).toEqual(["unwrapDataKey"]);
  });
});

describe("the algorithm policy gm-only", () => {
  const declared = (algorithms: readonly string[] | undefined): WrappingKey => {
    const key: WrappingKey = rawAesKey({ namespace: "test", name: "declared", key: randomBytes(32) });
    const { algorithms: _own, ...rest } = key;
    return algorithms === undefined ? rest : { ...rest, algorithms };
  };

  it("refuses suites and keys of other algorithms when the envelope is made", () => {
    const key = declared(["SM4"]);
    const aes = declared(["AES-256-GCM"]);
    for (const options of [
      { wrappingKeys: [key], suite: 0x0478 as const },
      { wrappingKeys: [key], readableSuites: [0xf128, 0x0478] },
      { wrappingKeys: [aes] },
      { wrappingKeys: [key], optionalWrappingKeys: [aes] },
      { wrappingKeys: [key], unwrappingKeys: [aes] },
      { wrappingKeys: [declared(undefined)] },
      { wrappingKeys: [declared([])] },
      { wrappingKeys: [declared(["SM4", "RSA"])] },
    ]) {
      const make = (): Envelope => new Envelope({ ...options, algorithmPolicy: "gm-only" });
      expect(make).toThrow(expect.objectContaining({ code: "ERR_NOT_SUPPORTED" }));
    }
  });

  it("writes and opens with SM suites only", async () => {
    const key = declared(["SM4"]);
    const envelope = new Envelope({ wrappingKeys: [key], algorithmPolicy: "gm-only" });
    const message = await envelope.encrypt("text");
    expect(inspect(message).suite.id).toBe("0xf128");
    expect(await envelope.decryptText(message)).toBe("text");
    expect(await codeOf(envelope.encrypt("text", { suite: 0x0478 }))).toBe("ERR_NOT_SUPPORTED");
    const other = await new Envelope({ wrappingKeys: [key] }).encrypt("text");
    expect(await codeOf(envelope.decrypt(other))).toBe("ERR_MESSAGE_UNSUPPORTED");
    expect(equalBytes(message, other)).toBe(false);
  });
});
