// Telemetry events as OpenTelemetry spans and metrics: the subpath `@fengni/core/opentelemetry`, so that nobody else
// needs that package. It must pass on no text of an error.
import {
  type Attributes,
  type Counter,
  type Histogram,
  type MeterProvider,
  metrics,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  type TracerProvider,
  trace,
} from "@opentelemetry/api";
import { argumentError } from "./errors.js";
import { checkOptions } from "./options.js";
import { formatSuiteId } from "./suites.js";
import type {
  CacheTelemetryEvent,
  MessageTelemetryEvent,
  ProviderCallEvent,
  TelemetryEvent,
  TelemetryListener,
} from "./telemetry.js";

/** Where spans and metrics go. */
export interface OpenTelemetryOptions {
  /** Default: the global one of `@opentelemetry/api`, also one that is registered later. */
  readonly tracerProvider?: TracerProvider;
  /** Default: the global one of `@opentelemetry/api`, also one that is registered later. */
  readonly meterProvider?: MeterProvider;
  /** Whether spans and metrics name wrapping keys (`fengni.key.name`); default true. */
  readonly keyNames?: boolean;
}

/** Name of the tracer and of the meter. */
const SCOPE = "@fengni/core";
/** Bounds of histograms, in seconds: from work in process to a service that is retried. */
const PROVIDER_SECONDS: readonly number[] = [
  0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];
const MESSAGE_SECONDS: readonly number[] = [0.00001, 0.00005, ...PROVIDER_SECONDS, 30, 60];

/**
 * A telemetry listener that makes spans of provider calls, and counts and times everything (docs/telemetry.md lists the
 * names). A span's parent is the context that is active when its event is made.
 * @throws TypeError (`ERR_ARGUMENT`) for options that cannot be
 */
export function openTelemetryListener(options: OpenTelemetryOptions = {}): TelemetryListener {
  checkOptions("openTelemetryListener", options, ["tracerProvider", "meterProvider", "keyNames"]);
  const { tracerProvider, meterProvider, keyNames = true } = options;
  if (tracerProvider !== undefined && typeof tracerProvider.getTracer !== "function") {
    throw argumentError("tracerProvider expected an OpenTelemetry TracerProvider");
  }
  if (meterProvider !== undefined && typeof meterProvider.getMeter !== "function") {
    throw argumentError("meterProvider expected an OpenTelemetry MeterProvider");
  }
  if (typeof keyNames !== "boolean") throw argumentError("keyNames expected true or false");
  // The api's global tracers pass on to a provider that is registered later; its meters do not.
  const tracer = (tracerProvider ?? trace).getTracer(SCOPE);
  let provider: MeterProvider | undefined;
  let instruments: Instruments | undefined;
  return (event) => {
    const current = meterProvider ?? metrics.getMeterProvider();
    if (instruments === undefined || current !== provider) {
      instruments = new Instruments(current);
      provider = current;
    }
    instruments.record(event, keyNames);
    if (event.type === "provider-call") traceCall(tracer, event, keyNames);
  };
}

function traceCall(tracer: Tracer, event: ProviderCallEvent, keyNames: boolean): void {
  // As a time of the process's steady clock, which an SDK sets right when the machine's clock was moved meanwhile.
  const end = event.atMs - performance.timeOrigin;
  const attributes = callAttributes(event, keyNames);
  if (event.retryable !== undefined) attributes["fengni.error.retryable"] = event.retryable;
  const span = tracer.startSpan(`fengni.${event.operation}`, {
    kind: SpanKind.CLIENT,
    startTime: end - event.durationMs,
    attributes,
  });
  if (event.errorCode !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: event.errorCode });
  span.end(end);
}

/** The instruments of one meter. */
class Instruments {
  readonly #callDuration: Histogram;
  readonly #messageDuration: Histogram;
  readonly #messages: Counter;
  readonly #plaintext: Counter;
  readonly #frames: Counter;
  readonly #cacheEvents: Counter;
  readonly #incomplete: Counter;
  readonly #keyHealth: Counter;
  readonly #retries: Counter;

