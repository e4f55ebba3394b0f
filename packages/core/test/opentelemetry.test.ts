// Events as OpenTelemetry sees them: through the real SDK, into exporters in memory.
import { AsyncLocalStorage } from "node:async_hooks";
import { Envelope, FengniError, rawAesKey } from "@fengni/core";
import { openTelemetryListener } from "@fengni/core/opentelemetry";
import { type Context, type ContextManager, context, metrics, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { afterEach, describe, expect, test } from "vitest";
import {
  emitter,
  type ProviderCallEvent,
  type TelemetryEvent,
  type TelemetryListener,
  telemetryNow,
  timedSince,
} from "../src/telemetry.js";
import { observedWrappingKey } from "../src/telemetry-keys.js";
import { bytesOf, testKey } from "./support.js";

/** One point of a counter or histogram. */
interface Point {
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly value: unknown;
}

interface Sdk {
  readonly tracerProvider: BasicTracerProvider;
  readonly meterProvider: MeterProvider;
  spans(): readonly ReadableSpan[];
  /** The points of each instrument, by name and unit; none without points. */
  points(): Promise<Readonly<Record<string, readonly Point[]>>>;
}

const opened: Sdk[] = [];

function sdk(): Sdk {
  const spanExporter = new InMemorySpanExporter();
  const metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spanExporter)] });
  const reader = new PeriodicExportingMetricReader({ exporter: metricExporter, exportIntervalMillis: 3_600_000 });
  const meterProvider = new MeterProvider({ readers: [reader] });
  const made: Sdk = {
    tracerProvider,
    meterProvider,
    spans: () => spanExporter.getFinishedSpans(),
    async points() {
      metricExporter.reset();
      await meterProvider.forceFlush();
      const read = metricExporter.getMetrics().flatMap((batch) => batch.scopeMetrics.flatMap((scope) => scope.metrics));
      return Object.fromEntries(
        read.map(({ descriptor, dataPoints }) => [
          `${descriptor.name} ${descriptor.unit}`,
          dataPoints.map(({ attributes, value }) => ({ attributes, value })),
        ]),
      );
    },
  };
  opened.push(made);
  return made;
}

afterEach(async () => {
  for (const { tracerProvider, meterProvider } of opened.splice(0)) {
    await tracerProvider.shutdown();
    await meterProvider.shutdown();
  }
  trace.disable();
  metrics.disable();
  context.disable();
});

const call = { type: "provider-call", operation: "unwrap-data-key", key: "orders" } as const;

/** What an event of a failed call looks like whose error said too much. */
const FAILED: ProviderCallEvent = {
  ...call,
  outcome: "failed",
  errorCode: "ERR_DENIED",
  retryable: false,
  ...timedSince(performance.now() - 12.5),
};

const millis = ([seconds, nanos]: readonly [number, number]): number => seconds * 1000 + nanos / 1e6;

