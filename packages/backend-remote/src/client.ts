// The client of Tencent Cloud KMS: every action as a typed method, checked before it is sent. It must not know how a request is sent
// or repeated.
import { FengniError, isFengniError } from "@fengni/crypto/errors";
import { type ActionName, findAction, type RequestOf, type ResponseOf } from "@fengni/kms-api";
import { ActionMethodsBase, type KmsCallOptions } from "./action-methods.js";
import { Breaker } from "./breaker.js";
import { type Call, Caller } from "./caller.js";
import { argumentError, checkFields, checkRegion, checkSignal } from "./checks.js";
import { tell } from "./client-events.js";
import { type CheckedOptions, checkOptions, checkTimeout, type TencentKmsClientOptions } from "./client-options.js";
import { Coalescer, isChange, isCoalesced } from "./coalesce.js";
import { Deadline } from "./deadline.js";
import { type BreakerStates, Endpoint, Endpoints } from "./endpoints.js";
import { timeoutError } from "./error-map.js";
import { checkRequest } from "./parameter-check.js";
import { isRequestError } from "./request-error.js";
import { RequestSigner } from "./request-signer.js";
import type { Transport } from "./transport.js";
import { boundedTransport } from "./transport-bounded.js";
import { type ConnectionOptions, HttpTransport } from "./transport-http.js";

const CALL_FIELDS = ["signal", "timeoutMs", "region"];
const NO_PARAMS = {};
const NO_OPTIONS: KmsCallOptions = {};
/** The name of an injected transport among the endpoints. */
const INJECTED = "the injected transport";

/**
 * A client of Tencent Cloud KMS, with a method for each action (`kms.encrypt`, `kms.generateDataKey`, ...; API version 2019-01-18).
 *
 * A call is checked against the service's limits, signed, kept below the service's rate, and repeated only where that is safe:
 * when nothing was sent, when the service refused it for the rate, or when repeating it does no more than the first time did.
 * Identical reads at the same time share one request. Any number of calls may be made at once.
 *
 * Every method rejects with a RequestError for what the service or the network answered; a FengniError for what was not sent
 * (`ERR_LIMIT`, `ERR_CREDENTIALS`, `ERR_THROTTLED`, `ERR_TIMEOUT`, `ERR_CLOSED`); a TypeError or RangeError `ERR_ARGUMENT` for
 * wrong arguments; the reason of its signal.
 *
 * @example
 * const kms = new TencentKmsClient({ credentials: { secretId, secretKey }, region: "ap-guangzhou" });
 * const { CiphertextBlob } = await kms.encrypt({ KeyId: keyId, Plaintext: "aGVsbG8=" });
 * await kms.close();
 */
export class TencentKmsClient extends ActionMethodsBase {
  readonly #options: CheckedOptions;
  readonly #endpoints: Endpoints;
  readonly #caller: Caller;
  readonly #coalescer: Coalescer;
  #underWay = 0;
  #closing: Promise<void> | undefined;
  #onIdle: (() => void) | undefined;

  /** @throws TypeError or RangeError `ERR_ARGUMENT`; FengniError `ERR_CREDENTIALS` for credentials that cannot sign */
  constructor(options: TencentKmsClientOptions) {
    super();
    this.#options = checkOptions(options);
    this.#endpoints = new Endpoints(endpointsOf(this.#options, options));
    this.#caller = new Caller(this.#options, this.#endpoints);
    this.#coalescer = new Coalescer(this.#options.clock);
  }

  /** The region of calls that name none. */
  get region(): string {
    return this.#options.region;
  }

  /** The states of the circuit breakers: by the endpoint, then by the region, of those that were called. */
  get breakerStates(): BreakerStates {
    return this.#endpoints.states();
  }

