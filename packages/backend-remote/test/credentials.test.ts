// Credentials that were given, of the environment and of a profile file, and how any are kept until they expire.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { FengniError } from "@fengni/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Credentials } from "../src/credentials.js";
import { cachedCredentials } from "../src/credentials-cache.js";
import { environmentCredentials } from "../src/credentials-environment.js";
import { MAX_FILE_BYTES } from "../src/credentials-file.js";
import { profileCredentials } from "../src/credentials-profile.js";
import { staticCredentials } from "../src/credentials-static.js";

const SECRET_ID = "AKIDEXAMPLE0000000000000000000000000";
const SECRET_KEY = "EXAMPLEsecretkey0123456789abcdef";
const TOKEN = "session-token-0123456789";
const CREDENTIALS_ERROR = expect.objectContaining({ code: "ERR_CREDENTIALS" });

describe("staticCredentials", () => {
  test("gives what it was given, and shows no secret", async () => {
    const provider = staticCredentials({ secretId: SECRET_ID, secretKey: SECRET_KEY, token: TOKEN, expiresAtMs: 5 });
    const held = await provider.getCredentials();
    expect([held.secretId, held.secretKey, held.token, held.expiresAtMs]).toEqual([SECRET_ID, SECRET_KEY, TOKEN, 5]);
    for (const value of [held, provider, { nested: [held] }]) {
      const shown = `${inspect(value, { depth: 9, showHidden: true })}${JSON.stringify(value)}${String(value)}`;
      expect(shown).not.toContain(SECRET_KEY);
      expect(shown).not.toContain(TOKEN);
    }
    expect(Object.isFrozen(held)).toBe(true);
  });

  test.each([
    ["no id", { secretId: "", secretKey: SECRET_KEY }],
    ["an id with a blank", { secretId: "AKID 1", secretKey: SECRET_KEY }],
    ["no key", { secretId: SECRET_ID, secretKey: "" }],
    ["a key with a line break", { secretId: SECRET_ID, secretKey: `${SECRET_KEY}\n` }],
    ["an empty token", { secretId: SECRET_ID, secretKey: SECRET_KEY, token: "" }],
    ["a time that is none", { secretId: SECRET_ID, secretKey: SECRET_KEY, expiresAtMs: Number.NaN }],
    ["no text", { secretId: SECRET_ID, secretKey: undefined as unknown as string }],
  ])("refuses %s, without showing it", (_name, credentials) => {
    expect(() => staticCredentials(credentials)).toThrow(CREDENTIALS_ERROR);
    try {
      staticCredentials(credentials);
    } catch (error) {
      expect(inspect(error)).not.toContain(SECRET_KEY);
    }
  });

  test("rejects with the reason of an aborted signal", async () => {
    const provider = staticCredentials({ secretId: SECRET_ID, secretKey: SECRET_KEY });
    const reason = new Error("given up");
    await expect(provider.getCredentials({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

describe("environmentCredentials", () => {
  test("reads the variables at each call", async () => {
    const environment: Record<string, string> = {};
    const provider = environmentCredentials(environment);
    await expect(provider.getCredentials()).rejects.toThrow(/TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY/);
    environment["TENCENTCLOUD_SECRET_ID"] = SECRET_ID;
    await expect(provider.getCredentials()).rejects.toThrow(/^environment: TENCENTCLOUD_SECRET_KEY not set$/);
    environment["TENCENTCLOUD_SECRET_KEY"] = SECRET_KEY;
    expect(await provider.getCredentials()).toMatchObject({ secretId: SECRET_ID });
    expect((await provider.getCredentials()).token).toBeUndefined();
    environment["TENCENTCLOUD_SESSION_TOKEN"] = TOKEN;
    const { secretKey, token } = await provider.getCredentials();
    expect([secretKey, token]).toEqual([SECRET_KEY, TOKEN]);
  });

  test("empty variables are missing ones", async () => {
    const provider = environmentCredentials({ TENCENTCLOUD_SECRET_ID: "", TENCENTCLOUD_SECRET_KEY: SECRET_KEY });
    await expect(provider.getCredentials()).rejects.toEqual(CREDENTIALS_ERROR);
  });
});

describe("profileCredentials", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "fengni-profile-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function written(text: string | Uint8Array): Promise<string> {
    const path = join(folder, "credentials");
    await writeFile(path, text);
    return path;
  }

  const FILE = [
    "\uFEFF# a comment",
    "; another",
    "[default]",
    `secret_id = ${SECRET_ID}`,
    `SECRET_KEY=${SECRET_KEY}`,
    "",
    "[temporary]",
    `secret_id=${SECRET_ID}1`,
    "secret_key = a=b==",
    `session_token = ${TOKEN}`,
    "region = ap-guangzhou",
    "[quoted]",
    `secret_id = "${SECRET_ID}"`,
    "secret_key = 'ab\"c'",
    "[__proto__]",
    "[half]",
    `secret_id = ${SECRET_ID}`,
  ].join("\r\n");

  test("reads a profile, and the default one", async () => {
    const path = await written(FILE);
    const { secretId, secretKey, token } = await profileCredentials({ path }).getCredentials();
    expect([secretId, secretKey, token]).toEqual([SECRET_ID, SECRET_KEY, undefined]);
    const temporary = await profileCredentials({ path, profile: "temporary" }).getCredentials();
    expect([temporary.secretId, temporary.secretKey, temporary.token]).toEqual([`${SECRET_ID}1`, "a=b==", TOKEN]);
    const quoted = await profileCredentials({ path, profile: "quoted" }).getCredentials();
    expect([quoted.secretId, quoted.secretKey]).toEqual([SECRET_ID, 'ab"c']);
  });

  test.each([
    ["another", /has no profile \[another\]/],
    ["constructor", /has no profile \[constructor\]/],
    ["__proto__", /has no secret_id/],
    ["half", /\[half\] has no secret_key/],
  ])("says what the profile %s lacks", async (profile, message) => {
    const call = profileCredentials({ path: await written(FILE), profile }).getCredentials();
    await expect(call).rejects.toEqual(CREDENTIALS_ERROR);
    await expect(call).rejects.toThrow(message);
  });

  test.each([
    ["a line that is no pair", `[default]\n${SECRET_KEY}`, /line 2/],
    ["a pair outside of a section", `secret_key = ${SECRET_KEY}`, /line 1/],
    ["too much", "#".repeat(MAX_FILE_BYTES + 1), /more than 65536 bytes/],
    ["no text", Uint8Array.of(0xff, 0xfe, 0x00), /cannot be read/],
  ])("refuses a file with %s, without showing it", async (_name, text, message) => {
    const call = profileCredentials({ path: await written(text) }).getCredentials();
    await expect(call).rejects.toThrow(message);
    await expect(call.catch((error: unknown) => inspect(error))).resolves.not.toContain(SECRET_KEY);
  });

  test("a missing file is named, and read once it is there", async () => {
    const path = join(folder, "not-there", "credentials");
    const provider = profileCredentials({ path });
    await expect(provider.getCredentials()).rejects.toThrow(`profile file: there is none at ${path}`);
    const later = join(folder, "later");
    const waiting = profileCredentials({ path: later });
    await expect(waiting.getCredentials()).rejects.toEqual(CREDENTIALS_ERROR);
    await writeFile(later, FILE);
    expect((await waiting.getCredentials()).secretId).toBe(SECRET_ID);
  });

  test("is read again only when the service refused what it gave", async () => {
    const path = await written(FILE);
    const provider = profileCredentials({ path });
    await provider.getCredentials();
    await written(FILE.replace(SECRET_KEY, "another-key"));
    expect((await provider.getCredentials()).secretKey).toBe(SECRET_KEY);
    expect((await provider.getCredentials({ forceRefresh: true })).secretKey).toBe("another-key");
    expect((await provider.getCredentials()).secretKey).toBe("another-key");
  });
});

/** A call whose rejection is looked at later. */
function later<Value>(call: Promise<Value>): Promise<Value> {
  call.catch(() => {});
  return call;
}

/** A source whose answers the test gives, one by one. */
function source() {
  const waiting: { readonly resolve: (value: Credentials) => void; readonly reject: (error: unknown) => void }[] = [];
  let calls = 0;
  return {
    get calls() {
      return calls;
    },
    load: () => {
      calls += 1;
      return new Promise<Credentials>((resolve, reject) => waiting.push({ resolve, reject }));
    },
    async give(secretKey: string, expiresAtMs?: number) {
      waiting
        .shift()
        ?.resolve({ secretId: SECRET_ID, secretKey, ...(expiresAtMs === undefined ? {} : { expiresAtMs }) });
      await new Promise(setImmediate);
    },
    async fail(error: unknown) {
      waiting.shift()?.reject(error);
      await new Promise(setImmediate);
    },
  };
}

describe("cachedCredentials", () => {
  const down = new FengniError("ERR_UNAVAILABLE", "the source is down", { retryable: true });

  function setUp(options: { readonly refreshMarginMs?: number } = {}) {
    const clock = { ms: 1_000_000, now: () => clock.ms };
    const from = source();
    return { clock, from, provider: cachedCredentials("test source", from.load, { clock, ...options }) };
  }

  test("all who ask at once wait for one refresh, and later ones for none", async () => {
    const { from, provider } = setUp();
    const calls = Array.from({ length: 50 }, () => provider.getCredentials());
    await from.give("first", 5_000_000);
    for (const { secretKey } of await Promise.all(calls)) expect(secretKey).toBe("first");
    expect((await provider.getCredentials()).secretKey).toBe("first");
    expect(from.calls).toBe(1);
  });

  test("refreshes before expiry, and the old ones serve meanwhile", async () => {
    const { clock, from, provider } = setUp({ refreshMarginMs: 300_000 });
    void provider.getCredentials();
    await from.give("old", 2_000_000);
    clock.ms = 1_699_999;
    await provider.getCredentials();
    expect(from.calls).toBe(1);
    clock.ms = 1_700_000;
    for (let i = 0; i < 20; i++) expect((await provider.getCredentials()).secretKey).toBe("old");
    expect(from.calls).toBe(2);
    await from.give("new", 9_000_000);
    expect((await provider.getCredentials()).secretKey).toBe("new");
    expect(from.calls).toBe(2);
  });

  test("credentials that live shorter than the margin are not refreshed at every call", async () => {
    const { clock, from, provider } = setUp({ refreshMarginMs: 300_000 });
    void provider.getCredentials();
    await from.give("short", clock.ms + 60_000);
    for (let i = 0; i < 5; i++) await provider.getCredentials();
    expect(from.calls).toBe(1);
    clock.ms += 30_000;
    await provider.getCredentials();
    expect(from.calls).toBe(2);
  });

  test("a failed refresh is tried again at the next call, and is never permanent", async () => {
    const { from, provider } = setUp();
    for (let round = 1; round <= 3; round++) {
      const call = later(provider.getCredentials());
      await from.fail(down);
      await expect(call).rejects.toBe(down);
      expect(from.calls).toBe(round);
    }
    const call = later(provider.getCredentials());
    await from.give("back");
    expect((await call).secretKey).toBe("back");
  });

  test("while the old ones are valid a failed refresh is nobody's error, and is tried again a second later", async () => {
    const { clock, from, provider } = setUp();
    void provider.getCredentials();
    await from.give("old", clock.ms + 1_000_000);
    clock.ms += 800_000;
    expect((await provider.getCredentials()).secretKey).toBe("old");
    await from.fail(down);
    expect((await provider.getCredentials()).secretKey).toBe("old");
    expect(from.calls).toBe(2);
    clock.ms += 1_000;
    expect((await provider.getCredentials()).secretKey).toBe("old");
    expect(from.calls).toBe(3);
    await from.fail(down);
    clock.ms += 199_000;
    const late = later(provider.getCredentials());
    await from.fail(down);
    await expect(late).rejects.toBe(down);
  });

  test("who gives up does not end the refresh for the others, and leaves no listener", async () => {
    const { from, provider } = setUp();
    const controller = new AbortController();
    const reason = new Error("given up");
    const aborted = provider.getCredentials({ signal: controller.signal });
    const other = provider.getCredentials();
    controller.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    await from.give("kept");
    expect((await other).secretKey).toBe("kept");
    expect(from.calls).toBe(1);
    await expect(provider.getCredentials({ signal: controller.signal })).rejects.toBe(reason);
  });

  test("credentials that seem to have expired when they come serve, and are refreshed a minute later", async () => {
    const { clock, from, provider } = setUp();
    const call = later(provider.getCredentials());
    await from.give("late", clock.ms - 10_800_000);
    expect((await call).secretKey).toBe("late");
    for (let i = 0; i < 5; i++) expect((await provider.getCredentials()).secretKey).toBe("late");
    expect(from.calls).toBe(1);
    clock.ms += 60_000;
    expect((await provider.getCredentials()).secretKey).toBe("late");
    expect(from.calls).toBe(2);
  });

  test("a load that hangs ends after its time, and the next call loads anew", async () => {
    const from = source();
    const provider = cachedCredentials("test source", from.load, { loadTimeoutMs: 20 });
    await expect(provider.getCredentials()).rejects.toMatchObject({
      code: "ERR_TIMEOUT",
      message: "test source gave no credentials within 20 ms; the next call asks again",
      retryable: true,
    });
    const call = later(provider.getCredentials());
    await from.give("too-late");
    await from.give("in-time");
    expect((await call).secretKey).toBe("in-time");
    expect((await provider.getCredentials()).secretKey).toBe("in-time");
  });

  test("what was refused is renewed once, however many were refused, and whenever they say so", async () => {
    const { from, provider } = setUp();
    void provider.getCredentials();
    await from.give("refused", 9_000_000);
    const refused = { ...(await provider.getCredentials()), secretKey: "refused", token: "old" };
    expect((await provider.getCredentials({ forceRefresh: true, refused })).secretKey).toBe("refused");
    expect(from.calls).toBe(1);
    const held = await provider.getCredentials();
    const forced = [1, 2, 3].map(() => provider.getCredentials({ forceRefresh: true, refused: held }));
    await from.give("renewed", 9_000_000);
    for (const { secretKey } of await Promise.all(forced)) expect(secretKey).toBe("renewed");
    expect(from.calls).toBe(2);
  });

  test.each<[string, () => unknown]>([
    ["a margin that is no number", () => cachedCredentials("x", source().load, { refreshMarginMs: Number.NaN })],
    ["a time beyond a timer's", () => cachedCredentials("x", source().load, { loadTimeoutMs: 2 ** 31 })],
    ["an unknown option", () => cachedCredentials("x", source().load, { margin: 1 } as object)],
    ["no function", () => cachedCredentials("x", null as unknown as () => Promise<Credentials>)],
    ["an unknown option of a profile", () => profileCredentials({ file: "x" } as object)],
  ])("refuses %s", (_name, make) => {
    expect(make).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
  });

  test("one signal may wait many times without a warning of node's", async () => {
    const { from, provider } = setUp();
    const warned: Error[] = [];
    const onWarning = (warning: Error): void => void warned.push(warning);
    process.on("warning", onWarning);
    const { signal } = new AbortController();
    const calls = Array.from({ length: 50 }, () => provider.getCredentials({ signal }));
    await from.give("first");
    await Promise.all(calls);
    await new Promise(setImmediate);
    process.off("warning", onWarning);
    expect(warned).toEqual([]);
  });

  test("forceRefresh asks the source, also for credentials that seem valid, once for all", async () => {
    const { from, provider } = setUp();
    void provider.getCredentials();
    await from.give("refused", 9_000_000);
    const forced = [provider.getCredentials({ forceRefresh: true }), provider.getCredentials({ forceRefresh: true })];
    await from.give("renewed", 9_000_000);
    for (const { secretKey } of await Promise.all(forced)) expect(secretKey).toBe("renewed");
    expect(from.calls).toBe(2);
  });

  test("what does not expire is never refreshed by itself", async () => {
    const { clock, from, provider } = setUp();
    void provider.getCredentials();
    await from.give("lasting");
    clock.ms = Number.MAX_SAFE_INTEGER;
    expect((await provider.getCredentials()).secretKey).toBe("lasting");
    expect(from.calls).toBe(1);
  });

  test("malformed credentials are an error that names the source", async () => {
    const { from, provider } = setUp();
    const call = later(provider.getCredentials());
    await from.give("line\nbreak");
    await expect(call).rejects.toThrow(/^test source: the secret key is not/);
  });
});
