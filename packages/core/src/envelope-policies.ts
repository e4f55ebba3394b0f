// From the options of an Envelope to what its sealer and its opener are made of: defaults, checks, caches. Must run nothing.
import { wipe } from "@fengni/crypto/bytes";
import { ALGORITHM_POLICIES, type AlgorithmPolicy, checkAlgorithms } from "./algorithm-policy.js";
import { BoundedCache, type CacheSurroundings, cacheLimits } from "./cache.js";
import { LoadQueue } from "./cache-loads.js";
import {
  checkKeys,
  checkSuites,
  DEFAULT_FRAME_LENGTH,
  DEFAULT_MAX_FRAME_LENGTH,
  type EnvelopeOptions,
} from "./envelope-options.js";
import { argumentError } from "./errors.js";
import { DEFAULT_KEY_DEADLINE_MS, MAX_KEY_DEADLINE_MS } from "./key-deadline.js";
import { KeyHealth } from "./key-health.js";
import type { SealingMaterials } from "./materials.js";
import { headerLimits } from "./message-header.js";
import type { OpeningPolicy } from "./opening.js";
import { checkInteger } from "./options.js";
import type { SealingPolicy } from "./sealing.js";
import { COMMITMENT_POLICIES, DEFAULT_SUITE, SUITE_SM4 } from "./suites.js";
import { cacheTelemetry, type Emit, emitter, keyDemoted, keyRestored, wrappingIncomplete } from "./telemetry.js";
import { observedUnwrappingKey, observedWrappingKey } from "./telemetry-keys.js";
import type { UnwrappingKey, WrappingKey } from "./wrapping-key.js";

/** @throws TypeError, RangeError (`ERR_ARGUMENT`) for options that cannot be */
export function envelopePolicies(options: EnvelopeOptions): {
  readonly sealing: SealingPolicy;
  readonly opening: OpeningPolicy;
  readonly emit: Emit | undefined;
} {
  const keys = checkedKeys(options);
  const maxFrameLength = checkInteger(
    "maxFrameLength",
    options.maxFrameLength ?? DEFAULT_MAX_FRAME_LENGTH,
    1,
    Number.MAX_SAFE_INTEGER,
  );
  const commitmentPolicy = options.commitmentPolicy ?? "require-encrypt-require-decrypt";
  if (!COMMITMENT_POLICIES.includes(commitmentPolicy)) {
    throw argumentError(`commitmentPolicy expected one of ${COMMITMENT_POLICIES.join(", ")}`);
  }
  const limits = headerLimits({
    ...(options.maxEncryptedDataKeys !== undefined && { maxEncryptedDataKeys: options.maxEncryptedDataKeys }),
    ...(options.maxHeaderLength !== undefined && { maxHeaderLength: options.maxHeaderLength }),
  });
  const suite = options.suite ?? (options.algorithmPolicy === "gm-only" ? SUITE_SM4 : DEFAULT_SUITE);
  const readableSuites = checkAlgorithms(checkPolicy(options.algorithmPolicy ?? "any"), {
    suite,
    readableSuites: options.readableSuites === undefined ? undefined : checkSuites(options.readableSuites),
    keys: [...keys.required, ...keys.optional, ...keys.unwrapping],
  });
  const shared = { readableSuites, limits, maxFrameLength };
  const deadlineMs = checkInteger(
    "keyDeadlineMs",
    options.keyDeadlineMs ?? DEFAULT_KEY_DEADLINE_MS,
    1,
    MAX_KEY_DEADLINE_MS,
  );
  const emit = emitter(options.telemetry);
  const listener = emit && {
    demoted: (key: string, error: unknown) => emit(keyDemoted(key, error)),
    restored: (key: string) => emit(keyRestored(key)),
  };
  const observed = emit === undefined ? keys : observedKeys(keys, emit);
  const caches = options.cache === undefined ? undefined : cachesOf(options.cache, emit);
  return {
    emit,
    sealing: {
      ...shared,
      wrapping: {
        ...observed,
        deadlineMs,
        // Not that of opening: messages from outside must not decide which keys wrap.
        health: new KeyHealth(listener),
        onIncomplete: emit && ((key, error) => emit(wrappingIncomplete(key, error))),
      },
      suite,
      frameLength: options.frameLength ?? Math.min(DEFAULT_FRAME_LENGTH, maxFrameLength),
      cache: caches?.sealing,
      loads: caches?.loads,
    },
    opening: {
      ...shared,
      unwrapping: {
        keys: [...observed.required, ...observed.optional, ...observed.unwrapping],
        deadlineMs,
        health: new KeyHealth(listener),
      },
      commitmentPolicy,
      cache: caches?.opening,
      loads: caches?.loads,
    },
  };
}

