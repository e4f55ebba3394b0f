// Area: an aborted call ends with the signal's reason, soon, and leaves nothing behind; others go on.
import type { AdminOperation, ProviderOperation } from "@fengni/core";
import { ConformanceFailure } from "../assert.js";
import { callWith, rightSamples, type Sample, sealUnder } from "../calls.js";
import type { Area, Kit } from "../kit.js";

const REPEATS = 50;

/** A signal that knows how many listeners hold on to it. */
interface Watched {
  readonly signal: AbortSignal;
  readonly abort: (reason?: unknown) => void;
  readonly listeners: () => number;
}

function watched(): Watched {
  const controller = new AbortController();
  const { signal } = controller;
  const held = new Set<unknown>();
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  type Listener = EventListenerOrEventListenerObject;
  signal.addEventListener = (type: string, listener: Listener, options?: boolean | AddEventListenerOptions): void => {
    if (type === "abort") held.add(listener);
    add(type, listener, options);
  };
  signal.removeEventListener = (type: string, listener: Listener, options?: boolean | EventListenerOptions): void => {
    if (type === "abort") held.delete(listener);
    remove(type, listener, options);
  };
  return { signal, abort: (reason) => controller.abort(reason), listeners: () => held.size };
}

async function before(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  const keyIds: string[] = [];
  for (const [operation, sample] of await rightSamples(kit)) {
    keyIds.push(sample.keyId);
    for (const reason of [new Error("the kit gave up"), "a text", undefined]) {
      const controller = new AbortController();
      controller.abort(reason);
      const { signal } = controller;
      const call = callWith(provider, operation, sample, { signal });
      await check.rejectsWith(call, signal.reason, `${operation} with a signal that is aborted already`);
    }
    await check.resolves(callWith(provider, operation, sample), `${operation} after an aborted one`);
  }
  const signal = AbortSignal.abort(new Error("the kit gave up"));
  for (const keyId of keyIds) {
    await check.rejectsWith(provider.resolveKeyId(keyId, { signal }), signal.reason, "resolveKeyId, aborted already");
  }
}

async function adminBefore(kit: Kit): Promise<void> {
  const { check, admin } = kit;
  const { keyId } = await kit.createKey();
  const signal = AbortSignal.abort(new Error("the kit gave up"));
  const calls: Readonly<Partial<Record<AdminOperation, () => Promise<unknown>>>> = {
    createKey: () => admin.createKey({}, { signal }),
    describeKey: () => admin.describeKey(keyId, { signal }),
    listKeys: () => admin.listKeys({}, { signal }),
    enableKey: () => admin.enableKey(keyId, { signal }),
    disableKey: () => admin.disableKey(keyId, { signal }),
    rotateKey: () => admin.rotateKey(keyId, { signal }),
    updateDescription: () => admin.updateDescription(keyId, "of an aborted call", { signal }),
    enableKeyRotation: () => admin.enableKeyRotation(keyId, 30, { signal }),
    archiveKey: () => admin.archiveKey(keyId, { signal }),
  };
  for (const [operation, call] of Object.entries(calls)) {
    if (!kit.administers(operation as AdminOperation)) continue;
    await check.rejectsWith(call(), signal.reason, `${operation} with a signal that is aborted already`);
  }
  const { state, versions, description } = await check.resolves(admin.describeKey(keyId), "describeKey");
  check.tells(versions, 1, "describeKey: its versions after aborted calls");
  check.equal(`${state} ${description}`, "enabled ", "describeKey: what aborted calls left as it was");
}

/** A call that is aborted while it runs may still answer, or rejects with the reason; nothing else. */
async function endsWell(
  kit: Kit,
  operation: ProviderOperation,
  call: Promise<unknown>,
  reason: unknown,
): Promise<void> {
  try {
    await call;
    kit.check.isTrue(true, "an answer");
  } catch (error) {
    if (error instanceof ConformanceFailure) throw error;
    kit.check.isTrue(
      error === reason,
      `${operation}, aborted while it runs: expected an answer or the signal's reason`,
    );
  }
}

