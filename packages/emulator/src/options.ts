// What an emulator is started with: the options and their checks. It must not know how anything is built from them.
import { createSecureContext, type SecureContextOptions } from "node:tls";
import { type Clock, ManualClock, type RootKey } from "@fengni/backend-local";
import type { Policy, PolicyDocument } from "@fengni/kms-api";
import { EmulatorConfigurationError } from "./configuration-error.js";
import { isLoopback } from "./loopback.js";
import type { RateLimitOptions } from "./rate-limit.js";
import type { TlsOptions } from "./server.js";

/** How an emulator is started. All is optional: without any, it holds its keys in memory and makes one credential of its own. */
export interface EmulatorOptions {
  /** The address to listen on; default `127.0.0.1`. Another than loopback needs `credentials`. */
  readonly host?: string;
  /** 0 to 65,535; default 0, which takes a free one. */
  readonly port?: number;
  /** Speaks HTTPS with this certificate. */
  readonly tls?: TlsOptions;
  /** The default region: of requests that name none. Default: the first of `regions`. */
  readonly region?: string;
  /** The regions that are served; default {@link DEFAULT_REGIONS}. */
  readonly regions?: readonly string[];
  /** Those of them whose symmetric keys are of SM4; default none. */
  readonly smRegions?: readonly string[];
  /** The credentials document; see `readCredentialsFile`. Default: a root account with a credential that is made at start. */
  readonly credentials?: unknown;
  /** The policies that the credentials name: those of `readPolicyFolder`, or documents by name. */
  readonly policies?: ReadonlyMap<string, Policy> | Readonly<Record<string, PolicyDocument>>;
  /** Keeps keys in a sealed file, which is made when it is not there; default: in memory. */
  readonly data?: { readonly path: string; readonly rootKey: RootKey };
  /** The time of the service and of its keys; default: the system's. A `ManualClock` can be moved by tests. */
  readonly clock?: Clock;
  /** Appends each request to a file, as a line of JSON; default: the last 1,000 are kept in memory. */
  readonly audit?: { readonly path: string };
  /** Limits on calls a second, as the service has them, or others; default none. */
  readonly rateLimits?: boolean | RateLimitOptions;
  /** Refuses a signed request that is sent again; default false, as at the service. */
  readonly replayProtection?: boolean;
  /** Whether a signature must be for the service `kms`, as at the service; default false: the official Node client needs that. */
  readonly strictService?: boolean;
  /** Whether faults, and a clock that can be moved, are switched over HTTP; default false. */
  readonly admin?: boolean;
  /** Whether there is a console page; default true on loopback, false elsewhere. */
  readonly console?: boolean;
  /** Allows `admin` and `console` on an address that is not loopback; default false. */
  readonly allowRemoteAdministration?: boolean;
  /** Of the generator that draws the probabilities of faults, 0 to 2^32-1; default 1. */
  readonly faultSeed?: number;
  /** Longest body, in bytes; default 1 MiB. */
  readonly maxBodyBytes?: number;
  /** Most connections at once; default 1,024. */
  readonly maxConnections?: number;
  /** For a whole request to arrive; default 30,000. */
  readonly requestTimeoutMs?: number;
  /** For the headers of a request to arrive; default 10,000. */
  readonly headersTimeoutMs?: number;
  /** How long a connection stays open between requests; default 60,000. */
  readonly keepAliveTimeoutMs?: number;
  /** How long `close()` waits for requests that were accepted; default 10,000. */
  readonly closeTimeoutMs?: number;
}

/** The regions when none are named; the first is the default. */
export const DEFAULT_REGIONS: readonly string[] = [
  "ap-guangzhou",
  "ap-shanghai",
  "ap-beijing",
  "ap-chengdu",
  "ap-hongkong",
  "ap-singapore",
];
/** The address when none is named. */
export const DEFAULT_HOST = "127.0.0.1";
/** Longest body unless told otherwise. */
export const DEFAULT_MAX_BODY_BYTES: number = 1024 * 1024;
/** Most connections unless told otherwise. */
export const DEFAULT_MAX_CONNECTIONS = 1_024;

const NUMBER_NAMES = [
  "port",
  "faultSeed",
  "maxBodyBytes",
  "maxConnections",
  "requestTimeoutMs",
  "headersTimeoutMs",
  "keepAliveTimeoutMs",
  "closeTimeoutMs",
] as const;
const FLAG_NAMES = ["replayProtection", "strictService", "admin", "console", "allowRemoteAdministration"] as const;

