// One call from its first attempt to its last: below the rate, on a free connection, to an endpoint that answers, again only where
// that is safe. It must not know how a request is sent, nor who asked.
import { type FengniError, isFengniError } from "@fengni/crypto/errors";
import type { Action } from "@fengni/kms-api";
import { isArgumentError } from "./checks.js";
import { type ClientEvent, tell } from "./client-events.js";
import type { CheckedOptions } from "./client-options.js";
import { type Deadline, deadlineError, pause } from "./deadline.js";
import type { Choice, Endpoint, Endpoints } from "./endpoints.js";
import { causeOf, isOfRequest, malformedAnswer, networkError } from "./error-map.js";
import { Limiter } from "./limiter.js";
import { MAX_REGIONS, RecentMap } from "./recent-map.js";
import { isRequestError, RequestError } from "./request-error.js";
import { checkResponse } from "./response-check.js";
import { mayRepeat, RetryBudget, retryDelayMs } from "./retry.js";
import { Slots } from "./slots.js";

/** A call, checked. */
export interface Call {
  readonly action: Action;
  readonly params: object;
  readonly region: string;
  readonly deadline: Deadline;
  readonly signal: AbortSignal | undefined;
}

/** What a call has been through. */
interface Course {
  attempts: number;
  /** Endpoints that could not be reached. */
  readonly failed: Set<Endpoint>;
  /** The tokens that its last retry took. */
  taken: number | undefined;
  lastError: RequestError | undefined;
}

/** Calls that wait for a connection, for each connection. */
const QUEUED_PER_CONNECTION = 64;

/** What the calls of one region share, so that a region that fails or hangs takes nothing from another. */
interface Share {
  readonly budget: RetryBudget;
  readonly slots: Slots;
}

/** Makes the calls of one client: those of a region share a budget, connections and breakers. */
export class Caller {
  readonly #options: CheckedOptions;
  readonly #endpoints: Endpoints;
  readonly #limiter: Limiter;
  readonly #shares = new RecentMap<Share>(MAX_REGIONS, { mayGo: ({ slots }) => slots.isIdle });

  constructor(options: CheckedOptions, endpoints: Endpoints) {
    this.#options = options;
    this.#endpoints = endpoints;
    this.#limiter = new Limiter(options.clock, options.rateLimit);
  }

  /**
   * Makes a call.
   * @returns the response, whose fields have their types
   * @throws RequestError, or a FengniError when nothing was sent; the signal's reason
   */
  async make(call: Call): Promise<object> {
    const course: Course = { attempts: 0, failed: new Set(), taken: undefined, lastError: undefined };
    const share = this.#shareOf(call.region);
    for (;;) {
      await this.#turn(call, course, share.slots);
      course.attempts += 1;
      let choice: Choice | undefined;
      try {
        choice = this.#endpoints.choose(call.region, course.failed);
        if (choice === undefined) throw this.#openError(call, course);
        const response = await this.#attempt(call, choice);
        share.budget.succeed(course.taken);
        return response;
      } catch (error) {
        if (choice === undefined || !isRequestError(error)) throw error;
        course.lastError = error;
        this.#learn(call, course, choice.endpoint, error);
      } finally {
        share.slots.release();
      }
      await this.#beforeRepeat(call, course, share.budget, course.lastError);
    }
  }

