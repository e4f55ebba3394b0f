// What an envelope says of messages that it does not open: its policies, its keys and their states, and that it agrees with
// `decrypt` and asks no more than it may.
import {
  discoverKeys,
  type EncryptedDataKey,
  Envelope,
  type EnvelopeOptions,
  type ErrorCode,
  type ExplainOptions,
  FengniError,
  isFengniError,
  type KeyAdmin,
  type KeyDescription,
  type KeyProvider,
  type MessageExplanation,
  providerKey,
  SUITE_COMMITTED,
  SUITE_COMMITTED_SIGNED,
  SUITE_SM4,
  type UnwrappingKey,
  type WrappingKey,
} from "@fengni/core";
import { describe, expect, test, vi } from "vitest";
import { bytesOf, refusal, testKey } from "./support.js";

const key = testKey("app");
const plain = new Envelope({ wrappingKeys: [key] });
const context = { tenant: "7" };

function codes({ reasons }: MessageExplanation): string[] {
  return reasons.map(({ code }) => code);
}

/** Explains, and checks the verdict against what decrypt does. */
async function explained(
  options: Partial<EnvelopeOptions>,
  message: Uint8Array,
  explainOptions: ExplainOptions = {},
): Promise<MessageExplanation> {
  const envelope = new Envelope({ wrappingKeys: [key], ...options });
  const explanation = await envelope.explain(message, explainOptions);
  const { admins: _, ...decryptOptions } = explainOptions;
  const error = await envelope.decrypt(message, decryptOptions).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (explanation.verdict === "can-open") expect(error).toBe(undefined);
  if (explanation.verdict === "cannot-open") expect(isFengniError(error)).toBe(true);
  if (!explanation.isAccepted) expect((error as FengniError).code).toBe(explanation.reasons[0]?.code);
  return explanation;
}

/** A key that wraps as it is told, and counts what it is asked. */
function fakeKey(encryptedDataKey: EncryptedDataKey, overrides: Partial<WrappingKey> = {}): WrappingKey {
  return {
    name: "fake",
    generateDataKey: async ({ dataKeyBytes }) => ({ dataKey: new Uint8Array(dataKeyBytes).fill(9), encryptedDataKey }),
    wrapDataKey: async () => encryptedDataKey,
    unwrapDataKey: async () => undefined,
    ...overrides,
  };
}

function named(providerId: string, keyId: string): EncryptedDataKey {
  return { providerId, providerInfo: new TextEncoder().encode(keyId), ciphertext: bytesOf(40) };
}

const plainAllowing = new Envelope({ wrappingKeys: [key], commitmentPolicy: "require-encrypt-allow-decrypt" });

/** The header of a message of an older writer, which nobody sealed: version 1, suite 0x0178, the key "app". */
function uncommitted(): Uint8Array {
  const info = Buffer.concat([Buffer.from("app"), Buffer.from("000000800000000c", "hex"), bytesOf(12)]);
  const field = (bytes: Uint8Array): Buffer => Buffer.concat([Buffer.from([0, bytes.length]), bytes]);
  const dataKey = Buffer.concat([field(Buffer.from("test")), field(info), field(bytesOf(48))]);
  const ending = Buffer.from("02000000000c00001000", "hex");
  const parts = [
    Buffer.from("01800178", "hex"),
    bytesOf(16),
    Buffer.from("00000001", "hex"),
    dataKey,
    ending,
    bytesOf(28),
  ];
  return new Uint8Array(Buffer.concat(parts));
}

function messageFor(...keys: readonly EncryptedDataKey[]): Promise<Uint8Array> {
  return new Envelope({ wrappingKeys: keys.map((each) => fakeKey(each)), maxEncryptedDataKeys: 0xffff }).encrypt(
    "attack",
  );
}