describe("spans", () => {
  test("a failed call: client, as long as it took, status with the code and no text", () => {
    const { tracerProvider, meterProvider, spans } = sdk();
    openTelemetryListener({ tracerProvider, meterProvider })(FAILED);
    const [span, ...others] = spans();
    expect(others).toEqual([]);
    expect(span).toMatchObject({
      name: "fengni.unwrap-data-key",
      kind: 2,
      status: { code: 2, message: "ERR_DENIED" },
      instrumentationScope: { name: "@fengni/core" },
      attributes: {
        "fengni.operation": "unwrap-data-key",
        "fengni.outcome": "failed",
        "fengni.key.name": "orders",
        "fengni.error.code": "ERR_DENIED",
        "fengni.error.retryable": false,
      },
    });
    expect(Object.keys(span?.attributes ?? {})).toHaveLength(5);
    expect(span?.events).toEqual([]);
    const { startTime, endTime, duration } = span as ReadableSpan;
    const { durationMs } = FAILED;
    expect(millis(duration)).toBeCloseTo(durationMs, 2);
    expect(millis(endTime) - millis(startTime)).toBeCloseTo(durationMs, 2);
    // The SDK moves times to the clock of the machine: a day is more than any of them is off, and 1970 is further away.
    expect(Math.abs(millis(endTime) - FAILED.atMs)).toBeLessThan(86_400_000);
  });

  test("calls that did not fail have no status, and say their outcome", () => {
    const { tracerProvider, meterProvider, spans } = sdk();
    const listener = openTelemetryListener({ tracerProvider, meterProvider, keyNames: false });
    const outcomes = ["ok", "not-mine", "aborted"] as const;
    for (const outcome of outcomes) listener({ ...call, outcome, ...timedSince(performance.now()) });
    expect(spans().map(({ status }) => status)).toEqual([{ code: 0 }, { code: 0 }, { code: 0 }]);
    expect(spans().map(({ attributes }) => attributes)).toEqual(
      outcomes.map((outcome) => ({ "fengni.operation": "unwrap-data-key", "fengni.outcome": outcome })),
    );
  });

  test("only provider calls have spans", () => {
    const { tracerProvider, meterProvider, spans } = sdk();
    const listener = openTelemetryListener({ tracerProvider, meterProvider });
    listener({ type: "cache", cache: "sealing", what: "hit", atMs: telemetryNow() });
    listener({ type: "retry", action: "Decrypt", attempt: 1, delayMs: 5, errorCode: "ERR_TIMEOUT", atMs: 1 });
    expect(spans()).toEqual([]);
  });

  test("the parent is the span that is active where the message is sealed", async () => {
    context.setGlobalContextManager(new StorageContextManager());
    const { tracerProvider, meterProvider, spans } = sdk();
    const emit = emitter(openTelemetryListener({ tracerProvider, meterProvider }));
    if (emit === undefined) throw new Error("a listener has a seam");
    const envelope = new Envelope({ wrappingKeys: [observedWrappingKey(testKey(), emit)] });
    const parent = tracerProvider.getTracer("test").startSpan("request");
    await context.with(trace.setSpan(context.active(), parent), () => envelope.encrypt("text"));
    parent.end();
    const [child] = spans();
    expect(child?.name).toBe("fengni.generate-data-key");
    expect(child?.parentSpanContext?.spanId).toBe(parent.spanContext().spanId);
    expect(child?.spanContext().traceId).toBe(parent.spanContext().traceId);
  });
});

