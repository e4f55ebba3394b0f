// When credentials are obtained anew, what replaces what, and whom a refresh holds up.
import { FengniError } from "@fengni/core";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type Credentials, isSameCredentials } from "../src/credentials.js";
import { cachedCredentials } from "../src/credentials-cache.js";

const NOW_MS = 1_700_000_000_000;

/** What a source gives, one after the other; the last one stays. */
function setUp(outcomes: readonly (Credentials | Error | Promise<Credentials>)[]) {
  const clock = { ms: NOW_MS, now: () => clock.ms };
  const counted = { loads: 0 };
  const provider = cachedCredentials(
    "test source",
    async () => {
      const outcome = outcomes[Math.min(counted.loads, outcomes.length - 1)];
      counted.loads += 1;
      if (outcome === undefined || outcome instanceof Error) throw outcome;
      return outcome;
    },
    { clock },
  );
  return { clock, counted, provider };
}

const credentials = (secretId: string, expiresAtMs?: number): Credentials => ({
  secretId,
  secretKey: "key",
  token: `token-of-${secretId}`,
  ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
});

/** Until a refresh in the background is over. */
const settled = (): Promise<unknown> => new Promise(setImmediate);

describe("isSameCredentials", () => {
  const held = credentials("AKID1");
  test.each<[boolean, string, object]>([
    [true, "a copy", {}],
    [true, "another time at which they end", { expiresAtMs: 1 }],
    [false, "another id", { secretId: "AKID2" }],
    [false, "another token", { token: "other" }],
    [false, "no token", { token: undefined }],
    [false, "another key of the same length", { secretKey: "kez" }],
    [false, "the beginning of the key", { secretKey: "ke" }],
    [false, "a key that is no text", { secretKey: undefined }],
  ])("is %s for %s", (isSame, _name, changes) => {
    const other = { ...held, ...changes } as Credentials;
    expect(isSameCredentials(held, other)).toBe(isSame);
    expect(isSameCredentials(other, held)).toBe(isSame);
  });
});

describe("a source that gives credentials that have expired", () => {
  const good = credentials("good", NOW_MS + 1_000_000);
  const dead = credentials("dead", NOW_MS - 60_000);
  const next = credentials("next", NOW_MS + 9_000_000);

  test("does not take away those that still serve, and is asked again a second later", async () => {
    const { clock, counted, provider } = setUp([good, dead, next]);
    await provider.getCredentials();
    clock.ms += 800_000;
    await provider.getCredentials();
    await settled();
    for (let i = 0; i < 5; i++) expect((await provider.getCredentials()).secretId).toBe("good");
    expect(counted.loads).toBe(2);
    clock.ms += 1_000;
    await provider.getCredentials();
    await settled();
    expect((await provider.getCredentials()).secretId).toBe("next");
  });

  test("serves once the others have expired too: the clock may be wrong", async () => {
    const { clock, provider } = setUp([good, dead]);
    await provider.getCredentials();
    clock.ms += 1_000_000;
    expect((await provider.getCredentials()).secretId).toBe("dead");
  });

  test("serves in place of those that the service refused, also when their refresh is under way", async () => {
    const forced = setUp([good, dead]);
    const refused = await forced.provider.getCredentials();
    expect((await forced.provider.getCredentials({ forceRefresh: true, refused })).secretId).toBe("dead");
    const joined = setUp([good, dead]);
    await joined.provider.getCredentials();
    joined.clock.ms += 800_000;
    await joined.provider.getCredentials();
    expect((await joined.provider.getCredentials({ forceRefresh: true, refused })).secretId).toBe("dead");
    expect(joined.counted.loads).toBe(2);
  });

  test("has each give way to the next one where all seem to have expired", async () => {
    const { clock, provider } = setUp([dead, credentials("later", NOW_MS - 1_000)]);
    await provider.getCredentials();
    clock.ms += 60_000;
    await provider.getCredentials();
    await settled();
    expect((await provider.getCredentials()).secretId).toBe("later");
  });
});

describe("credentials that the service goes on refusing", () => {
  const force = { forceRefresh: true };

  test("are obtained anew once a second, however often they are refused", async () => {
    const { clock, counted, provider } = setUp(["a", "b", "c", "d"].map((id) => credentials(id)));
    for (let call = 0; call < 50; call++) {
      const refused = await provider.getCredentials();
      await provider.getCredentials({ ...force, refused });
    }
    expect(counted.loads).toBe(2);
    clock.ms += 999;
    expect((await provider.getCredentials(force)).secretId).toBe("b");
    clock.ms += 1;
    expect((await provider.getCredentials(force)).secretId).toBe("c");
    // The clock was set back: nobody knows how long ago that was.
    clock.ms -= 3_600_000;
    expect((await provider.getCredentials(force)).secretId).toBe("d");
  });

  test("are an error until then where none were to be had, and serve whoever does not say that they were refused", async () => {
    const down = new FengniError("ERR_UNAVAILABLE", "the source is down", { retryable: true });
    const { clock, counted, provider } = setUp([credentials("a"), down, credentials("b")]);
    const refused = await provider.getCredentials();
    for (let call = 0; call < 5; call++) {
      await expect(provider.getCredentials({ ...force, refused })).rejects.toBe(down);
      expect((await provider.getCredentials()).secretId).toBe("a");
    }
    expect(counted.loads).toBe(2);
    clock.ms += 1_000;
    expect((await provider.getCredentials({ ...force, refused })).secretId).toBe("b");
    expect((await provider.getCredentials(force)).secretId).toBe("b");
  });
});

describe("the timer of a refresh that hangs", () => {
  afterEach(() => vi.restoreAllMocks());

  test("keeps the process running only while somebody waits", async () => {
    const timers = vi.spyOn(globalThis, "setTimeout");
    const timer = (): NodeJS.Timeout => timers.mock.results.at(-1)?.value as NodeJS.Timeout;
    const hung = new Promise<Credentials>(() => {});
    const { clock, counted, provider } = setUp([credentials("a", NOW_MS + 10_000), hung]);
    const first = provider.getCredentials();
    expect(timer().hasRef()).toBe(true);
    await first;
    clock.ms += 9_000;
    await provider.getCredentials();
    expect([counted.loads, timer().hasRef()]).toEqual([2, false]);
    const controllers = [new AbortController(), new AbortController()] as const;
    const waiting = controllers.map(({ signal }) => provider.getCredentials({ forceRefresh: true, signal }));
    expect(timer().hasRef()).toBe(true);
    controllers[0].abort(new Error("given up"));
    await expect(waiting[0]).rejects.toThrow("given up");
    expect(timer().hasRef()).toBe(true);
    controllers[1].abort(new Error("given up"));
    await expect(waiting[1]).rejects.toThrow("given up");
    expect([counted.loads, timer().hasRef()]).toEqual([2, false]);
    clearTimeout(timer());
  });
});