describe("what the envelope accepts", () => {
  test("a message of its own, and only the beginning of one", async () => {
    const message = await plain.encrypt("attack", { encryptionContext: context });
    const whole = await explained({}, message, { encryptionContext: context });
    expect(whole).toMatchObject({
      verdict: "can-open",
      isAccepted: true,
      reasons: [{ code: "key-matches", text: 'wrapping key "test/app" matches "test" key "app"' }],
      header: {
        suite: { id: "0x0478", committing: true, signed: false },
        encryptionContext: context,
        frameLength: 65_536,
      },
      encryptedDataKeys: [
        {
          providerId: "test",
          description: '"test" key "app"',
          keys: [{ name: "test/app", match: "yes", isDemoted: false }],
          state: "not-asked",
        },
      ],
    });
    expect(await plain.explain(message.subarray(0, whole.header.headerLength), { encryptionContext: context })).toEqual(
      whole,
    );
  });

  test("a signed one", async () => {
    const message = await plain.encrypt("attack", { suite: SUITE_COMMITTED_SIGNED });
    expect((await explained({}, message)).verdict).toBe("can-open");
  });

  test("not a suite without commitment, unless it is allowed", async () => {
    const message = uncommitted();
    const strict = await explained({}, message);
    expect(strict).toMatchObject({ verdict: "cannot-open", isAccepted: false, header: { version: 1 } });
    expect(codes(strict)[0]).toBe("ERR_MESSAGE_UNSUPPORTED");
    const lax = await plainAllowing.explain(message);
    expect(lax).toMatchObject({ verdict: "can-open", isAccepted: true });
  });

  test("not a suite that is not readable, by name or by the algorithm policy", async () => {
    const message = await plain.encrypt("attack");
    const other = await explained({ suite: SUITE_SM4, readableSuites: [SUITE_SM4] }, message);
    expect(other).toMatchObject({ verdict: "cannot-open", isAccepted: false });
    expect(other.reasons[0]?.text).toContain("readableSuites");
    const sm = fakeKey(named("p", "k"), { algorithms: ["SM4"] });
    const gm = await explained({ wrappingKeys: [sm], algorithmPolicy: "gm-only" }, message);
    expect(codes(gm)[0]).toBe("ERR_MESSAGE_UNSUPPORTED");
  });

  test("not a longer frame, more encrypted data keys or a longer header than its limits", async () => {
    const message = await new Envelope({ wrappingKeys: [key, testKey("b"), testKey("c")] }).encrypt("attack");
    for (const [limit, count] of [
      [{ maxFrameLength: 100 }, 3],
      [{ maxEncryptedDataKeys: 2 }, 2],
      [{ maxHeaderLength: 100 }, 3],
    ] as const) {
      const explanation = await explained(limit, message);
      expect(explanation).toMatchObject({ verdict: "cannot-open", isAccepted: false });
      expect(codes(explanation)[0]).toBe("ERR_LIMIT");
      expect(explanation.header.encryptedDataKeys).toHaveLength(3);
      expect(explanation.encryptedDataKeys).toHaveLength(count);
    }
  });

  test("not another context than expected: every key that differs is named, no value", async () => {
    const message = await plain.encrypt("attack", { encryptionContext: { tenant: "7", kind: "secret-kind" } });
    const explanation = await explained({}, message, {
      encryptionContext: { tenant: "secret-8", constructor: "x", kind: "secret-kind" },
    });
    expect(explanation).toMatchObject({ verdict: "cannot-open", isAccepted: false });
    expect(codes(explanation)).toEqual(["ERR_CONTEXT_MISMATCH", "ERR_CONTEXT_MISMATCH", "key-matches"]);
    const text = explanation.reasons.map((reason) => reason.text).join("\n");
    expect(text).toContain('another value for the key "tenant"');
    expect(text).toContain('lacks the key "constructor"');
    expect(text).not.toContain("secret-");
  });

  test("a reproduced context, unless the message stores another value", async () => {
    const stored = { tenant: "7", user: "1" };
    const message = await plain.encrypt("attack", { encryptionContext: stored, unstoredContextKeys: ["user"] });
    const right = await explained({}, message, { encryptionContext: stored, reproducedContext: { user: "1" } });
    expect(right.verdict).toBe("can-open");
    const lacking = await explained({}, message, { encryptionContext: stored });
    expect(codes(lacking)[0]).toBe("ERR_CONTEXT_MISMATCH");
    const other = await explained({}, message, { reproducedContext: { user: "1", tenant: "8" } });
    expect(codes(other)[0]).toBe("ERR_CONTEXT_MISMATCH");
  });

  test("what is no message is an error, as of inspect", async () => {
    const message = await plain.encrypt("attack");
    await refusal(plain.explain(new Uint8Array(0)), "ERR_MESSAGE_TRUNCATED");
    await refusal(plain.explain(message.subarray(0, 50)), "ERR_MESSAGE_TRUNCATED");
    await refusal(plain.explain(new TextEncoder().encode("attack")), "ERR_MESSAGE_UNSUPPORTED");
    await refusal(
      plain.explain(Uint8Array.from(message, (byte, at) => (at === 1 ? 0x77 : byte))),
      "ERR_MESSAGE_UNSUPPORTED",
    );
  });

  test("a signed message without its verification key is refused, as by decrypt", async () => {
    const message = await plain.encrypt("attack", { suite: SUITE_COMMITTED_SIGNED });
    // Another name for the context's key, of the same length.
    const at = Buffer.from(message).indexOf("aws-crypto-public-key");
    const changed = Uint8Array.from(message, (byte, index) => (index === at ? 0x62 : byte));
    const explanation = await explained({}, changed);
    expect(explanation).toMatchObject({ verdict: "cannot-open", isAccepted: false });
    expect(codes(explanation)[0]).toBe("ERR_MESSAGE_INVALID");
  });
});

