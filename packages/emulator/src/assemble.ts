// Builds an emulator out of its parts, and takes it down in order. It must not know what any part does inside.
import { randomUUID } from "node:crypto";
import { LocalKms, type LocalKmsOptions, openFileKeystore, systemClock } from "@fengni/backend-local";
import { bytesToHex } from "@fengni/crypto/bytes";
import { randomBytes } from "@fengni/crypto/random";
import { type Policy, ReplayWindow } from "@fengni/kms-api";
import { type Accounts, DEFAULT_OWNER_UIN, readAccounts, rootAccounts } from "./accounts.js";
import { adminRoutes } from "./admin.js";
import { AuditLog } from "./audit.js";
import { createAuthorizer } from "./authorize.js";
import { EmulatorConfigurationError } from "./configuration-error.js";
import { consoleRoutes } from "./console-routes.js";
import { Denials } from "./denials.js";
import { Faults } from "./faults.js";
import { parseNamedPolicy } from "./files.js";
import { Gateway, type GatewayOptions } from "./gateway.js";
import { healthRoutes } from "./health.js";
import type { LocalRoutes } from "./local-route.js";
import { isLoopback, loopbackHosts, reachableHost } from "./loopback.js";
import { type CheckedOptions, checkExposure, checkOptions, type EmulatorOptions } from "./options.js";
import { RateLimits } from "./rate-limit.js";
import { DateHeader } from "./respond.js";
import { isSameFile } from "./same-file.js";
import { HttpServer } from "./server.js";

/** A running emulator. */
export interface Emulator {
  /** For example `http://127.0.0.1:41234`. */
  readonly endpoint: string;
  readonly port: number;
  /** The default region. */
  readonly region: string;
  /** Of the root account; there when no `credentials` were given. */
  readonly secretId?: string;
  /** Of the root account; there when no `credentials` were given. */
  readonly secretKey?: string;
  /** For the header `x-fengni-admin-token`; there when `admin` is on. */
  readonly adminToken?: string;
  /** Where the console is; there when it is on. */
  readonly consoleUrl?: string;
  /** The KMS behind it, for tests that look or act from the inside, without signature and policies. */
  readonly kms: LocalKms;
  readonly audit: AuditLog;
  readonly faults: Faults;
  /** Takes no more requests, finishes those that were accepted, writes the audit log, wipes the keys. Idempotent. */
  close(): Promise<void>;
}

/** Carries actions out. */
export type Handle = GatewayOptions["handle"];

/** The parts that are there before anything listens. */
interface Parts {
  readonly options: CheckedOptions;
  readonly accounts: Accounts;
  readonly audit: AuditLog;
  readonly faults: Faults;
  readonly denials: Denials;
  readonly kms: LocalKms;
  readonly credential: { readonly secretId: string; readonly secretKey: string } | undefined;
  readonly adminToken: string | undefined;
}

/**
 * Starts an emulator.
 * @param handle - carries actions out
 * @throws as `startEmulator`
 */
export async function assembleEmulator(options: EmulatorOptions, handle: Handle): Promise<Emulator> {
  const checked = checkOptions(options);
  const { accounts, credential } = accountsOf(checked);
  const audit = await openAudit(checked);
  let kms: LocalKms | undefined;
  try {
    kms = await openKms(checked, accounts.ownerUin);
    return await listen(
      {
        options: checked,
        accounts,
        audit,
        faults: new Faults(checked.faultSeed),
        denials: new Denials(),
        kms,
        credential,
        adminToken: checked.admin ? bytesToHex(randomBytes(32)) : undefined,
      },
      handle,
    );
  } catch (error) {
    await kms?.close();
    await audit.close();
    throw error;
  }
}

async function openAudit({ auditPath, data }: CheckedOptions): Promise<AuditLog> {
  if (auditPath === undefined) return new AuditLog();
  if (data !== undefined && (await isSameFile(auditPath, data.path))) {
    throw new EmulatorConfigurationError(`audit.path ${auditPath} is the file of data: give the log a file of its own`);
  }
  return AuditLog.open(auditPath);
}

