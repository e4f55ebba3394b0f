// What the model test draws: configurations of envelopes, and steps of calls that run side by side. It must not know what they
// mean to anybody.
import type { DataKeyCacheOptions, WritableSuiteId } from "@fengni/core";
import fc from "fast-check";

/** Keys of the KMS: `required` and `optional` are the main envelope's, `other` is another envelope's. */
export const KEY_NAMES = ["required", "optional", "other"] as const;
export type KeyName = (typeof KEY_NAMES)[number];

/** Who makes a call. */
type Caller = "main" | "other";

/** What is sealed, and how. */
export interface EncryptAction {
  readonly do: "encrypt";
  readonly by: Caller;
  readonly tenant: number;
  readonly length: number;
  /** `stream`: its length is not said beforehand; `sized`: it is, with room for more. */
  readonly how: "whole" | "stream" | "sized";
  /** Whether the header leaves the tenant out. */
  readonly isUnstored: boolean;
}

export interface DecryptAction {
  readonly do: "decrypt";
  readonly by: Caller;
  readonly message: number;
  readonly context: "right" | "wrong";
  readonly isStream: boolean;
}

export interface RewrapAction {
  readonly do: "rewrap";
  readonly message: number;
  /** `own`: under the keys of the main envelope; `heal`: keeps what is there; `move`: under the other key. */
  readonly how: "own" | "heal" | "move";
}

/** Calls of envelopes. */
export type CallAction =
  | EncryptAction
  | DecryptAction
  | RewrapAction
  | { readonly do: "prewarm"; readonly tenant: number }
  | { readonly do: "fill" };

/** Changes of the surroundings; those of a step happen one after the other, while its calls run. */
export type ChangeAction =
  | { readonly do: "clear" }
  | { readonly do: "rotate" | "toggle" | "schedule" | "cancel" | "reach"; readonly key: KeyName }
  | { readonly do: "rotateBranch"; readonly tenant: number }
  /** `jump`: timers are late, as in a process that was held up. */
  | { readonly do: "advance" | "jump"; readonly ms: number };

export type Action = CallAction | ChangeAction;

/** Actions that begin at the same time, or a long wait when nothing is under way. */
export type Step = readonly Action[] | { readonly days: number };

/** How many tenants there are. */
export const TENANTS = 3;

/** What a run is made of. */
export interface Configuration {
  readonly suite: WritableSuiteId;
  readonly hasOptional: boolean;
  readonly cache: DataKeyCacheOptions | undefined;
  /** Time-to-live of branch keys; undefined: the required key wraps data keys itself. */
  readonly ttlMs: number | undefined;
  readonly latencySeed: number;
}

