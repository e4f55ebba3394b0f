// The local administration: fault switches and the clock, over HTTP, for tests in any language. It must not know how a fault is
// carried out. Whoever calls must hold the token that was made at start.
import { type Clock, ManualClock } from "@fengni/backend-local";
import { equalBytes, utf8ToBytes } from "@fengni/crypto/bytes";
import { EmulatorConfigurationError } from "./configuration-error.js";
import { objectOf, optional, wholeOf } from "./document.js";
import { checkFaultRule } from "./fault-rules.js";
import { type Faults, MAX_SKEW_SECONDS } from "./faults.js";
import {
  headerOf,
  jsonAnswer,
  LOCAL_PREFIX,
  type LocalAnswer,
  type LocalRequest,
  type LocalRoute,
  type LocalRoutes,
} from "./local-route.js";

/** The header that carries the token. A page of another site cannot send it. */
export const ADMIN_TOKEN_HEADER = "x-fengni-admin-token";
const MAX_ADVANCE_MS = 100 * 366 * 86_400_000;
const decoder = new TextDecoder("utf-8", { fatal: true });

/** What the administration works on. */
export interface AdminOptions {
  readonly token: string;
  readonly faults: Faults;
  readonly clock: Clock;
}

/** `/_fengni/faults`: GET lists, POST adds a rule, DELETE removes one (`?id=`) or all; `/_fengni/clock`: GET, POST skews or moves it. */
export function adminRoutes({ token, faults, clock }: AdminOptions): LocalRoutes {
  return new Map([
    [`${LOCAL_PREFIX}faults`, guarded(token, ["GET", "POST", "DELETE"], (request) => answerFaults(faults, request))],
    [`${LOCAL_PREFIX}clock`, guarded(token, ["GET", "POST"], (request) => answerClock(faults, clock, request))],
  ]);
}

function guarded(
  token: string,
  methods: readonly string[],
  answer: (request: LocalRequest) => LocalAnswer,
): LocalRoute {
  const expected = utf8ToBytes(token);
  return {
    methods,
    answer: (request) => {
      const given = utf8ToBytes(headerOf(request, ADMIN_TOKEN_HEADER) ?? "");
      if (!equalBytes(given, expected)) {
        return jsonAnswer(401, { error: `send the token that was made at start in the header ${ADMIN_TOKEN_HEADER}` });
      }
      try {
        return answer(request);
      } catch (error) {
        if (!(error instanceof EmulatorConfigurationError)) throw error;
        return jsonAnswer(400, { error: error.message });
      }
    },
  };
}

function answerFaults(faults: Faults, request: LocalRequest): LocalAnswer {
  if (request.method === "POST") {
    const id = faults.add(checkFaultRule(jsonOf(request)));
    return jsonAnswer(200, { id });
  }
  if (request.method === "DELETE") {
    if (request.query === "") {
      faults.clear();
      return jsonAnswer(200, { faults: [] });
    }
    const id = /^id=([1-9][0-9]{0,9})$/.exec(request.query)?.[1];
    if (id === undefined) throw new EmulatorConfigurationError("the query expected id=NUMBER");
    if (!faults.remove(Number(id))) return jsonAnswer(404, { error: `there is no fault ${id}` });
  }
  return jsonAnswer(200, { faults: faults.list() });
}

function answerClock(faults: Faults, clock: Clock, request: LocalRequest): LocalAnswer {
  if (request.method === "POST") {
    const change = objectOf(jsonOf(request), "clock", ["advanceMs", "skewSeconds"]);
    const advanceMs = optional(change["advanceMs"], (value) => wholeOf(value, "clock.advanceMs", 0, MAX_ADVANCE_MS));
    if (advanceMs !== undefined && !(clock instanceof ManualClock)) {
      throw new EmulatorConfigurationError(
        "clock.advanceMs needs an emulator that was started with a ManualClock; clock.skewSeconds works with any",
      );
    }
    const skew = change["skewSeconds"];
    if (skew !== undefined) {
      faults.skewSeconds = wholeOf(skew, "clock.skewSeconds", -MAX_SKEW_SECONDS, MAX_SKEW_SECONDS);
    }
    if (advanceMs !== undefined && clock instanceof ManualClock) clock.advance(advanceMs);
  }
  return jsonAnswer(200, { nowMs: clock.now(), skewSeconds: faults.skewSeconds });
}

function jsonOf({ body }: LocalRequest): unknown {
  try {
    return JSON.parse(decoder.decode(body));
  } catch {
    throw new EmulatorConfigurationError("the body expected JSON");
  }
}