  #shareOf(region: string): Share {
    return this.#shares.get(region, () => {
      const { clock, retryBudget, maxConnections } = this.#options;
      const slots = new Slots(clock, maxConnections, maxConnections * QUEUED_PER_CONNECTION);
      return { budget: new RetryBudget(retryBudget), slots };
    });
  }

  /** Waits for its turn below the rate, and for a free connection. */
  async #turn({ action, region, deadline, signal }: Call, { lastError }: Course, slots: Slots): Promise<void> {
    try {
      const turn = this.#limiter.take(`${action.name} ${region}`, deadline, signal);
      if (turn !== undefined) await turn;
      if (deadline.remainingMs() <= 0) throw deadlineError(deadline.timeoutMs, "waiting for its turn");
      const slot = slots.take(deadline, signal);
      if (slot !== undefined) await slot;
    } catch (error) {
      // What the last attempt came to tells more than that there was no time for another one.
      throw lastError !== undefined && isFengniError(error) ? lastError : error;
    }
  }

  async #attempt(
    { action, params, region, deadline, signal }: Call,
    { endpoint: { transport }, breaker, pass }: Choice,
  ): Promise<object> {
    const { attemptTimeoutMs } = this.#options;
    const remainingMs = deadline.remainingMs();
    // Decided now: at the end the clock cannot tell which of the two bounds it was.
    const isHurried = remainingMs < attemptTimeoutMs;
    const timeoutMs = Math.max(1, isHurried ? remainingMs : attemptTimeoutMs);
    const subject = { action: action.name, params };
    let response: object;
    try {
      response = await transport.request(action.name, params, { region, signal, timeoutMs });
    } catch (error) {
      if (signal?.aborted === true) {
        breaker.abandon(pass);
        throw error;
      }
      const failure =
        isFengniError(error) || isArgumentError(error)
          ? error
          : networkError(subject, "wait", "the transport failed", causeOf(error));
      if (!isRequestError(failure)) breaker.abandon(pass);
      else if (failure.vendorCode !== undefined || failure.code === "ERR_THROTTLED") breaker.succeed(pass);
      else if (isOfRequest(failure)) breaker.abandon(pass);
      // That a caller was in a hurry says nothing of the endpoint.
      else if (isHurried && isRequestError(failure, "ERR_TIMEOUT") && !this.#hasNoConnection(failure, timeoutMs))
        breaker.abandon(pass);
      else breaker.fail(pass);
      throw failure;
    }
    breaker.succeed(pass);
    const wrong = checkResponse(action, response);
    if (wrong !== undefined) throw malformedAnswer(subject, undefined, `its field ${wrong} is of another type`);
    return response;
  }

  /** Whether it was the time for a connection that was over, and not yet that of the attempt. */
  #hasNoConnection({ phase, details }: RequestError<"ERR_TIMEOUT">, timeoutMs: number): boolean {
    const { connectTimeoutMs } = this.#options;
    return phase === "connect" && connectTimeoutMs < timeoutMs && details?.timeoutMs === connectTimeoutMs;
  }

  /** What a failure teaches all calls. */
  #learn({ action, region }: Call, { failed }: Course, endpoint: Endpoint, error: RequestError): void {
    if (error.phase === "connect" && !error.isAmbiguous) failed.add(endpoint);
    if (error.code !== "ERR_THROTTLED") return;
    const perSecond = this.#limiter.refuse(`${action.name} ${region}`);
    if (perSecond !== undefined) this.#tell({ type: "rate", action: action.name, region, perSecond });
  }

  /** Waits before the next attempt. @throws the error, where there is none */
  async #beforeRepeat(call: Call, course: Course, budget: RetryBudget, error: RequestError): Promise<void> {
    const { action, params, region, deadline, signal } = call;
    const { attempts, failed } = course;
    if (attempts >= this.#options.maxAttempts || !mayRepeat(error, action, params, attempts)) throw error;
    let delayMs = 0;
    const isElsewhere = error.phase === "connect" && !error.isAmbiguous && this.#endpoints.hasOther(region, failed);
    if (!isElsewhere) {
      delayMs = retryDelayMs(error, attempts, this.#options.random);
      if (delayMs >= deadline.remainingMs()) throw error;
      course.taken = budget.take(error);
      if (course.taken === undefined) throw error;
    }
    const { code, vendorCode, requestId } = error;
    this.#tell({
      type: "retry",
      action: action.name,
      region,
      attempts,
      delayMs,
      code,
      ...(vendorCode === undefined ? {} : { vendorCode }),
      ...(requestId === undefined ? {} : { requestId }),
    });
    if (delayMs > 0) await pause(this.#options.clock, delayMs, signal);
    else if (signal?.aborted === true) throw signal.reason;
  }

  /** No endpoint is tried at the moment: at once, so that callers can do without. */
  #openError({ action, region }: Call, { lastError }: Course): FengniError {
    if (lastError !== undefined) return lastError;
    const names = this.#endpoints.names().join(", ");
    return new RequestError(
      "ERR_UNAVAILABLE",
      `${action.name} was not sent: ${names} failed too often for ${region}, which is left alone for some seconds; try again later`,
      { action: action.name, phase: "connect", isAmbiguous: false, retryable: true },
    );
  }

  #tell(event: ClientEvent): void {
    const { onEvent } = this.#options;
    if (onEvent !== undefined) tell(onEvent, event);
  }
}
