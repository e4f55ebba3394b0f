// The parts of a client by themselves: budget, jitter, limiter, breaker, signals, what may be repeated, shared and shown.
import { ACTIONS, type Action, findAction, MODELS } from "@fengni/kms-api";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { onceAborted } from "../src/abort-listeners.js";
import { Breaker, type BreakerPass, type BreakerState } from "../src/breaker.js";
import { systemClock, systemRandom } from "../src/clock.js";
import { isChange, isCoalesced } from "../src/coalesce.js";
import { Deadline, pause } from "../src/deadline.js";
import { networkError, serviceError, timeoutError } from "../src/error-map.js";
import { Limiter } from "../src/limiter.js";
import { RecentMap } from "../src/recent-map.js";
import { redact } from "../src/redact.js";
import { mayRepeat, RetryBudget, retryDelayMs } from "../src/retry.js";
import { Slots } from "../src/slots.js";
import { rejection, turn, VirtualClock } from "./client-support.js";

function actionOf(name: string): Action {
  const action = findAction(name);
  if (action === undefined) throw new Error(`no action ${name}`);
  return action;
}

const subject = { action: "Encrypt", params: {} } as const;
const throttled = serviceError({ code: "RequestLimitExceeded", message: "" }, subject);
const broken = networkError(subject, "wait", "it broke");

describe("the budget of retries", () => {
  test("drains faster for refusals for the rate, and fills with success", () => {
    const budget = new RetryBudget(20);
    expect(budget.take(throttled)).toBe(10);
    expect(budget.take(broken)).toBe(5);
    expect(budget.take(throttled)).toBeUndefined();
    expect(budget.take(broken)).toBe(5);
    expect(budget.take(broken)).toBeUndefined();
    budget.succeed(undefined);
    expect(budget.tokens).toBe(1);
    budget.succeed(10);
    budget.succeed(10);
    expect(budget.tokens).toBe(20);
  });

  test("of nothing allows none", () => expect(new RetryBudget(0).take(broken)).toBeUndefined());
});

describe("the wait before a retry", () => {
  test.each([
    [broken, 1, 50],
    [broken, 2, 100],
    [broken, 3, 200],
    [throttled, 1, 200],
    [throttled, 4, 1_600],
    [throttled, 19, 5_000],
  ])("%s after %i attempts is anything up to its bound", (error, attempts, bound) => {
    expect(retryDelayMs(error, attempts, () => 0)).toBe(0);
    expect(retryDelayMs(error, attempts, () => 0.5)).toBe(bound / 2);
  });

  test("is drawn from chance between 0 and 1", () => {
    for (let i = 0; i < 100; i++) {
      const drawn = systemRandom();
      expect(drawn).toBeGreaterThanOrEqual(0);
      expect(drawn).toBeLessThan(1);
    }
  });
});

describe("what may be repeated", () => {
  test("of every action, by what happened", () => {
    let cases = 0;
    for (const action of ACTIONS) {
      const about = { action: action.name, params: {} };
      const isSafe = action.safeToRepeat === true;
      const check = (error: Parameters<typeof mayRepeat>[0], expected: boolean): void => {
        cases += 1;
        expect([action.name, error.message, mayRepeat(error, action, {}, 1)]).toEqual([
          action.name,
          error.message,
          expected,
        ]);
      };
      check(networkError(about, "connect", "refused"), true);
      check(timeoutError(about, "connect", 1), true);
      check(serviceError({ code: "RequestLimitExceeded", message: "" }, about), true);
      for (const phase of ["write", "wait", "read"] as const)
        check(networkError(about, phase, "broke"), isSafeNow(action, isSafe));
      check(timeoutError(about, "wait", 1), isSafeNow(action, isSafe));
      check(serviceError({ code: "InternalError", message: "" }, about), isSafeNow(action, isSafe));
      check(serviceError({ code: "ResourceUnavailable.CmkDisabled", message: "" }, about), false);
    }
    expect(cases).toBe(81 * 9);
  });

  function isSafeNow(action: Action, isSafe: boolean): boolean {
    // Its request says whether the key is hosted; an empty one does not say that it is.
    return isSafe || action.name === "GenerateDataKey";
  }

  test("a data key that the service keeps is made once", () => {
    const params = { KeyId: "k", IsHostedByKms: 1 };
    const error = networkError({ action: "GenerateDataKey", params }, "wait", "broke");
    expect(mayRepeat(error, actionOf("GenerateDataKey"), params, 1)).toBe(false);
    expect(error).toMatchObject({ isAmbiguous: true, retryable: false });
  });
});

