// The surroundings of the model test: a local KMS with three keys whose standing is known, branch keys, and the envelopes that use
// them, each through watched providers of its own. It must not know what may be expected of them.
import { LocalKeyAdmin, LocalKms } from "@fengni/backend-local";
import {
  type BranchKeyAdmin,
  type BranchKeyRecords,
  BranchKeyring,
  branchKeyStore,
  Envelope,
  type EnvelopeOptions,
  type ErrorCode,
  memoryBranchKeyRecords,
  providerKey,
  type WrappingKey,
} from "@fengni/core";
import { Timeline, Track } from "./envelope-model-history.js";
import { hex, type Reach, WatchedProvider } from "./envelope-model-provider.js";
import { type ChangeAction, type Configuration, KEY_NAMES, type KeyName, TENANTS } from "./envelope-model-steps.js";

/** Whether a key answers; the code of its refusal when it does not. */
export type Standing = "usable" | ErrorCode;

/** A key of the KMS, and what the model knows of it. */
export interface ModelKey {
  readonly name: KeyName;
  readonly keyId: string;
  readonly providerId: string;
  readonly reach: Reach;
  readonly standing: Track<Standing>;
  readonly version: Track<number>;
  state: "enabled" | "disabled" | "pending-deletion" | "gone";
  deletionAtMs: number;
}

/** An envelope, and what it is made of. */
export interface Party {
  readonly envelope: Envelope;
  readonly hasCache: boolean;
  readonly keyring: BranchKeyring | undefined;
  readonly providers: ReadonlyMap<KeyName, WatchedProvider>;
  readonly required: KeyName;
  readonly optional: readonly KeyName[];
  /** Keys that open, those that wrap among them. */
  readonly opening: readonly KeyName[];
}

/** How time is made to pass, by milliseconds: `performance.now` tells it. */
export interface MovableClock {
  /** Timers that are due run. */
  advance(ms: number): void;
  /** No timer runs. */
  jump(ms: number): void;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const KEY_DEADLINE_MS = 600_000;
/** The KMS's time is the test's, from here on, in milliseconds since the Unix epoch. */
const BEGINNING_MS = 1_700_000_000_000;

export class World {
  readonly time = new Timeline();
  readonly configuration: Configuration;
  readonly keys: ReadonlyMap<KeyName, ModelKey>;
  readonly main: Party;
  readonly other: Party;
  /** Opens what the main envelope's keys open, and wraps with the other key. */
  readonly mover: Party;
  /** Per tenant: the version that seals, as hexadecimal digits. */
  readonly branchVersions: readonly Track<string>[];
  /** When the caches were emptied last. */
  clearedInBurst = -1;
  /** By how much timers may be late, in milliseconds. */
  jumpedMs = 0;
  readonly #clock: MovableClock;
  readonly #kms: LocalKms;
  readonly #admin: LocalKeyAdmin;
  readonly #records: BranchKeyRecords = memoryBranchKeyRecords();
  readonly #branchKeys: BranchKeyAdmin;
  readonly #branchProvider: WatchedProvider;
  #turn = 0;

  private constructor(configuration: Configuration, clock: MovableClock, kms: LocalKms, keyIds: readonly string[]) {
    this.#clock = clock;
    this.configuration = configuration;
    this.#kms = kms;
    this.#admin = new LocalKeyAdmin(kms);
    const keys = KEY_NAMES.map((name, index): ModelKey => {
      return {
        name,
        keyId: keyIds[index] as string,
        providerId: `model-${name}`,
        reach: { isDown: false },
        standing: new Track<Standing>(this.time, "usable"),
        version: new Track(this.time, 1),
        state: "enabled",
        deletionAtMs: Number.POSITIVE_INFINITY,
      };
    });
    this.keys = new Map(keys.map((key) => [key.name, key]));
    this.#branchProvider = this.#provider("required");
    const wrappingKey = providerKey(this.#branchProvider, this.key("required").keyId);
    this.#branchKeys = branchKeyStore({ wrappingKey, records: this.#records });
    const { suite, hasOptional, cache } = configuration;
    const cached = cache === undefined ? {} : { cache };
    const optional: readonly KeyName[] = hasOptional ? ["optional"] : [];
    this.main = this.#party({ required: "required", optional, opening: [], options: { suite, ...cached } });
    this.other = this.#party({ required: "other", optional: [], opening: [], options: { suite, ...cached } });
    this.mover = this.#party({
      required: "other",
      optional: [],
      opening: ["required", ...optional],
      options: { suite },
    });
    this.branchVersions = Array.from({ length: TENANTS }, () => new Track(this.time, ""));
  }