function accountsOf({ credentials, policies }: CheckedOptions): Pick<Parts, "accounts" | "credential"> {
  const parsed = policiesOf(policies);
  if (credentials !== undefined) return { accounts: readAccounts(credentials, parsed), credential: undefined };
  if (parsed.size > 0) {
    throw new EmulatorConfigurationError("policies expected credentials beside them: nobody would be bound by them");
  }
  const credential = { secretId: `AKID${bytesToHex(randomBytes(16))}`, secretKey: bytesToHex(randomBytes(20)) };
  return { accounts: rootAccounts(credential.secretId, credential.secretKey, DEFAULT_OWNER_UIN), credential };
}

function policiesOf(policies: EmulatorOptions["policies"] = new Map()): ReadonlyMap<string, Policy> {
  if (policies instanceof Map) return policies;
  if (typeof policies !== "object" || policies === null || Array.isArray(policies)) {
    throw new EmulatorConfigurationError("policies expected a map, or an object of documents");
  }
  const documents = Object.entries(policies as Readonly<Record<string, unknown>>);
  return new Map(documents.map(([name, document]) => [name, parseNamedPolicy(`policies.${name}`, document)]));
}

async function openKms({ regions, smRegions, clock, data }: CheckedOptions, ownerUin: string): Promise<LocalKms> {
  const shared: LocalKmsOptions = {
    regions: regions.map((name) => ({ name, symmetric: smRegions.has(name) ? "sm4" : "aes" })),
    clock: clock ?? systemClock,
    authorizer: createAuthorizer(ownerUin),
  };
  if (data === undefined) return new LocalKms(shared);
  return openFileKeystore(data.path, { ...shared, rootKey: data.rootKey, create: true });
}

async function listen(parts: Parts, handle: Handle): Promise<Emulator> {
  const { options, audit, faults, kms, credential, adminToken } = parts;
  const clock = options.clock ?? systemClock;
  const now = (): number => clock.now() + 1000 * faults.skewSeconds;
  const hosts: { allowed: ReadonlySet<string> | undefined } = { allowed: new Set() };
  const server: HttpServer = new HttpServer({
    ...options,
    gateway: gatewayOf(parts, handle, now),
    faults,
    routes: routesOf(
      parts,
      () => server.isClosing,
      () => hosts.allowed,
    ),
    date: new DateHeader(now),
  });
  const address = await server.listen(options.host, options.port);
  const { port } = address;
  const stop = once(async () => {
    await server.close(options.closeTimeoutMs, () => kms.close());
    await audit.close();
  });
  try {
    // A name may stand for another address than it says.
    checkExposure(options, isLoopback(address.address));
  } catch (error) {
    await stop();
    throw error;
  }
  // Where others may reach the console too, it has other names.
  hosts.allowed = isLoopback(address.address) ? loopbackHosts(address, options.tls !== undefined) : undefined;
  const endpoint = `${options.tls === undefined ? "http" : "https"}://${reachableHost(options.host)}:${port}`;
  return {
    endpoint,
    port,
    region: options.regions[0] as string,
    ...credential,
    ...(adminToken === undefined ? {} : { adminToken }),
    ...(options.console ? { consoleUrl: `${endpoint}/_fengni/console` } : {}),
    kms,
    audit,
    faults,
    close: stop,
  };
}

function gatewayOf(parts: Parts, handle: Handle, now: () => number): Gateway {
  const { options, accounts, audit, denials, kms } = parts;
  return new Gateway({
    kms,
    accounts,
    regions: options.regions,
    smRegions: options.smRegions,
    audit,
    denials,
    rateLimits: options.rateLimits === undefined ? undefined : new RateLimits(options.rateLimits),
    replay: options.replayProtection ? new ReplayWindow() : undefined,
    service: options.strictService ? "kms" : "*",
    handle,
    now,
    createRequestId: randomUUID,
  });
}

function routesOf(
  { options, audit, denials, faults, kms, adminToken }: Parts,
  isClosing: () => boolean,
  hosts: () => ReadonlySet<string> | undefined,
): LocalRoutes {
  const { regions } = options;
  const clock = options.clock ?? systemClock;
  return new Map([
    ...healthRoutes({ regions, hasFailed: () => audit.hasFailed, isClosing }),
    ...(adminToken === undefined ? [] : adminRoutes({ token: adminToken, faults, clock })),
    ...(options.console ? consoleRoutes({ kms, audit, denials, regions, hosts }) : []),
  ]);
}

function once(work: () => Promise<void>): () => Promise<void> {
  let started: Promise<void> | undefined;
  return () => {
    started ??= work();
    return started;
  };
}