describe("metrics", () => {
  test("every event becomes its instrument, with stable names, units and attributes", async () => {
    const { tracerProvider, meterProvider, points } = sdk();
    const listener = openTelemetryListener({ tracerProvider, meterProvider });
    const at = { atMs: telemetryNow() };
    const message = { type: "message", operation: "encrypt", outcome: "ok", suiteId: 0x478, durationMs: 2000 } as const;
    const events: readonly TelemetryEvent[] = [
      { ...FAILED, durationMs: 40 },
      { ...FAILED, durationMs: 60 },
      { ...message, plaintextBytes: 100, frames: 1, ...at },
      { ...message, plaintextBytes: 70_000, frames: 2, ...at },
      {
        type: "message",
        operation: "decrypt",
        outcome: "failed",
        errorCode: "ERR_AUTHENTICATION",
        plaintextBytes: 0,
        frames: 0,
        durationMs: 1,
        ...at,
      },
      { type: "cache", cache: "opening", what: "hit", ...at },
      { type: "cache", cache: "opening", what: "hit", ...at },
      { type: "cache", cache: "sealing", what: "load-failed", reason: "ERR_DENIED", ...at },
      { type: "wrapping-incomplete", key: "escrow", errorCode: "ERR_UNAVAILABLE", ...at },
      { type: "key-health", key: "near", state: "demoted", errorCode: "ERR_TIMEOUT", ...at },
      { type: "key-health", key: "near", state: "restored", ...at },
      { type: "retry", action: "Decrypt", attempt: 1, delayMs: 5, errorCode: "ERR_THROTTLED", ...at },
    ];
    for (const event of events) listener(event);

    const sealed = { "fengni.operation": "encrypt", "fengni.outcome": "ok", "fengni.suite": "0x0478" };
    const failed = {
      "fengni.operation": "decrypt",
      "fengni.outcome": "failed",
      "fengni.error.code": "ERR_AUTHENTICATION",
    };
    const timed = (count: number, sum: number): unknown =>
      expect.objectContaining({ count, sum: expect.closeTo(sum, 9) });
    expect(await points()).toEqual({
      "fengni.provider_call.duration s": [
        {
          attributes: {
            "fengni.operation": "unwrap-data-key",
            "fengni.outcome": "failed",
            "fengni.key.name": "orders",
            "fengni.error.code": "ERR_DENIED",
          },
          value: timed(2, 0.1),
        },
      ],
      "fengni.message.duration s": [
        { attributes: sealed, value: timed(2, 4) },
        { attributes: failed, value: timed(1, 0.001) },
      ],
      "fengni.messages {message}": [
        { attributes: sealed, value: 2 },
        { attributes: failed, value: 1 },
      ],
      "fengni.message.plaintext By": [
        { attributes: sealed, value: 70_100 },
        { attributes: failed, value: 0 },
      ],
      "fengni.message.frames {frame}": [
        { attributes: sealed, value: 3 },
        { attributes: failed, value: 0 },
      ],
      "fengni.cache.events {event}": [
        { attributes: { "fengni.cache.name": "opening", "fengni.cache.event": "hit" }, value: 2 },
        {
          attributes: {
            "fengni.cache.name": "sealing",
            "fengni.cache.event": "load-failed",
            "fengni.cache.reason": "ERR_DENIED",
          },
          value: 1,
        },
      ],
      "fengni.wrapping.incomplete {key}": [
        { attributes: { "fengni.key.name": "escrow", "fengni.error.code": "ERR_UNAVAILABLE" }, value: 1 },
      ],
      "fengni.key.health_changes {change}": [
        {
          attributes: {
            "fengni.key.state": "demoted",
            "fengni.key.name": "near",
            "fengni.error.code": "ERR_TIMEOUT",
          },
          value: 1,
        },
        { attributes: { "fengni.key.state": "restored", "fengni.key.name": "near" }, value: 1 },
      ],
      "fengni.retries {request}": [
        { attributes: { "fengni.action": "Decrypt", "fengni.error.code": "ERR_THROTTLED" }, value: 1 },
      ],
    });
  });

  test("histograms tell work in process from work of services", async () => {
    const { tracerProvider, meterProvider, points } = sdk();
    const listener = openTelemetryListener({ tracerProvider, meterProvider });
    for (const durationMs of [0.2, 3, 30]) listener({ ...call, outcome: "ok", durationMs, atMs: telemetryNow() });
    const [point] = (await points())["fengni.provider_call.duration s"] ?? [];
    if (point === undefined) throw new Error("nothing was recorded");
    const { boundaries, counts } = (point.value as { buckets: { boundaries: number[]; counts: number[] } }).buckets;
    const used = counts.flatMap((count, i) => (count > 0 ? [boundaries[i]] : []));
    expect(used).toEqual([0.0005, 0.005, 0.05]);
  });

  test("without key names no span and no metric has one", async () => {
    const { tracerProvider, meterProvider, spans, points } = sdk();
    const listener = openTelemetryListener({ tracerProvider, meterProvider, keyNames: false });
    listener(FAILED);
    listener({ type: "wrapping-incomplete", key: "orders", errorCode: "ERR_DENIED", atMs: 1 });
    listener({ type: "key-health", key: "orders", state: "restored", atMs: 1 });
    const seen = JSON.stringify([spans().map(({ attributes }) => attributes), await points()]);
    expect(seen).toContain("ERR_DENIED");
    expect(seen).not.toContain("orders");
  });

  test("what docs/telemetry.md lists is what there is", async () => {
    const { readFileSync } = await import("node:fs");
    const page = readFileSync(new URL("../../../docs/telemetry.md", import.meta.url), "utf8");
    const source = readFileSync(new URL("../src/opentelemetry.ts", import.meta.url), "utf8");
    const named = (text: string, quote: string): string[] =>
      [...new Set([...text.matchAll(new RegExp(`${quote}(fengni\\.[a-z_.]+)${quote}`, "g"))].map(([, name]) => name))]
        .map(String)
        .sort();
    expect(named(source, '"').length).toBeGreaterThan(15);
    expect(named(page, "`")).toEqual(named(source, '"'));
  });
});