describe("the limiter", () => {
  const deadline = (clock: VirtualClock): Deadline => new Deadline(clock, 1_000_000);

  /** Sixteen callers ask as fast as they are let through, each call taking 5 ms; the service takes `perSecond`. */
  async function run(perSecond: number, forMs: number): Promise<{ done: number; refused: number }> {
    const clock = new VirtualClock();
    const limiter = new Limiter(clock);
    let [done, refused, tokens, filledAt] = [0, 0, perSecond, 0];
    const caller = async (): Promise<void> => {
      while (clock.elapsed() < forMs) {
        await limiter.take("a", deadline(clock), undefined);
        tokens = Math.min(perSecond, tokens + ((clock.elapsed() - filledAt) * perSecond) / 1_000);
        filledAt = clock.elapsed();
        if (tokens < 1) {
          refused += 1;
          limiter.refuse("a");
        } else {
          tokens -= 1;
          done += 1;
        }
        await pause(clock, 5, undefined);
      }
    };
    let isOver = false;
    const over = Promise.all(Array.from({ length: 16 }, caller)).then(() => {
      isOver = true;
    });
    while (!isOver) {
      clock.advance(1);
      await turn();
    }
    await over;
    return { done, refused };
  }

  test("lets everything through until the service refuses", () => {
    const clock = new VirtualClock();
    const limiter = new Limiter(clock);
    for (let i = 0; i < 10_000; i++) expect(limiter.take("a", deadline(clock), undefined)).toBeUndefined();
  });

  test("learns a rate, and counts a burst of refusals once", () => {
    const clock = new VirtualClock();
    const limiter = new Limiter(clock);
    for (let i = 0; i < 100; i++) limiter.take("a", deadline(clock), undefined);
    expect(limiter.refuse("a")).toBeCloseTo(70);
    for (let i = 0; i < 50; i++) expect(limiter.refuse("a")).toBeUndefined();
    clock.advance(500);
    expect(limiter.refuse("a")).toBeLessThan(70);
  });

  test("never says a rate above the caller's", () => {
    const limiter = new Limiter(new VirtualClock(), { maxPerSecond: 3 });
    expect(limiter.refuse("a")).toBe(3);
  });

  test("gives turns in order, at its rate", async () => {
    const clock = new VirtualClock();
    const limiter = new Limiter(clock, { maxPerSecond: 10 });
    const order: number[] = [];
    let waiting = 0;
    for (let i = 0; i < 20; i++) {
      const coming = limiter.take("a", deadline(clock), undefined);
      if (coming === undefined) order.push(i);
      else {
        waiting += 1;
        coming.then(() => order.push(i));
      }
    }
    // Half a second's worth goes at once.
    expect([order.length, waiting]).toEqual([5, 15]);
    for (let at = 0; at < 1_000; at += 10) {
      clock.advance(10);
      await turn();
    }
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
    clock.advance(500);
    await turn();
    expect(order).toHaveLength(20);
  });

  test("keeps actions apart", () => {
    const clock = new VirtualClock();
    const limiter = new Limiter(clock, { maxPerSecond: 1 });
    expect(limiter.take("a", deadline(clock), undefined)).toBeUndefined();
    expect(limiter.take("b", deadline(clock), undefined)).toBeUndefined();
    expect(limiter.take("a", deadline(clock), undefined)).toBeInstanceOf(Promise);
  });

  test("bounds those who wait, and ends their waits with deadline and signal", async () => {
    const clock = new VirtualClock();
    const limiter = new Limiter(clock, { maxPerSecond: 1, maxQueued: 2 });
    limiter.take("a", deadline(clock), undefined);
    const controller = new AbortController();
    const late = rejection(limiter.take("a", new Deadline(clock, 1_400), undefined) as Promise<void>);
    const left = rejection(limiter.take("a", deadline(clock), controller.signal) as Promise<void>);
    const full = rejection(limiter.take("a", deadline(clock), undefined) as Promise<void>);
    expect(await full).toMatchObject({ code: "ERR_THROTTLED", retryable: true });
    // There was time for it when it came: a refusal takes away what has gathered since.
    clock.advance(500);
    limiter.refuse("a");
    clock.advance(900);
    expect(await late).toMatchObject({ code: "ERR_TIMEOUT", details: { timeoutMs: 1_400 } });
    controller.abort("enough");
    expect(await left).toBe("enough");
    expect(await Promise.race([limiter.take("a", deadline(clock), undefined), "waits"])).toBe("waits");
  });

  test("refuses at once who cannot have its turn in its time, and nobody else", async () => {
    const clock = new VirtualClock();
    const limiter = new Limiter(clock, { maxPerSecond: 10 });
    const outcomes: string[] = [];
    for (let i = 0; i < 100; i++) {
      limiter
        .take("a", new Deadline(clock, 2_000), undefined)
        ?.then(() => outcomes.push("turn"))
        .catch(({ code }: { code: string }) => outcomes.push(code));
    }
    await turn();
    // Five went at once, and less than two seconds are enough for nineteen.
    expect(outcomes).toEqual(new Array(76).fill("ERR_THROTTLED"));
    for (let at = 0; at < 2_000; at += 10) {
      clock.advance(10);
      await turn();
    }
    expect(outcomes.slice(76)).toEqual(new Array(19).fill("turn"));
  });

  test("refuses nobody who has time until what it learned is forgotten, or no end", () => {
    const clock = new VirtualClock();
    const limiter = new Limiter(clock);
    limiter.take("a", deadline(clock), undefined);
    limiter.refuse("a");
    for (let i = 0; i < 1_000; i++) {
      const end = new Deadline(clock, i % 2 === 0 ? 60_000 : Number.POSITIVE_INFINITY);
      limiter.take("a", end, undefined)?.catch((error: unknown) => expect.unreachable(String(error)));
    }
  });

  test("forgets what it learned after a minute of calm", () => {
    const clock = new VirtualClock();
    const limiter = new Limiter(clock);
    limiter.take("a", deadline(clock), undefined);
    // One call was too many; what is left is never less than half of what the service takes by default.
    expect(limiter.refuse("a")).toBe(10);
    expect(limiter.take("a", deadline(clock), undefined)).toBeInstanceOf(Promise);
    clock.advance(60_000);
    for (let i = 0; i < 100; i++) expect(limiter.take("a", deadline(clock), undefined)).toBeUndefined();
  });

  test("keeps most calls below a service's rate, and uses most of it", async () => {
    const { done, refused } = await run(300, 20_000);
    expect(refused).toBeLessThan(0.1 * done);
    expect(done).toBeGreaterThan(0.7 * 300 * 20);
  });
});