type Numbers = { readonly [Name in (typeof NUMBER_NAMES)[number]]: number };
type Flags = { readonly [Name in (typeof FLAG_NAMES)[number]]: boolean };

const MAX_TIME_MS = 3_600_000;
const MIN_TIME_MS = 10;
/** Whole numbers: what they are unless told otherwise, and their bounds. */
const NUMBERS: Readonly<Record<keyof Numbers, { readonly standard: number; readonly bounds: [number, number] }>> = {
  port: { standard: 0, bounds: [0, 65_535] },
  faultSeed: { standard: 1, bounds: [0, 0xffff_ffff] },
  // The service takes 10 MB.
  maxBodyBytes: { standard: DEFAULT_MAX_BODY_BYTES, bounds: [1_024, 10 * 1024 * 1024] },
  maxConnections: { standard: DEFAULT_MAX_CONNECTIONS, bounds: [1, 100_000] },
  requestTimeoutMs: { standard: 30_000, bounds: [MIN_TIME_MS, MAX_TIME_MS] },
  headersTimeoutMs: { standard: 10_000, bounds: [MIN_TIME_MS, MAX_TIME_MS] },
  keepAliveTimeoutMs: { standard: 60_000, bounds: [MIN_TIME_MS, MAX_TIME_MS] },
  closeTimeoutMs: { standard: 10_000, bounds: [0, MAX_TIME_MS] },
};

/** Options that were checked, with their defaults filled in. */
export interface CheckedOptions extends Numbers, Flags {
  readonly host: string;
  readonly tls: TlsOptions | undefined;
  /** The default first. */
  readonly regions: readonly string[];
  readonly smRegions: ReadonlySet<string>;
  readonly credentials: unknown;
  readonly policies: EmulatorOptions["policies"];
  readonly data: EmulatorOptions["data"];
  readonly clock: Clock | undefined;
  readonly auditPath: string | undefined;
  readonly rateLimits: RateLimitOptions | undefined;
}

/**
 * Checks options.
 * @throws EmulatorConfigurationError that names the option
 */
export function checkOptions(options: EmulatorOptions): CheckedOptions {
  checkMembers("startEmulator", options, [
    ...["host", "tls", "region", "regions", "smRegions", "credentials", "policies", "data", "clock", "audit"],
    "rateLimits",
    ...FLAG_NAMES,
    ...NUMBER_NAMES,
  ]);
  const host = textOption("host", options.host ?? DEFAULT_HOST);
  const regions = regionsOf(options);
  const checked: CheckedOptions = {
    ...numbersOf(options),
    ...flagsOf(options, isLoopback(host)),
    host,
    tls: tlsOf(options.tls),
    regions,
    smRegions: smRegionsOf(options.smRegions ?? [], regions),
    credentials: options.credentials,
    policies: options.policies,
    data: dataOf(options.data),
    clock: clockOf(options.clock),
    auditPath: auditPathOf(options.audit),
    rateLimits: rateLimitsOf(options.rateLimits),
  };
  checkExposure(checked, isLoopback(host));
  return checked;
}

/** Deny by default: nothing listens to others than this machine unless it was given who may call, and may be administered. */
export function checkExposure(options: CheckedOptions, isLoopbackAddress: boolean): void {
  if (isLoopbackAddress) return;
  if (options.credentials === undefined) {
    throw fault(`host ${options.host} is not loopback: others may reach it, so give credentials`);
  }
  if ((options.admin || options.console) && !options.allowRemoteAdministration) {
    throw fault(
      `host ${options.host} is not loopback: admin and console are refused there without allowRemoteAdministration`,
    );
  }
}

function numbersOf(options: EmulatorOptions): Numbers {
  const numbers = NUMBER_NAMES.map((name) => {
    const {
      standard,
      bounds: [minimum, maximum],
    } = NUMBERS[name];
    const value = options[name] ?? standard;
    if (Number.isSafeInteger(value) && value >= minimum && value <= maximum) return [name, value];
    throw fault(`${name} expected a whole number from ${minimum} to ${maximum}`);
  });
  return Object.fromEntries(numbers) as Numbers;
}