describe("providers", () => {
  test("default to the global ones, also when they are registered after the listener is made", async () => {
    const listener = openTelemetryListener();
    listener(FAILED);
    const { tracerProvider, meterProvider, spans, points } = sdk();
    trace.setGlobalTracerProvider(tracerProvider);
    metrics.setGlobalMeterProvider(meterProvider);
    listener(FAILED);
    listener(FAILED);
    expect(spans()).toHaveLength(2);
    expect((await points())["fengni.provider_call.duration s"]).toMatchObject([{ value: { count: 2 } }]);
  });

  test("nothing is registered: events go nowhere, and nothing fails", () => {
    expect(() => openTelemetryListener()(FAILED)).not.toThrow();
  });

  test("an SDK that throws does not reach the envelope", async () => {
    const { meterProvider } = sdk();
    const tracerProvider = {
      getTracer: () => ({
        startSpan(): never {
          throw new Error("exporter");
        },
        startActiveSpan(): never {
          throw new Error("exporter");
        },
      }),
    };
    const emit = emitter(openTelemetryListener({ tracerProvider, meterProvider }));
    if (emit === undefined) throw new Error("a listener has a seam");
    const envelope = new Envelope({ wrappingKeys: [observedWrappingKey(testKey(), emit)] });
    expect(await envelope.decryptText(await envelope.encrypt("text"))).toBe("text");
  });

  test("wrong options are refused", () => {
    const wrong: readonly object[] = [
      { tracer: 1 },
      { tracerProvider: {} },
      { meterProvider: {} },
      { keyNames: "yes" },
    ];
    for (const options of wrong) {
      const make = (): TelemetryListener => openTelemetryListener(options);
      expect(make).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
    }
  });
});

test("of an error's text nothing arrives, nor of what it was about", async () => {
  const { tracerProvider, meterProvider, spans, points } = sdk();
  const emit = emitter(openTelemetryListener({ tracerProvider, meterProvider }));
  if (emit === undefined) throw new Error("a listener has a seam");
  const secret = "context-value-5d21";
  const inner = rawAesKey({ namespace: "test", name: "inner", key: bytesOf(32) });
  const failing = observedWrappingKey(
    {
      ...inner,
      name: "failing",
      generateDataKey: async () => {
        throw new FengniError("ERR_DENIED", `denied for ${secret}`, { cause: new Error(secret) });
      },
    },
    emit,
  );
  const options = { encryptionContext: { tenant: secret } };
  await expect(new Envelope({ wrappingKeys: [failing] }).encrypt(secret, options)).rejects.toThrow(secret);
  const message = await new Envelope({ wrappingKeys: [observedWrappingKey(inner, emit)] }).encrypt(secret, options);
  expect(message.length).toBeGreaterThan(0);
  const seen = spans().map(({ name, attributes, status, events, links }) => ({
    name,
    attributes,
    status,
    events,
    links,
  }));
  expect(seen).toHaveLength(2);
  expect(JSON.stringify([seen, await points()])).not.toContain(secret);
});

/** Keeps the active context across awaits, as an SDK for Node does. */
class StorageContextManager implements ContextManager {
  readonly #storage = new AsyncLocalStorage<Context>();

  active(): Context {
    return this.#storage.getStore() ?? ROOT_CONTEXT;
  }

  with<Args extends unknown[], Work extends (...args: Args) => ReturnType<Work>>(
    active: Context,
    work: Work,
    self?: ThisParameterType<Work>,
    ...args: Args
  ): ReturnType<Work> {
    return this.#storage.run(active, () => work.apply(self, args));
  }

  bind<Target>(_active: Context, target: Target): Target {
    return target;
  }

  enable(): this {
    return this;
  }

  disable(): this {
    this.#storage.disable();
    return this;
  }
}
