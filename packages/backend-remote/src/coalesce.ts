// Identical reads at the same time become one request. Each caller can leave on its own, and has an answer of its own. It must not
// know how a request is sent.
import { ACTIONS, type Action } from "@fengni/kms-api";
import type { Clock } from "./clock.js";
import { type Deadline, within } from "./deadline.js";

/**
 * Reads that hand out key material, or something new each time: every caller sends its own.
 */
const NEVER: ReadonlySet<string> = new Set([
  "DescribeWhiteBoxDecryptKey",
  "DescribeWhiteBoxKey",
  "DescribeWhiteBoxKeyDetails",
  "GetDataKeyCiphertextBlob",
  "GetDataKeyPlaintext",
  "GetParametersForImport",
]);

const COALESCED: ReadonlySet<string> = new Set(
  /* @__PURE__ */ ACTIONS.filter(({ name }) => /^(?:Describe|Get|List)/.test(name) && !NEVER.has(name)).map(
    ({ name }) => name,
  ),
);

/** Whether identical calls of an action may share one answer. */
export function isCoalesced(action: Action): boolean {
  return COALESCED.has(action.name);
}

/** Uses of keys, which change nothing that can be read. */
const USES = /^(?:Encrypt|Decrypt|ReEncrypt|Asymmetric|SignBy|VerifyBy|PostQuantum|GenerateRandom|GenerateDataKey)/;

/** Whether an action may change what others read. */
export function isChange(action: Action, params: object): boolean {
  if (isCoalesced(action) || NEVER.has(action.name)) return false;
  return !USES.test(action.name) || (params as { readonly IsHostedByKms?: unknown }).IsHostedByKms === 1;
}

interface Flight {
  readonly answer: Promise<object>;
  readonly ending: AbortController;
  callers: number;
  /** Whether it ever had more than one. */
  isShared: boolean;
}

/** A text that is the same for equal values, whatever the order of their fields. */
function canonical(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  fields.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${canonical(field)}`).join(",")}}`;
}

/** The reads of one client that are under way. */
export class Coalescer {
  readonly #clock: Clock;
  readonly #flights = new Map<string, Flight>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Something may have changed: who reads from now on gets an answer from now on. */
  forget(): void {
    this.#flights.clear();
  }

  /**
   * Reads, together with whoever reads the same.
   * @param send - sends the request. The signal aborts when no caller is left; there is no other end to it
   * @returns the answer, which is the caller's own
   */
  async read(
    request: { readonly action: string; readonly region: string; readonly params: object },
    bounds: {
      readonly deadline: Deadline;
      readonly signal: AbortSignal | undefined;
      readonly timeoutError: () => Error;
    },
    send: (signal: AbortSignal) => Promise<object>,
    onShared: () => void,
  ): Promise<object> {
    const key = `${request.action} ${request.region} ${canonical(request.params)}`;
    let flight = this.#flights.get(key);
    if (flight === undefined) {
      flight = this.#start(key, send);
    } else {
      flight.isShared = true;
      onShared();
    }
    flight.callers += 1;
    try {
      const { deadline, signal, timeoutError } = bounds;
      const answer = await within(flight.answer, this.#clock, {
        signal,
        remainingMs: deadline.remainingMs(),
        timeoutError,
      });
      return flight.isShared ? structuredClone(answer) : answer;
    } finally {
      flight.callers -= 1;
      if (flight.callers === 0) this.#end(key, flight);
    }
  }

  #start(key: string, send: (signal: AbortSignal) => Promise<object>): Flight {
    const ending = new AbortController();
    const flight: Flight = { answer: send(ending.signal), ending, callers: 0, isShared: false };
    this.#flights.set(key, flight);
    const land = (): void => this.#forgetFlight(key, flight);
    flight.answer.then(land, land);
    return flight;
  }

  #end(key: string, flight: Flight): void {
    this.#forgetFlight(key, flight);
    flight.ending.abort();
  }

  #forgetFlight(key: string, flight: Flight): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}