  constructor(provider: MeterProvider) {
    const meter = provider.getMeter(SCOPE);
    const seconds = (name: string, description: string, bounds: readonly number[]): Histogram =>
      meter.createHistogram(name, { description, unit: "s", advice: { explicitBucketBoundaries: [...bounds] } });
    const counter = (name: string, description: string, unit: string): Counter =>
      meter.createCounter(name, { description, unit });
    this.#callDuration = seconds(
      "fengni.provider_call.duration",
      "How long wrapping keys take to answer",
      PROVIDER_SECONDS,
    );
    this.#messageDuration = seconds("fengni.message.duration", "How long messages take", MESSAGE_SECONDS);
    this.#messages = counter("fengni.messages", "Messages that are done, failed or given up", "{message}");
    this.#plaintext = counter("fengni.message.plaintext", "Plaintext taken or released", "By");
    this.#frames = counter("fengni.message.frames", "Frames sealed or opened", "{frame}");
    this.#cacheEvents = counter("fengni.cache.events", "What happened in caches of keys", "{event}");
    this.#incomplete = counter("fengni.wrapping.incomplete", "Wrapping keys that did not wrap a data key", "{key}");
    this.#keyHealth = counter("fengni.key.health_changes", "Wrapping keys demoted or restored", "{change}");
    this.#retries = counter("fengni.retries", "Requests that were sent again", "{request}");
  }

  record(event: TelemetryEvent, keyNames: boolean): void {
    switch (event.type) {
      case "provider-call":
        this.#callDuration.record(event.durationMs / 1000, callAttributes(event, keyNames));
        break;
      case "message":
        this.#message(event);
        break;
      case "cache":
        this.#cacheEvents.add(1, cacheAttributes(event));
        break;
      case "wrapping-incomplete":
        this.#incomplete.add(1, { ...keyAttributes(event, keyNames), ...errorAttributes(event) });
        break;
      case "key-health": {
        const state = { "fengni.key.state": event.state };
        this.#keyHealth.add(1, { ...state, ...keyAttributes(event, keyNames), ...errorAttributes(event) });
        break;
      }
      case "retry":
        this.#retries.add(1, { "fengni.action": event.action, ...errorAttributes(event) });
        break;
    }
  }

  #message(event: MessageTelemetryEvent): void {
    const { operation, outcome, suiteId } = event;
    const attributes: Attributes = { "fengni.operation": operation, "fengni.outcome": outcome };
    if (suiteId !== undefined) attributes["fengni.suite"] = formatSuiteId(suiteId);
    Object.assign(attributes, errorAttributes(event));
    this.#messages.add(1, attributes);
    this.#messageDuration.record(event.durationMs / 1000, attributes);
    this.#plaintext.add(event.plaintextBytes, attributes);
    this.#frames.add(event.frames, attributes);
  }
}

function callAttributes(event: ProviderCallEvent, keyNames: boolean): Attributes {
  const { operation, outcome } = event;
  const what = { "fengni.operation": operation, "fengni.outcome": outcome };
  return { ...what, ...keyAttributes(event, keyNames), ...errorAttributes(event) };
}

function cacheAttributes({ cache, what, reason }: CacheTelemetryEvent): Attributes {
  const attributes = { "fengni.cache.name": cache, "fengni.cache.event": what };
  return reason === undefined ? attributes : { ...attributes, "fengni.cache.reason": reason };
}

function keyAttributes({ key }: { readonly key: string }, keyNames: boolean): Attributes {
  return keyNames ? { "fengni.key.name": key } : {};
}

function errorAttributes({ errorCode }: { readonly errorCode?: string }): Attributes {
  return errorCode === undefined ? {} : { "fengni.error.code": errorCode };
}