describe("which keys match", () => {
  test("none: the message names another", async () => {
    const message = await new Envelope({ wrappingKeys: [testKey("other")] }).encrypt("attack");
    const explanation = await explained({}, message);
    expect(explanation).toMatchObject({ verdict: "cannot-open", isAccepted: true });
    expect(explanation.reasons).toEqual([
      {
        code: "ERR_NO_MATCHING_KEY",
        text: 'no configured wrapping key matches this message: its data key is wrapped by "test" key "other"',
      },
    ]);
  });

  test("one of several, and keys that only open count too", async () => {
    const other = testKey("other");
    const message = await new Envelope({ wrappingKeys: [testKey("third"), other] }).encrypt("attack");
    const explanation = await explained({ unwrappingKeys: [other] }, message);
    expect(explanation.verdict).toBe("can-open");
    expect(explanation.encryptedDataKeys.map(({ keys }) => keys.map(({ match }) => match))).toEqual([
      ["no", "no"],
      ["no", "yes"],
    ]);
  });

  test("a key that does not tell, and one that fails to, leave it open", async () => {
    const message = await messageFor(named("p", "k"));
    const silent = fakeKey(named("q", "k"));
    const failing = fakeKey(named("q", "k"), { matches: () => Promise.reject(new Error("secret words")) });
    for (const wrappingKeys of [[silent], [failing]]) {
      const explanation = await new Envelope({ wrappingKeys }).explain(message);
      expect(explanation).toMatchObject({ verdict: "cannot-tell", isAccepted: true });
      expect(codes(explanation)).toEqual(["key-cannot-tell"]);
      expect(JSON.stringify(explanation)).not.toContain("secret");
    }
  });

  test("nothing is opened, generated or wrapped", async () => {
    const message = await messageFor(named("p", "k"), named("p", "l"));
    const forbidden = vi.fn(async () => {
      throw new Error("not to be called");
    });
    const watched = { name: "w", matches: async () => true, generateDataKey: forbidden, wrapDataKey: forbidden };
    const envelope = new Envelope({ wrappingKeys: [{ ...watched, unwrapDataKey: forbidden }] });
    expect((await envelope.explain(message)).verdict).toBe("can-open");
    expect(forbidden).not.toHaveBeenCalled();
  });

  test("no more questions than maxEncryptedDataKeys times keys, however many the header states", async () => {
    const message = await messageFor(...Array.from({ length: 300 }, (_, index) => named("p", `k${index}`)));
    const matches = vi.fn(async () => true);
    const describeKey = vi.fn(async (keyId: string) => ({ ...described("enabled"), keyId }));
    const keys = [0, 1].map(() => fakeKey(named("p", "k"), { matches }));
    const envelope = new Envelope({ wrappingKeys: keys, maxEncryptedDataKeys: 7 });
    const explanation = await envelope.explain(message, { admins: [{ providerId: "p", admin: { describeKey } }] });
    expect(explanation.header.encryptedDataKeys).toHaveLength(300);
    expect(matches).toHaveBeenCalledTimes(14);
    expect(describeKey).toHaveBeenCalledTimes(7);
    expect(explanation.verdict).toBe("cannot-open");
  });

  test("a key that cannot be reached is asked once, and its standing stays as it is", async () => {
    const message = await messageFor(named("p", "k"), named("p", "l"), named("p", "m"));
    const matches = vi.fn(() => Promise.reject(new FengniError("ERR_UNAVAILABLE", "down", { retryable: true })));
    const envelope = new Envelope({ wrappingKeys: [fakeKey(named("p", "k"), { matches })] });
    for (let times = 1; times <= 2; times++) {
      const { encryptedDataKeys } = await envelope.explain(message);
      expect(matches).toHaveBeenCalledTimes(times);
      expect(encryptedDataKeys.flatMap(({ keys }) => keys)).toEqual(
        Array.from({ length: 3 }, () => ({ name: "fake", match: "unknown", isDemoted: false })),
      );
    }
  });

  test("a key that never answers has a deadline", async () => {
    const message = await messageFor(named("p", "k"));
    const matches = (): Promise<boolean> => new Promise(() => {});
    const envelope = new Envelope({ wrappingKeys: [fakeKey(named("p", "k"), { matches })], keyDeadlineMs: 1 });
    expect((await envelope.explain(message)).verdict).toBe("cannot-tell");
  });

  test("a key that could not be reached of late is said to be demoted", async () => {
    const unreachable: UnwrappingKey = {
      name: "far",
      matches: async () => true,
      unwrapDataKey: () => Promise.reject(new FengniError("ERR_UNAVAILABLE", "down", { retryable: true })),
    };
    const envelope = new Envelope({ wrappingKeys: [], unwrappingKeys: [unreachable, key] });
    const message = await new Envelope({ wrappingKeys: [key, testKey("b")] }).encrypt("attack");
    expect(codes(await envelope.explain(message))).not.toContain("key-demoted");
    await envelope.decrypt(message);
    const explanation = await envelope.explain(message);
    expect(explanation.verdict).toBe("can-open");
    expect(codes(explanation).filter((code) => code === "key-demoted")).toHaveLength(1);
    expect(explanation.encryptedDataKeys[0]?.keys.map(({ isDemoted }) => isDemoted)).toEqual([true, false]);
  });
});

