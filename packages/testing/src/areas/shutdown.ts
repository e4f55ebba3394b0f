// Area: closing. It is the last one: after it the subject is gone.
import type { ProviderOperation } from "@fengni/core";
import { ConformanceFailure } from "../assert.js";
import { callWith, rightSamples } from "../calls.js";
import type { Timers } from "../guard.js";
import type { Area, Kit } from "../kit.js";

const TRIES = 40;
const WAIT_MS = 50;
const SAMPLES = 12;
const SAMPLE_MS = 25;

async function siblingsStay(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  const samples = await rightSamples(kit);
  const sibling = await kit.sibling();
  for (const [operation, sample] of samples) await check.resolves(callWith(sibling, operation, sample), operation);
  await check.resolves(sibling.close(), "close of a sibling");
  for (const [operation, sample] of samples) {
    await check.resolves(callWith(provider, operation, sample), `${operation} after a sibling was closed`);
    await check.rejects(callWith(sibling, operation, sample), ["ERR_CLOSED"], `${operation} of a closed sibling`);
  }
}

async function closes(kit: Kit): Promise<void> {
  const { check, provider, subject } = kit;
  const samples = await rightSamples(kit);
  await kit.cleanUp();
  const running = [...samples].map(async ([operation, sample]) =>
    settles(kit, operation, callWith(provider, operation, sample)),
  );
  const closing = [provider.close(), provider.close()];
  await check.resolves(Promise.all(closing), "close, twice at once");
  await Promise.all(running);
  await check.resolves(provider.close(), "close of a closed provider");
  for (const [operation, sample] of samples) {
    await check.rejects(callWith(provider, operation, sample), ["ERR_CLOSED"], `${operation} after close`);
    const signal = AbortSignal.abort(new Error("the kit gave up"));
    const aborted = callWith(provider, operation, sample, { signal }).catch((error: unknown) => error);
    check.isTrue((await aborted) instanceof Error, `${operation}, aborted, after close: expected a rejection`);
    await check.rejects(provider.resolveKeyId(sample.keyId), ["ERR_CLOSED"], "resolveKeyId after close");
  }
  check.isTrue(typeof provider.providerId === "string", "providerId after close");
  if (subject.admin === undefined) return;
  const { admin } = kit;
  await check.resolves(Promise.all([admin.close(), admin.close()]), "close of the admin, twice at once");
  await check.resolves(admin.close(), "close of a closed admin");
  if (kit.administers("listKeys")) await check.rejects(admin.listKeys(), ["ERR_CLOSED"], "listKeys after close");
  if (kit.administers("createKey")) await check.rejects(admin.createKey(), ["ERR_CLOSED"], "createKey after close");
}

/** A call that runs while the provider closes is answered, or refused as closed or unavailable. */
async function settles(kit: Kit, operation: ProviderOperation, call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (error instanceof ConformanceFailure) throw error;
    await kit.check.refuses(Promise.reject(error), `${operation} while the provider closes`);
  }
}

async function handles(kit: Kit): Promise<void> {
  const { check, timers, handlesBefore } = kit;
  await kit.close();
  await kit.disposeSubject();
  if (handlesBefore === undefined) return;
  let left: readonly string[] = [];
  for (let i = 0; i < TRIES; i++) {
    left = openHandles(timers.live).filter(
      (name) => countOf(openHandles(timers.live), name) > countOf(handlesBefore, name),
    );
    if (left.length === 0) break;
    await timers.turn(WAIT_MS);
  }
  check.isTrue(
    left.length === 0,
    `after close: expected no handle left open, there are ${[...new Set(left)].join(", ")}`,
  );
}

const countOf = (names: readonly string[], name: string): number => names.filter((other) => other === name).length;

/** What keeps this process alive, without the kit's own timers; nothing where the runtime does not tell. */
function openHandles(ownTimers: number): readonly string[] {
  const names = globalThis.process?.getActiveResourcesInfo?.() ?? [];
  let own = ownTimers;
  return names.filter((name) => {
    if (name === "Timeout" && own > 0) {
      own -= 1;
      return false;
    }
    // Timers, and what holds a socket, pipe, file watcher, worker or child process. Reads of files end by themselves.
    return name === "Timeout" || name.endsWith("Wrap") || name === "MessagePort" || name === "Worker";
  });
}

/** What keeps this process alive while nothing happens: a timer that a test framework has for a moment would hide one that stays. */
export async function restingHandles(timers: Timers): Promise<readonly string[]> {
  let resting = openHandles(timers.live);
  for (let i = 0; i < SAMPLES && resting.includes("Timeout"); i++) {
    await timers.turn(SAMPLE_MS);
    const now = [...openHandles(timers.live)];
    resting = resting.filter((name) => {
      const at = now.indexOf(name);
      if (at >= 0) now.splice(at, 1);
      return at >= 0;
    });
  }
  return resting;
}

/** Closing. */
export const shutdown: Area = {
  name: "shutdown",
  checks: [
    { name: "closing one provider leaves others over the same keys", needs: { parts: ["sibling"] }, run: siblingsStay },
    { name: "close is final, and may be called again", needs: {}, run: closes },
    { name: "no handle stays open", needs: {}, run: handles },
  ],
};