describe("places", () => {
  test("are given back to those who wait, in order", async () => {
    const clock = new VirtualClock();
    const slots = new Slots(clock, 1, 1);
    const deadline = new Deadline(clock, 100);
    expect(slots.take(deadline, undefined)).toBeUndefined();
    const next = slots.take(deadline, undefined);
    expect(await rejection(slots.take(deadline, undefined) as Promise<void>)).toMatchObject({ code: "ERR_THROTTLED" });
    slots.release();
    await next;
    slots.release();
    expect(slots.take(deadline, undefined)).toBeUndefined();
    const late = rejection(slots.take(deadline, undefined) as Promise<void>);
    clock.advance(100);
    expect(await late).toMatchObject({ code: "ERR_TIMEOUT" });
  });
});

describe("a breaker", () => {
  const enter = (breaker: Breaker): BreakerPass => {
    const pass = breaker.enter();
    if (pass === undefined) throw new Error("it let nothing through");
    return pass;
  };

  test("opens, lets one through after a while, and closes or opens again", () => {
    const clock = new VirtualClock();
    const states: BreakerState[] = [];
    const breaker = new Breaker(
      clock,
      () => 0.5,
      { failureThreshold: 2, openMs: 100 },
      (state) => states.push(state),
    );
    breaker.fail(enter(breaker));
    breaker.succeed(enter(breaker));
    breaker.fail(enter(breaker));
    breaker.fail(enter(breaker));
    expect(breaker.enter()).toBeUndefined();
    clock.advance(149);
    expect(breaker.enter()).toBeUndefined();
    clock.advance(1);
    const probe = enter(breaker);
    expect(breaker.enter()).toBeUndefined();
    breaker.fail(probe);
    clock.advance(150);
    breaker.abandon(enter(breaker));
    const next = enter(breaker);
    expect(breaker.enter()).toBeUndefined();
    breaker.succeed(next);
    enter(breaker);
    enter(breaker);
    expect(states).toEqual(["open", "half-open", "open", "half-open", "closed"]);
  });

  test("says whether it would let one through, and is not moved by that", () => {
    const clock = new VirtualClock();
    const states: BreakerState[] = [];
    const breaker = new Breaker(
      clock,
      () => 0,
      { failureThreshold: 1, openMs: 100 },
      (state) => states.push(state),
    );
    expect(breaker.wouldEnter()).toBe(true);
    breaker.fail(enter(breaker));
    expect(breaker.wouldEnter()).toBe(false);
    clock.advance(100);
    expect([breaker.wouldEnter(), breaker.wouldEnter(), breaker.state]).toEqual([true, true, "open"]);
    const probe = enter(breaker);
    expect(breaker.wouldEnter()).toBe(false);
    breaker.abandon(probe);
    expect(breaker.wouldEnter()).toBe(true);
    expect(states).toEqual(["open", "half-open"]);
  });

  test("is not moved by what was let through before it opened", () => {
    const clock = new VirtualClock();
    const breaker = new Breaker(
      clock,
      () => 0,
      { failureThreshold: 2, openMs: 100 },
      () => {},
    );
    const old = enter(breaker);
    breaker.fail(old);
    breaker.fail(old);
    breaker.succeed(old);
    expect(breaker.state).toBe("open");
    clock.advance(100);
    const probe = enter(breaker);
    breaker.abandon(old);
    breaker.succeed(old);
    breaker.fail(old);
    expect([breaker.state, breaker.enter()]).toEqual(["half-open", undefined]);
    breaker.succeed(probe);
    breaker.fail(old);
    breaker.fail(old);
    expect(breaker.state).toBe("closed");
  });
});