function described(state: KeyDescription["state"], overrides: Partial<KeyDescription> = {}): KeyDescription {
  return {
    keyId: "k",
    keySpec: "AES_256",
    keyUsage: "encrypt-decrypt",
    state,
    origin: "provider",
    createdAtMs: 0,
    description: "",
    ...overrides,
  };
}

describe("the states of keys", () => {
  const notAsked = (): Promise<never> => Promise.reject(new Error("explaining asks for no data key"));
  const provider = {
    providerId: "p",
    resolveKeyId: async (keyId: string) => keyId,
    generateDataKey: notAsked,
    encrypt: notAsked,
    decrypt: notAsked,
  } as unknown as KeyProvider;

  async function withAnswer(answer: () => Promise<KeyDescription>): Promise<MessageExplanation> {
    const message = await messageFor(named("p", "k"));
    const admin: Pick<KeyAdmin, "describeKey"> = { describeKey: answer };
    return new Envelope({ wrappingKeys: [], unwrappingKeys: [discoverKeys(provider)] }).explain(message, {
      admins: [{ providerId: "p", admin }],
    });
  }

  for (const [state, verdict, refusalCode] of [
    ["enabled", "can-open", undefined],
    ["archived", "can-open", undefined],
    ["disabled", "cannot-open", "ERR_KEY_STATE"],
    ["pending-deletion", "cannot-open", "ERR_KEY_STATE"],
    ["pending-import", "cannot-open", "ERR_KEY_STATE"],
  ] as const) {
    test(`${state}: ${verdict}`, async () => {
      const explanation = await withAnswer(async () => described(state));
      expect(explanation.verdict).toBe(verdict);
      expect(explanation.encryptedDataKeys[0]).toMatchObject({ state });
      expect(explanation.encryptedDataKeys[0]?.refusal).toBe(refusalCode);
      if (refusalCode !== undefined) expect(codes(explanation)).toContain(refusalCode);
    });
  }

  test("a key for signatures cannot open", async () => {
    const explanation = await withAnswer(async () => described("enabled", { keyUsage: "sign-verify" }));
    expect(explanation.verdict).toBe("cannot-open");
    expect(codes(explanation)).toContain("ERR_KEY_USAGE");
  });

  test("not found: cannot open", async () => {
    const explanation = await withAnswer(() =>
      Promise.reject(new FengniError("ERR_KEY_NOT_FOUND", "no", { details: { keyId: "k" } })),
    );
    expect(explanation).toMatchObject({ verdict: "cannot-open", encryptedDataKeys: [{ state: "not-found" }] });
    expect(codes(explanation)).toContain("ERR_KEY_NOT_FOUND");
  });

  for (const [name, answer] of [
    ["denied", () => Promise.reject(new FengniError("ERR_DENIED" satisfies ErrorCode, "no"))],
    ["another error", () => Promise.reject(new Error("secret words"))],
    [
      "an error that is thrown",
      () => {
        throw new Error("secret words");
      },
    ],
    ["of another key, as for an alias", async () => described("enabled", { keyId: "other" })],
    ["a state of a later version", async () => described("frozen" as "enabled")],
    ["nothing", async () => undefined as unknown as KeyDescription],
  ] as const satisfies readonly (readonly [string, () => Promise<KeyDescription>])[]) {
    test(`${name}: cannot tell`, async () => {
      const explanation = await withAnswer(answer);
      expect(explanation).toMatchObject({ verdict: "cannot-tell", encryptedDataKeys: [{ state: "unknown" }] });
      expect(codes(explanation)).toContain("state-unknown");
      expect(JSON.stringify(explanation)).not.toContain("secret");
    });
  }

  test("an admin that cannot be reached is asked once", async () => {
    const message = await messageFor(named("p", "k"), named("p", "l"), named("p", "m"));
    const describeKey = vi.fn(() => Promise.reject(new FengniError("ERR_TIMEOUT", "late", { retryable: true })));
    const envelope = new Envelope({ wrappingKeys: [], unwrappingKeys: [discoverKeys(provider)] });
    const explanation = await envelope.explain(message, { admins: [{ providerId: "p", admin: { describeKey } }] });
    expect(describeKey).toHaveBeenCalledTimes(1);
    expect(explanation.verdict).toBe("cannot-tell");
    expect(explanation.encryptedDataKeys.map(({ state }) => state)).toEqual(["unknown", "unknown", "unknown"]);
  });

  test("one usable key is enough", async () => {
    const message = await messageFor(named("p", "k"), named("p", "l"));
    const describeKey = async (keyId: string): Promise<KeyDescription> =>
      described(keyId === "k" ? "disabled" : "enabled", { keyId });
    const envelope = new Envelope({ wrappingKeys: [providerKey(provider, "k"), providerKey(provider, "l")] });
    const explanation = await envelope.explain(message, { admins: [{ providerId: "p", admin: { describeKey } }] });
    expect(explanation.verdict).toBe("can-open");
    expect(explanation.encryptedDataKeys.map(({ refusal: code }) => code)).toEqual(["ERR_KEY_STATE", undefined]);
  });

  test("nobody is asked for keys that do not match, of other providers, or that are no text; each key once", async () => {
    const message = await messageFor(named("p", "k"), named("p", "k"), named("p", "other"), named("q", "k"), {
      providerId: "p",
      providerInfo: Uint8Array.of(0xff),
      ciphertext: bytesOf(3),
    });
    const describeKey = vi.fn(async () => described("enabled"));
    const envelope = new Envelope({ wrappingKeys: [providerKey(provider, "k")] });
    await envelope.explain(message, { admins: [{ providerId: "p", admin: { describeKey } }] });
    expect(describeKey.mock.calls.map((call: unknown[]) => call[0])).toEqual(["k"]);
  });
});

