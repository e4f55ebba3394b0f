// Faults that tests switch on: which kinds there are, and the check of a rule. It must not know how a fault is carried out.
import { findAction } from "@fengni/kms-api";
import { EmulatorConfigurationError } from "./configuration-error.js";
import { numberOf, objectOf, optional, textOf, wholeOf } from "./document.js";

/**
 * What goes wrong, by where it does. Before the request is carried out: `latency` (it waits), `throttle` and `internal-error` (an
 * error in the service's envelope), `http-5xx` (a status of a gateway), `reset` (the connection breaks), `hang` (no answer). After
 * it was carried out: `reset-after` (the answer is lost), `truncate` (the answer breaks off), `garble` (it is not JSON).
 */
export type FaultKind = (typeof FAULT_KINDS)[number];

/** Every kind of fault. */
export const FAULT_KINDS = [
  "latency",
  "throttle",
  "internal-error",
  "http-5xx",
  "reset",
  "hang",
  "reset-after",
  "truncate",
  "garble",
] as const;

/** When a fault happens. */
export interface FaultRule {
  readonly kind: FaultKind;
  /** Only for this action of the service; default: for all. */
  readonly action?: string;
  /** 0 to 1; default 1. Drawn from a generator with a seed, so that a test sees the same each time. */
  readonly probability?: number;
  /** Only so many times, 1 or more; default: until it is removed. */
  readonly count?: number;
  /** For `latency`: 1 to 60,000. */
  readonly latencyMs?: number;
  /** For `http-5xx`: 500, 502, 503 (default) or 504. */
  readonly status?: number;
}

/** Longest wait of a rule. */
export const MAX_LATENCY_MS = 60_000;
const STATUSES: readonly number[] = [500, 502, 503, 504];
const MAX_COUNT = 1_000_000;

/**
 * Checks a rule.
 * @throws EmulatorConfigurationError that names the member
 */
export function checkFaultRule(value: unknown): FaultRule {
  const rule = objectOf(value, "fault", ["kind", "action", "probability", "count", "latencyMs", "status"]);
  const kind = FAULT_KINDS.find((known) => known === rule["kind"]);
  if (kind === undefined) throw new EmulatorConfigurationError(`fault.kind expected one of ${FAULT_KINDS.join(", ")}`);
  const action = optional(rule["action"], (name) => textOf(name, "fault.action", 64));
  if (action !== undefined && findAction(action) === undefined) {
    throw new EmulatorConfigurationError("fault.action expected an action of the service, such as Encrypt");
  }
  const probability = optional(rule["probability"], (number) => numberOf(number, "fault.probability", 0, 1));
  const count = optional(rule["count"], (number) => wholeOf(number, "fault.count", 1, MAX_COUNT));
  const latencyMs = optional(rule["latencyMs"], (number) => wholeOf(number, "fault.latencyMs", 1, MAX_LATENCY_MS));
  const status = optional(rule["status"], (number) => wholeOf(number, "fault.status", 500, 504));
  if ((latencyMs !== undefined) !== (kind === "latency")) {
    throw new EmulatorConfigurationError("fault.latencyMs goes with the kind latency, and with no other");
  }
  if (status !== undefined && (kind !== "http-5xx" || !STATUSES.includes(status))) {
    throw new EmulatorConfigurationError(
      `fault.status goes with the kind http-5xx and is one of ${STATUSES.join(", ")}`,
    );
  }
  return {
    kind,
    ...(action === undefined ? {} : { action }),
    ...(probability === undefined ? {} : { probability }),
    ...(count === undefined ? {} : { count }),
    ...(latencyMs === undefined ? {} : { latencyMs }),
    ...(status === undefined ? {} : { status }),
  };
}