interface CheckedKeys {
  readonly required: readonly WrappingKey[];
  readonly optional: readonly WrappingKey[];
  /** Keys that only open. */
  readonly unwrapping: readonly UnwrappingKey[];
  readonly minimum: number;
}

function checkedKeys(options: EnvelopeOptions): CheckedKeys {
  const { wrappingKeys: required, optionalWrappingKeys: optional = [], unwrappingKeys: unwrapping = [] } = options;
  const whole = ["generateDataKey", "wrapDataKey", "unwrapDataKey"];
  checkKeys("wrappingKeys", required, whole);
  checkKeys("optionalWrappingKeys", optional, whole);
  checkKeys("unwrappingKeys", unwrapping, ["unwrapDataKey"]);
  const wrapping = [...required, ...optional];
  if (wrapping.length + unwrapping.length === 0) {
    throw argumentError("an envelope needs a wrapping key, or an unwrapping key");
  }
  if (new Set(wrapping).size < wrapping.length) {
    throw argumentError("wrappingKeys and optionalWrappingKeys name a key twice: once is enough");
  }
  const fewest = Math.max(1, required.length);
  const minimum = options.minimumWrappings ?? fewest;
  if (options.minimumWrappings !== undefined) {
    checkInteger("minimumWrappings", minimum, fewest, Math.max(fewest, wrapping.length));
  }
  return { required: [...required], optional: [...optional], unwrapping: [...unwrapping], minimum };
}

function observedKeys(keys: CheckedKeys, emit: Emit): CheckedKeys {
  return {
    required: keys.required.map((key) => observedWrappingKey(key, emit)),
    optional: keys.optional.map((key) => observedWrappingKey(key, emit)),
    unwrapping: keys.unwrapping.map((key) => observedUnwrappingKey(key, emit)),
    minimum: keys.minimum,
  };
}

function checkPolicy(policy: AlgorithmPolicy): AlgorithmPolicy {
  if (!ALGORITHM_POLICIES.includes(policy)) {
    throw argumentError(`algorithmPolicy expected one of ${ALGORITHM_POLICIES.join(", ")}`);
  }
  return policy;
}

function cachesOf(
  options: NonNullable<EnvelopeOptions["cache"]>,
  emit: Emit | undefined,
): {
  readonly loads: LoadQueue;
  readonly sealing: BoundedCache<SealingMaterials>;
  readonly opening: BoundedCache<Uint8Array>;
} {
  const limits = cacheLimits(options);
  // One queue: the budget of calls is the envelope's.
  const loads = new LoadQueue(limits);
  const surroundings = (cache: "sealing" | "opening"): CacheSurroundings => ({
    loads,
    ...(emit && { listener: cacheTelemetry(emit, cache) }),
  });
  // Opening uses up nothing of a data key.
  const unlimited = { maxMessages: Number.MAX_SAFE_INTEGER, maxBytes: Number.MAX_SAFE_INTEGER };
  return {
    loads,
    sealing: new BoundedCache(
      limits,
      (materials: SealingMaterials) => wipe(materials.dataKey),
      surroundings("sealing"),
    ),
    opening: new BoundedCache<Uint8Array>({ ...limits, ...unlimited }, wipe, surroundings("opening")),
  };
}