function flagsOf(options: EmulatorOptions, isLoopbackHost: boolean): Flags {
  const flags = FLAG_NAMES.map((name) => {
    const value = options[name] ?? (name === "console" && isLoopbackHost);
    if (typeof value === "boolean") return [name, value];
    throw fault(`${name} expected true or false`);
  });
  return Object.fromEntries(flags) as Flags;
}

function regionsOf({ region, regions = DEFAULT_REGIONS }: EmulatorOptions): readonly string[] {
  if (!Array.isArray(regions) || regions.length === 0) throw fault("regions expected a list of at least one name");
  const names = regions.map((name) => regionName("regions", name));
  const again = names.find((name, index) => names.indexOf(name) !== index);
  if (again !== undefined) throw fault(`regions names ${again} twice`);
  if (region === undefined) return names;
  regionName("region", region);
  return [region, ...names.filter((name) => name !== region)];
}

function smRegionsOf(smRegions: readonly string[], regions: readonly string[]): ReadonlySet<string> {
  if (!Array.isArray(smRegions)) throw fault("smRegions expected a list");
  for (const name of smRegions) {
    if (!regions.includes(name)) throw fault(`smRegions expected names of regions: there are ${regions.join(", ")}`);
  }
  return new Set(smRegions);
}

/** The form that the service's regions have, by which one is found in the name of an endpoint. */
function regionName(option: string, name: unknown): string {
  if (typeof name === "string" && /^[a-z]{2,4}-[a-z0-9-]{2,30}$/.test(name)) return name;
  throw fault(`${option} expected names such as ap-guangzhou`);
}

function tlsOf(tls: TlsOptions | undefined): TlsOptions | undefined {
  if (tls === undefined) return undefined;
  checkMembers("tls", tls, ["cert", "key", "passphrase"]);
  textOption("tls.cert", tls.cert);
  textOption("tls.key", tls.key);
  if (tls.passphrase !== undefined) textOption("tls.passphrase", tls.passphrase);
  checkPem("tls.cert expected certificates in PEM", { cert: tls.cert });
  checkPem("tls.key expected a key in PEM, and tls.passphrase what opens it", { ...tls, cert: undefined });
  checkPem("tls.key expected the key of tls.cert", tls);
  return { ...tls };
}

function checkPem(expectation: string, parts: SecureContextOptions): void {
  try {
    createSecureContext(parts);
  } catch (error) {
    throw fault(`${expectation}: ${error instanceof Error ? error.message : "it cannot be read"}`);
  }
}

function dataOf(data: EmulatorOptions["data"]): EmulatorOptions["data"] {
  if (data === undefined) return undefined;
  checkMembers("data", data, ["path", "rootKey"]);
  textOption("data.path", data.path);
  if (typeof data.rootKey !== "object" || data.rootKey === null) throw fault("data.rootKey expected a root key");
  return { ...data };
}

function clockOf(clock: Clock | undefined): Clock | undefined {
  if (clock === undefined || clock instanceof ManualClock) return clock;
  if (typeof clock === "object" && clock !== null && typeof clock.now === "function") return clock;
  throw fault("clock expected an object with now()");
}

function auditPathOf(audit: EmulatorOptions["audit"]): string | undefined {
  if (audit === undefined) return undefined;
  checkMembers("audit", audit, ["path"]);
  return textOption("audit.path", audit.path);
}

function rateLimitsOf(rateLimits: EmulatorOptions["rateLimits"]): RateLimitOptions | undefined {
  if (rateLimits === undefined || rateLimits === false) return undefined;
  if (rateLimits === true) return {};
  checkMembers("rateLimits", rateLimits, ["cryptographicPerSecond", "otherPerSecond"]);
  for (const [name, value] of Object.entries(rateLimits)) {
    if (!Number.isSafeInteger(value) || value < 1) throw fault(`rateLimits.${name} expected a whole number, 1 or more`);
  }
  return { ...rateLimits };
}

function checkMembers(where: string, value: object, known: readonly string[]): void {
  if (typeof value !== "object" || value === null) throw fault(`${where} expected an object`);
  for (const name of Object.keys(value)) {
    if (!known.includes(name)) throw fault(`${where} does not know "${name}": it takes ${known.join(", ")}`);
  }
}

function textOption(name: string, value: unknown): string {
  if (typeof value === "string" && value !== "") return value;
  throw fault(`${name} expected a text`);
}

function fault(message: string): EmulatorConfigurationError {
  return new EmulatorConfigurationError(message);
}