  static async make(configuration: Configuration, clock: MovableClock): Promise<World> {
    const kms = new LocalKms({ clock: { now: () => BEGINNING_MS + Math.floor(performance.now()) } });
    const keyIds: string[] = [];
    for (const _ of KEY_NAMES) keyIds.push((await kms.createKey({})).keyId);
    const world = new World(configuration, clock, kms, keyIds);
    if (configuration.ttlMs === undefined) return world;
    for (const [tenant, versions] of world.branchVersions.entries()) {
      versions.set(hex((await world.#branchKeys.create(tenantName(tenant))).version));
    }
    world.time.begin();
    return world;
  }

  get parties(): readonly Party[] {
    return [this.main, this.other, this.mover];
  }

  /** Every provider, that of the branch keys' store among them. */
  get providers(): readonly WatchedProvider[] {
    return [...this.parties.flatMap((party) => [...party.providers.values()]), this.#branchProvider];
  }

  key(name: KeyName): ModelKey {
    return this.keys.get(name) as ModelKey;
  }

  /** Makes a change, if the model says that it can be made. */
  async change(action: ChangeAction): Promise<void> {
    if ("key" in action) await this.#changeKey(action.do, this.key(action.key));
    else if (action.do === "clear") this.#clear();
    else if (action.do === "rotateBranch") await this.#rotateBranch(action.tenant);
    else this.#move(action.do, action.ms);
  }

  /** Makes every key usable that is still there. */
  async restore(): Promise<void> {
    for (const key of this.keys.values()) {
      if (key.reach.isDown) await this.#changeKey("reach", key);
      if (key.state === "pending-deletion") await this.#changeKey("cancel", key);
      if (key.state === "disabled") await this.#changeKey("toggle", key);
    }
  }

  async close(): Promise<void> {
    await this.#kms.close();
  }

  #move(how: "advance" | "jump", ms: number): void {
    this.#clock[how](ms);
    if (how === "jump") this.jumpedMs += ms;
    for (const key of this.keys.values()) {
      if (key.state !== "pending-deletion" || Math.floor(this.time.nowMs()) < key.deletionAtMs) continue;
      key.state = "gone";
      this.#note(key);
    }
  }

  #clear(): void {
    this.clearedInBurst = this.time.burst;
    this.main.envelope.clearCache();
    this.main.keyring?.clear();
  }

  async #rotateBranch(tenant: number): Promise<void> {
    if (this.configuration.ttlMs === undefined || this.key("required").standing.current !== "usable") return;
    const { version } = await this.#branchKeys.rotate(tenantName(tenant));
    this.branchVersions[tenant]?.set(hex(version));
  }

  async #changeKey(change: "rotate" | "toggle" | "schedule" | "cancel" | "reach", key: ModelKey): Promise<void> {
    const { keyId, state } = key;
    if (change === "reach") key.reach.isDown = !key.reach.isDown;
    else if (change === "rotate") {
      if (state !== "enabled") return;
      await this.#admin.rotateKey(keyId);
      key.version.set(key.version.current + 1);
    } else if (change === "toggle" && state === "enabled") {
      await this.#admin.disableKey(keyId);
      key.state = "disabled";
    } else if (change === "toggle" && state === "disabled") {
      await this.#admin.enableKey(keyId);
      key.state = "enabled";
    } else if (change === "schedule" && state === "disabled") {
      const { deletionAtMs } = await this.#admin.scheduleKeyDeletion(keyId, 7);
      key.state = "pending-deletion";
      key.deletionAtMs = deletionAtMs - BEGINNING_MS;
    } else if (change === "cancel" && state === "pending-deletion") {
      await this.#admin.cancelKeyDeletion(keyId);
      key.state = "disabled";
    }
    this.#note(key);
  }

  #note(key: ModelKey): void {
    const refusals = {
      enabled: "usable",
      disabled: "ERR_KEY_STATE",
      "pending-deletion": "ERR_KEY_STATE",
      gone: "ERR_KEY_NOT_FOUND",
    } as const;
    key.standing.set(key.reach.isDown ? "ERR_UNAVAILABLE" : refusals[key.state]);
  }

  #party(parts: {
    readonly required: KeyName;
    readonly optional: readonly KeyName[];
    readonly opening: readonly KeyName[];
    readonly options: Omit<EnvelopeOptions, "wrappingKeys">;
  }): Party {
    const { required, optional } = parts;
    const opening = [required, ...optional, ...parts.opening];
    const providers = new Map(opening.map((name) => [name, this.#provider(name)]));
    let keyring: BranchKeyring | undefined;
    const keyOf = (name: KeyName): WrappingKey => {
      const key = providerKey(providers.get(name) as WatchedProvider, this.key(name).keyId);
      const { ttlMs, cache } = this.configuration;
      if (name !== "required" || ttlMs === undefined) return key;
      const refusals = cache?.refusalMs === undefined ? {} : { refusalMs: cache.refusalMs };
      keyring = new BranchKeyring({
        store: branchKeyStore({ wrappingKey: key, records: this.#records }),
        branchKeyIdFor: (context) => context["tenant"] ?? "",
        ttlMs,
        ...refusals,
      });
      return keyring;
    };
    const envelope = new Envelope({
      wrappingKeys: [keyOf(required)],
      optionalWrappingKeys: optional.map(keyOf),
      unwrappingKeys: parts.opening.map(keyOf),
      keyDeadlineMs: KEY_DEADLINE_MS,
      ...parts.options,
    });
    return { envelope, hasCache: "cache" in parts.options, keyring, providers, required, optional, opening };
  }

  #provider(name: KeyName): WatchedProvider {
    const { providerId, reach } = this.key(name);
    return new WatchedProvider(this.#kms, providerId, { time: this.time, reach, latency: () => this.#latency() });
  }

  /** 0 to 3, as if by chance, and the same for the same run. */
  #latency(): number {
    this.#turn += 1;
    return (Math.imul(this.#turn + this.configuration.latencySeed, 0x9e3779b1) >>> 13) & 3;
  }
}

export function tenantName(tenant: number): string {
  return `tenant ${tenant}`;
}

/** Milliseconds of so many days. */
export function daysMs(days: number): number {
  return days * DAY_MS;
}