async function during(kit: Kit): Promise<void> {
  const { check, provider, timers } = kit;
  const waits: readonly (() => Promise<void>)[] = [
    () => Promise.resolve(),
    async () => {
      for (let i = 0; i < 5; i++) await Promise.resolve();
    },
    () => timers.turn(),
    () => timers.turn(2),
  ];
  for (const [operation, sample] of await rightSamples(kit)) {
    for (const wait of waits) {
      const { signal, abort } = watched();
      const reason = new Error("the kit gave up");
      const call = callWith(provider, operation, sample, { signal });
      const ended = endsWell(kit, operation, call, reason);
      await wait();
      abort(reason);
      await ended;
    }
    await check.resolves(callWith(provider, operation, sample), `${operation} after an aborted one`);
  }
}

async function leavesNothing(kit: Kit): Promise<void> {
  const { check, provider, timers } = kit;
  for (const [operation, sample] of await rightSamples(kit)) {
    const { signal, listeners } = watched();
    for (let i = 0; i < REPEATS; i++) {
      await check.resolves(callWith(provider, operation, sample, { signal }), `${operation} with a signal`);
      const unknown = { ...sample, keyId: "no-such-key-of-the-kit" };
      await check.refuses(callWith(provider, operation, unknown, { signal }), `${operation} with an unknown key`);
    }
    // What a transport lets go of a moment later is no leak.
    for (let i = 0; i < 20 && listeners() >= REPEATS; i++) await timers.turn(50);
    const left = listeners();
    check.isTrue(
      left < REPEATS,
      `${operation}: expected no listener left on a signal, ${left} are after ${REPEATS} calls`,
    );
  }
}

async function onlyItsOwn(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  const [keyId] = kit.symmetric;
  const controller = new AbortController();
  const reason = new Error("the kit gave up");
  const sealed = await Promise.all(Array.from({ length: 40 }, () => sealUnder(kit, keyId)));
  const calls = sealed.map(async ({ ciphertext, plaintext }, index) => {
    const isAborted = index % 4 === 0;
    const call = provider.decrypt({ ciphertext }, isAborted ? { signal: controller.signal } : {});
    if (isAborted) return endsWell(kit, "decrypt", call, reason);
    const opened = await check.resolves(call, "decrypt beside aborted ones");
    check.sameBytes(opened.plaintext, plaintext, "decrypt beside aborted ones");
  });
  controller.abort(reason);
  await Promise.all(calls);
}

async function hanging(kit: Kit): Promise<void> {
  const { check, provider, subject, timers } = kit;
  if (subject.faults?.hang === undefined) return;
  for (const [operation, sample] of (await rightSamples(kit)) as ReadonlyMap<ProviderOperation, Sample>) {
    const controller = new AbortController();
    const reason = new Error("the kit gave up");
    subject.faults.hang(1);
    const call = callWith(provider, operation, sample, { signal: controller.signal });
    const rejected = check.rejectsWith(call, reason, `${operation}, aborted while the backend hangs`);
    await timers.turn(5);
    controller.abort(reason);
    await rejected;
    await check.resolves(callWith(provider, operation, sample), `${operation} after one that hung`);
  }
}

/** Cancellation. */
export const cancellation: Area = {
  name: "cancellation",
  checks: [
    { name: "a call with an aborted signal rejects with its reason", needs: {}, run: before },
    {
      name: "a call of the admin with an aborted signal rejects with its reason, and changes nothing",
      needs: { admin: ["createKey", "describeKey"] },
      run: adminBefore,
    },
    { name: "a call that is aborted meanwhile settles", needs: {}, run: during },
    { name: "no listener stays on the signal", needs: {}, run: leavesNothing },
    { name: "only the aborted calls end", needs: { operations: ["encrypt", "decrypt"] }, run: onlyItsOwn },
    { name: "a call that hangs ends when it is aborted", needs: { parts: ["faults"] }, run: hanging },
  ],
};