const oneOf = <const Value>(...values: readonly Value[]): fc.Arbitrary<Value> => fc.constantFrom(...values);
const maybe = <Value>(arbitrary: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.option(arbitrary, { nil: undefined });

const cache: fc.Arbitrary<DataKeyCacheOptions> = fc
  .record({
    maxAgeMs: oneOf(1000, 5000),
    maxMessages: maybe(fc.integer({ min: 1, max: 14 })),
    maxBytes: maybe(oneOf(1, 20, 64, 200)),
    maxEntries: maybe(fc.integer({ min: 1, max: 4 })),
    refreshPart: maybe(oneOf(0, 0.5)),
    graceMs: oneOf(0, 0, 700, 3000),
    refusalMs: maybe(oneOf(0, 400)),
  })
  .map(({ maxAgeMs, refreshPart, graceMs, ...rest }) => ({
    maxAgeMs,
    graceMs,
    ...(refreshPart !== undefined && { refreshAheadMs: Math.floor(maxAgeMs * refreshPart) }),
    ...(rest.maxMessages !== undefined && { maxMessages: rest.maxMessages }),
    ...(rest.maxBytes !== undefined && { maxBytes: rest.maxBytes }),
    ...(rest.maxEntries !== undefined && { maxEntries: rest.maxEntries }),
    ...(rest.refusalMs !== undefined && { refusalMs: rest.refusalMs }),
  }));

export const configuration: fc.Arbitrary<Configuration> = fc.record({
  suite: oneOf<WritableSuiteId>(0x0478, 0x0578, 0xf128, 0xf478),
  hasOptional: fc.boolean(),
  cache: fc.option(cache, { nil: undefined, freq: 5 }),
  ttlMs: oneOf(undefined, undefined, 800, 3000),
  latencySeed: fc.nat(),
});

const caller: fc.Arbitrary<Caller> = oneOf("main", "main", "main", "main", "other");
const tenant = oneOf(0, 0, 0, 1, 2);
const message = fc.nat(40);
const key: fc.Arbitrary<KeyName> = oneOf("required", "required", "optional", "optional", "other");

const encrypt: fc.Arbitrary<EncryptAction> = fc.record({
  do: oneOf("encrypt"),
  by: caller,
  tenant,
  length: oneOf(0, 1, 7, 20, 21, 63),
  how: oneOf("whole", "whole", "whole", "sized", "stream"),
  isUnstored: oneOf(false, false, true),
});
const decrypt: fc.Arbitrary<DecryptAction> = fc.record({
  do: oneOf("decrypt"),
  by: caller,
  message,
  context: oneOf("right", "right", "right", "wrong"),
  isStream: oneOf(false, false, true),
});
const call: fc.Arbitrary<CallAction> = fc.oneof(
  { weight: 8, arbitrary: encrypt },
  { weight: 10, arbitrary: decrypt },
  { weight: 2, arbitrary: fc.record({ do: oneOf("rewrap"), message, how: oneOf("own", "heal", "move") }) },
  { weight: 1, arbitrary: fc.record({ do: oneOf("prewarm"), tenant }) },
  { weight: 1, arbitrary: fc.record({ do: oneOf("fill") }) },
);
const change: fc.Arbitrary<ChangeAction> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: oneOf("advance", "advance", "jump"),
      ms: oneOf(1, 100, 399, 500, 700, 999, 1000, 4999, 6000),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: oneOf("toggle", "reach"), key }) },
  { weight: 2, arbitrary: fc.record({ do: oneOf("rotate"), key }) },
  { weight: 1, arbitrary: fc.record({ do: oneOf("schedule", "cancel", "cancel"), key }) },
  { weight: 1, arbitrary: fc.record({ do: oneOf("rotateBranch"), tenant }) },
  { weight: 1, arbitrary: fc.record({ do: oneOf("clear") }) },
);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: call.map((action) => [action]) },
  { weight: 8, arbitrary: change.map((action) => [action]) },
  // The same call many times over, and anything next to anything.
  { weight: 2, arbitrary: fc.tuple(call, fc.integer({ min: 2, max: 20 })).map(([action, n]) => Array(n).fill(action)) },
  { weight: 3, arbitrary: fc.array(fc.oneof(call, call, change), { minLength: 2, maxLength: 12 }) },
  { weight: 1, arbitrary: fc.record({ days: oneOf(1, 8) }) },
);

/** What chance alone seldom does: calls for one data key before and after a change, at the edges of ages and grace. */
const visit: fc.Arbitrary<readonly Step[]> = fc
  .record({ encrypt, message, how: oneOf("toggle", "reach", "rotate"), ms: oneOf(999, 1000, 1300, 4999, 5000, 5300) })
  .map(({ encrypt: drawn, message: number, how, ms }) => {
    const sealing: EncryptAction = { ...drawn, by: "main", how: "whole", length: 1 };
    const opening: DecryptAction = { do: "decrypt", by: "main", message: number, context: "right", isStream: false };
    const calls = [[sealing], [opening]];
    return [...calls, [{ do: how, key: "required" }], [{ do: "advance", ms }], ...calls];
  });

export const steps: fc.Arbitrary<readonly Step[]> = fc
  .array(fc.oneof({ weight: 12, arbitrary: step.map((one) => [one]) }, { weight: 1, arbitrary: visit }), {
    minLength: 10,
    maxLength: 36,
    size: "max",
  })
  .map((all) => all.flat());
