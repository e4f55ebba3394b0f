// Under faults drawn by chance, every call settles with a success or a typed error, and nothing that is not safe to repeat is ever
// sent again after a failure in which it may have been carried out.

import { isFengniError } from "@fengni/crypto/errors";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { isRequestError } from "../src/request-error.js";
import {
  answer,
  type Behaviour,
  clientOf,
  flow,
  hangUp,
  KEY_ID,
  RawServer,
  raw,
  refuse,
  reset,
  type Seen,
  VirtualClock,
} from "./client-support.js";

const RUNS = process.env["SLOW"] === "1" ? 200 : 12;
const CALLS = 160;
const CONCURRENCY = 64;

let server: RawServer;

beforeEach(async () => {
  server = await new RawServer().listen();
});

afterEach(() => server.close());

/** What a fault is, and whether the service has carried the request out, or may have. */
interface Fault {
  readonly behaviour: Behaviour;
  /** Whether another attempt of a request that is not safe to repeat is allowed after it. */
  readonly mayRepeat: boolean;
}

const cut: Behaviour = (response, { socket }) => {
  response.writeHead(200, { "content-length": "90" });
  response.write('{"Response":');
  setImmediate(() => socket.destroy());
};

const FAULTS: readonly Fault[] = [
  { behaviour: reset, mayRepeat: false },
  { behaviour: hangUp, mayRepeat: false },
  { behaviour: () => {}, mayRepeat: false },
  { behaviour: cut, mayRepeat: false },
  { behaviour: raw(200, '{"Response":{"Pl'), mayRepeat: false },
  { behaviour: raw(503, "<html>"), mayRepeat: false },
  { behaviour: refuse("InternalError", "Oh.", 500), mayRepeat: false },
  { behaviour: refuse("RequestLimitExceeded"), mayRepeat: true },
];

/** A generator with a seed: 32 bits through a mixing function. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e37_79b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0_aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a_2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

async function run(seed: number): Promise<void> {
  const random = randomOf(seed);
  const clock = new VirtualClock();
  const kms = clientOf(server, clock, {
    random,
    attemptTimeoutMs: 2_000,
    timeoutMs: 8_000,
    maxConnections: CONCURRENCY,
    breaker: { failureThreshold: 10_000 },
  });
  server.seen.length = 0;
  /** Requests that were not safe to repeat, by what tells them apart: whether the last one may be followed by another. */
  const mayFollow = new Map<string, boolean>();
  const violations: string[] = [];
  const succeeded = answer({ KeyId: KEY_ID });
  const serve: Behaviour = (response, seen: Seen) => {
    const fault = random() < 0.3 ? FAULTS[Math.floor(random() * FAULTS.length)] : undefined;
    if (seen.action === "CreateKey") {
      if (mayFollow.get(seen.body) === false) violations.push(seen.body);
      mayFollow.set(seen.body, fault?.mayRepeat ?? false);
    }
    (fault?.behaviour ?? succeeded)(response, seen);
  };
  server.script = [serve];

  const outcomes = { success: 0, failure: 0, aborted: 0 };
  const call = async (i: number): Promise<void> => {
    const controller = new AbortController();
    const reason = new Error("the caller left");
    const stop = random() < 0.1 ? clock.schedule(random() * 3_000, () => controller.abort(reason)) : undefined;
    const options = { signal: controller.signal };
    try {
      if (i % 4 === 0) await kms.createKey({ Alias: `key-${i}` }, options);
      else if (i % 4 === 1) await kms.describeKey({ KeyId: `key-${i % 8}` }, options);
      else await kms.generateDataKey({ KeyId: `key-${i}`, NumberOfBytes: 32 }, options);
      outcomes.success += 1;
    } catch (error) {
      if (error === reason) outcomes.aborted += 1;
      else {
        expect(isFengniError(error), String(error)).toBe(true);
        if (isRequestError(error) && error.isAmbiguous && error.action === "CreateKey")
          expect(error.retryable).toBe(false);
        outcomes.failure += 1;
      }
    } finally {
      stop?.();
    }
  };
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < CALLS) await call(next++);
  };
  await flow(clock, Promise.all(Array.from({ length: CONCURRENCY }, worker)));
  await flow(clock, kms.close());
  expect(outcomes.success + outcomes.failure + outcomes.aborted).toBe(CALLS);
  expect(outcomes.success).toBeGreaterThan(CALLS / 2);
  expect(violations).toEqual([]);
  expect(clock.timers).toBe(0);
}

test("every call settles, and nothing is done twice", async () => {
  const unhandled: unknown[] = [];
  const onUnhandled = (reason: unknown): number => unhandled.push(reason);
  process.on("unhandledRejection", onUnhandled);
  await fc.assert(fc.asyncProperty(fc.integer({ min: 0, max: 0xffff_ffff }), run), { numRuns: RUNS });
  await new Promise((resolve) => setImmediate(resolve));
  process.off("unhandledRejection", onUnhandled);
  expect(unhandled).toEqual([]);
});