describe("what is remembered by name", () => {
  test("is what was asked for lately, and what may not go", () => {
    const gone: string[] = [];
    const made: string[] = [];
    const map = new RecentMap<string>(3, { mayGo: (value) => value !== "busy", onGone: (value) => gone.push(value) });
    const get = (name: string): string =>
      map.get(name, () => {
        made.push(name);
        return name;
      });
    for (const name of ["busy", "a", "b", "a", "c", "d"]) expect(get(name)).toBe(name);
    expect(made).toEqual(["busy", "a", "b", "c", "d"]);
    expect(gone).toEqual(["b", "a"]);
    expect([...map.entries()].map(([name]) => name)).toEqual(["busy", "c", "d"]);
  });
});

describe("what is shared among callers", () => {
  test("is read, and no key material", () => {
    const shared = ACTIONS.filter(isCoalesced);
    expect(shared).toHaveLength(25);
    const secret = /Plaintext|EncryptKey|DecryptKey|ImportToken|CiphertextBlob/i;
    const fieldsOf = (fields: readonly { readonly name: string; readonly type: string }[]): string[] =>
      fields.flatMap(({ name, type }) => [name, ...fieldsOf(MODELS[type.replace("[]", "")] ?? [])]);
    for (const { name, access, safeToRepeat, response } of shared) {
      expect([name, ["read", "list"].includes(access), safeToRepeat]).toEqual([name, true, true]);
      expect(fieldsOf(response).filter((field) => secret.test(field))).toEqual([]);
    }
  });

  test("ends with every action that may change it", () => {
    const changes = ACTIONS.filter((action) => isChange(action, {}));
    const names = changes.map(({ name }) => name);
    for (const name of ["CreateKey", "UpdateAlias", "BindCloudResource", "ImportDataKey"])
      expect(names).toContain(name);
    for (const name of ["Encrypt", "GenerateDataKey", "PostQuantumCryptoSign"]) expect(names).not.toContain(name);
    expect(isChange(actionOf("GenerateDataKey"), { IsHostedByKms: 1 })).toBe(true);
    for (const { name, access } of changes) expect([name, access]).toEqual([name, "write"]);
  });
});

describe("a text from outside", () => {
  test("is one short line", () => {
    expect(redact("a\r\nb\u2028c\u0000d", [])).toBe("a b c d");
    expect(redact("x".repeat(1_000), [])).toHaveLength(403);
  });

  test("shows nothing of a secret that is eight characters long", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 8, maxLength: 40 }), fc.string(), fc.string(), (secret, before, after) => {
        const shown = redact(`${before}${secret}${after}`, [secret]);
        const line = secret.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, " ");
        if (line === secret) expect(shown.replaceAll("[redacted]", "\n")).not.toContain(secret.slice(0, 8));
      }),
    );
  });
});

describe("a signal that many listen to", () => {
  test("calls each that still listens, once", () => {
    const controller = new AbortController();
    const called: string[] = [];
    const callback = (): void => void called.push("a");
    onceAborted(controller.signal, callback);
    const stop = onceAborted(controller.signal, callback);
    onceAborted(controller.signal, () => called.push("b"));
    stop();
    stop();
    controller.abort();
    expect(called).toEqual(["a", "b"]);
  });

  test("is let go of when nobody listens, and heard again afterwards", () => {
    const controller = new AbortController();
    onceAborted(controller.signal, () => expect.unreachable())();
    let called = 0;
    onceAborted(controller.signal, () => called++);
    controller.abort();
    expect(called).toBe(1);
  });
});

test("the system's clock calls back, and can be stopped", async () => {
  const stop = systemClock.schedule(0, () => expect.unreachable());
  stop();
  const start = systemClock.elapsed();
  await new Promise<void>((resolve) => systemClock.schedule(1, resolve));
  expect(systemClock.elapsed()).toBeGreaterThan(start);
  expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1_000);
});