describe("calls", () => {
  test("text of the message is shown without control characters", async () => {
    const hostile = 'x\u001b[2J\n\u202e"y';
    const message = await messageFor(named(hostile, hostile));
    const { reasons, encryptedDataKeys } = await plain.explain(message);
    for (const { text } of reasons) expect(text).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
    expect(encryptedDataKeys[0]?.description).toBe(
      '"x\\u{1b}[2J\\u{a}\\u{202e}\'y" key "x\\u{1b}[2J\\u{a}\\u{202e}\'y"',
    );
  });

  test("options are checked", async () => {
    const message = await plain.encrypt("attack");
    const admin = { describeKey: async () => described("enabled") };
    const wrong: readonly unknown[] = [
      { admin: [] },
      { admins: {} },
      { admins: [admin] },
      { admins: [{ providerId: "p", admin: {} }] },
      {
        admins: [
          { providerId: "p", admin },
          { providerId: "p", admin },
        ],
      },
      { encryptionContext: new Map() },
    ];
    for (const options of wrong) {
      await expect(plain.explain(message, options as ExplainOptions)).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
    }
    await expect(plain.explain("attack" as unknown as Uint8Array)).rejects.toMatchObject({ name: "TypeError" });
  });

  test("a signal ends it, before and in between", async () => {
    const message = await messageFor(named("p", "k"), named("p", "l"));
    const reason = new Error("enough");
    await expect(plain.explain(message, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const matches = vi.fn(async () => {
      controller.abort(reason);
      throw new Error("late");
    });
    const envelope = new Envelope({ wrappingKeys: [fakeKey(named("p", "k"), { matches })] });
    await expect(envelope.explain(message, { signal: controller.signal })).rejects.toBe(reason);
    expect(matches).toHaveBeenCalledTimes(1);
  });

  test("a closed envelope explains nothing", async () => {
    const message = await plain.encrypt("attack", { suite: SUITE_COMMITTED });
    const envelope = new Envelope({ wrappingKeys: [key] });
    envelope.close();
    await refusal(envelope.explain(message), "ERR_CLOSED");
  });
});