  /**
   * Calls any action.
   * @param action - its name, for example `Encrypt`
   * @param params - its fields; default none
   * @param options - see {@link KmsCallOptions}
   * @returns the response, with its `RequestId`; it is the caller's own
   */
  override async request<Name extends ActionName>(
    action: Name,
    params?: RequestOf<Name>,
    options?: KmsCallOptions,
  ): Promise<ResponseOf<Name>>;
  override async request(
    action: ActionName,
    params: object = NO_PARAMS,
    options: KmsCallOptions = NO_OPTIONS,
  ): Promise<object> {
    if (this.#closing !== undefined) throw new FengniError("ERR_CLOSED", "the client was closed: make a new one");
    const call = this.#check(action, params, options);
    this.#underWay += 1;
    const startedAt = this.#options.onEvent === undefined ? 0 : this.#options.clock.elapsed();
    try {
      const response = await this.#make(call);
      this.#tellOf(call, startedAt, undefined);
      return response;
    } catch (error) {
      this.#tellOf(call, startedAt, error);
      throw error;
    } finally {
      this.#underWay -= 1;
      if (this.#underWay === 0) this.#onIdle?.();
    }
  }

  /**
   * Takes no more calls (`ERR_CLOSED`), waits for those under way, which end at their deadlines at the latest, closes the
   * connections and wipes the signing key. Idempotent. An idle client need not be closed for the process to end.
   */
  close(): Promise<void> {
    this.#closing ??= this.#finish();
    return this.#closing;
  }

  async #finish(): Promise<void> {
    if (this.#underWay > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
    await this.#endpoints.close();
  }

  #check(name: ActionName, params: object, options: KmsCallOptions): Call {
    const action = findAction(name);
    if (action === undefined) throw argumentError("request expected the name of an action, such as Encrypt");
    let { region, timeoutMs } = this.#options;
    if (options !== NO_OPTIONS) {
      checkFields(name, options, CALL_FIELDS);
      checkSignal(options.signal);
      if (options.region !== undefined) region = checkRegion("region", options.region);
      timeoutMs = checkTimeout("timeoutMs", options.timeoutMs, timeoutMs);
    }
    const checked = checkRequest(action, params);
    const { signal } = options;
    signal?.throwIfAborted();
    return { action, params: checked, region, signal, deadline: new Deadline(this.#options.clock, timeoutMs) };
  }

  async #make(call: Call): Promise<object> {
    const { action, params } = call;
    if (isCoalesced(action)) return this.#read(call);
    if (!isChange(action, params)) return this.#caller.make(call);
    // Who reads after a change, or while one is under way, must not be given what was read before it.
    this.#coalescer.forget();
    try {
      return await this.#caller.make(call);
    } finally {
      this.#coalescer.forget();
    }
  }

  #read(call: Call): Promise<object> {
    const { action, params, region, deadline, signal } = call;
    const subject = { action: action.name, params };
    return this.#coalescer.read(
      { action: action.name, region, params },
      { deadline, signal, timeoutError: () => timeoutError(subject, "wait", deadline.timeoutMs) },
      // It has no end of its own, for others may come who have more time: it ends when all have left.
      (ending) =>
        this.#caller.make({
          ...call,
          signal: ending,
          deadline: new Deadline(this.#options.clock, Number.POSITIVE_INFINITY),
        }),
      () => {
        if (this.#options.onEvent !== undefined)
          tell(this.#options.onEvent, { type: "shared", action: action.name, region });
      },
    );
  }

  #tellOf({ action, region }: Call, startedAt: number, error: unknown): void {
    const { onEvent, clock } = this.#options;
    if (onEvent === undefined) return;
    const { vendorCode, requestId } = isRequestError(error) ? error : {};
    tell(onEvent, {
      type: "call",
      action: action.name,
      region,
      durationMs: clock.elapsed() - startedAt,
      ...(error === undefined ? {} : { code: isFengniError(error) ? error.code : "aborted" }),
      ...(vendorCode === undefined ? {} : { vendorCode }),
      ...(requestId === undefined ? {} : { requestId }),
    });
  }
}

function endpointsOf(checked: CheckedOptions, options: ConnectionOptions): Endpoint[] {
  const { way, clock, random, breaker, onEvent, connectTimeoutMs } = checked;
  const connection = { ...options, connectTimeoutMs };
  const endpointOf = (name: string, transport: Transport): Endpoint =>
    new Endpoint(
      name,
      transport,
      (region) =>
        new Breaker(clock, random, breaker, (state) => {
          if (onEvent !== undefined) tell(onEvent, { type: "breaker", endpoint: name, region, state });
        }),
    );
  if ("transport" in way) return [endpointOf(INJECTED, boundedTransport(way.transport, clock))];
  const signer = new RequestSigner(way.credentials, clock);
  return way.endpoints.map((name) => endpointOf(name, new HttpTransport(name, connection, signer, clock)));
}
