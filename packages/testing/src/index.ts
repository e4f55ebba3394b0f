// The whole public surface of testing.

export { ConformanceFailure } from "./assert.js";
export {
  type Fault,
  type FaultRule,
  type FaultyOptions,
  type FaultyProvider,
  faultyProvider,
  type InjectedFault,
} from "./faulty-provider.js";
export {
  CONFORMANCE_AREAS,
  type ConformanceOptions,
  type ConformanceSettings,
  conformance,
  type RunConformanceOptions,
  runConformance,
} from "./harness.js";
export { type InMemoryDouble, type InMemoryOptions, inMemoryProvider } from "./in-memory-provider.js";
export type { InMemoryClock } from "./in-memory-store.js";
export { type AreaReport, type CheckResult, type CheckStatus, type ConformanceReport, formatReport } from "./report.js";
export type { ConformanceFactory, ConformanceFaults, ConformanceKeys, ConformanceSubject, KeyPair } from "./subject.js";
