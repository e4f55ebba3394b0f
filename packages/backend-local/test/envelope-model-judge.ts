// What the plain model says of the outcome of each call: which messages open, which must not, with which errors, and what a sealed
// message may consist of. It must not know how calls are made.
import {
  AggregateUnwrapError,
  BRANCH_KEY_PROVIDER_ID,
  BRANCH_KEY_VERSION_BYTES,
  type EncryptedDataKey,
  type EncryptionContext,
  inspect,
  isFengniError,
  KEY_COOL_OFF_MS,
} from "@fengni/core";
import type { Moment } from "./envelope-model-history.js";
import { hex } from "./envelope-model-provider.js";
import type { DecryptAction, EncryptAction, KeyName, RewrapAction } from "./envelope-model-steps.js";
import type { ModelKey, Party, Standing, World } from "./envelope-model-world.js";

/** A message, and what was put into it. */
export interface ModelMessage {
  readonly bytes: Uint8Array;
  readonly plaintext: Uint8Array;
  readonly tenant: number;
  readonly stored: EncryptionContext;
  readonly unstored: EncryptionContext;
  /** Its encrypted data keys, by the key that made them. */
  readonly wrapped: ReadonlyMap<KeyName, EncryptedDataKey>;
}

/** What a call came to. */
export type Outcome<Value> = { readonly value: Value } | { readonly error: unknown };

/** While the provider is out of reach it is asked once a second: so long ago an outage may be for a use in grace. */
const GRACE_RETRY_MS = 1000;
const DEFAULT_REFUSAL_MS = 1000;
/** Where the version stands in a ciphertext of a local KMS (docs/local-kms.md, "Ciphertext"). */
const KEY_VERSION_AT = 43;

/** The bounds within which a party may be behind. */
export interface Staleness {
  /** Of what the envelope's cache holds, in milliseconds. */
  readonly cachedMs: number;
  /** Of branch keys, in milliseconds. */
  readonly branchMs: number;
  /** How long the envelope's cache may repeat a refusal without asking, in milliseconds. */
  readonly refusalMs: number;
  /** How long branch keys may, in milliseconds. */
  readonly branchRefusalMs: number;
}

const FRESH: Staleness = { cachedMs: 0, branchMs: 0, refusalMs: 0, branchRefusalMs: 0 };

export class Judge {
  readonly faults: string[] = [];
  readonly #world: World;
  /** Per data key of the sealing envelopes, by its encrypted forms: what it has sealed. */
  readonly #used = new Map<string, { messages: number; bytes: number }>();
  /** Per encrypted data key: in which bursts rewraps may have opened it, which goes past the caches. */
  readonly #rewrapped = new Map<string, Set<number>>();
  /** Encrypted data keys that stand in headers with others: who opens one of these messages has not opened the other. */
  readonly #healed = new Set<string>();

  constructor(world: World) {
    this.#world = world;
  }

  fault(what: string): void {
    this.faults.push(`burst ${this.#world.time.burst}: ${what}`);
  }

  /** @param isClosing - the envelopes are being closed at the same time */
  encrypted(
    party: Party,
    action: Pick<EncryptAction, "tenant" | "length">,
    outcome: Outcome<Uint8Array>,
    isAlone: boolean,
    isClosing = false,
  ): ReadonlyMap<KeyName, EncryptedDataKey> | undefined {
    const required = this.#world.key(party.required);
    const staleness = this.#staleness(party, party.hasCache && !isAlone, [required]);
    if ("error" in outcome) {
      this.#refused("encrypt", outcome.error, [required], staleness, isClosing ? ["ERR_CLOSED"] : []);
      return undefined;
    }
    const wrapped = this.#wrapped(outcome.value);
    this.#wrappers("sealed", party, wrapped, staleness, action.tenant);
    this.#count(party, action.length, wrapped, isAlone);
    const made = party.keyring === undefined ? wrapped.get(party.required) : undefined;
    if (made !== undefined) {
      const answers = party.providers.get(party.required)?.answers("generateDataKey", made.ciphertext);
      this.#mayServe("sealed", party, answers?.at(-1), staleness);
    }
    return wrapped;
  }

  prewarmed(party: Party, outcome: Outcome<unknown>): void {
    if (!("error" in outcome)) {
      if (!party.hasCache) this.fault("prewarmed without a cache");
      return;
    }
    if (!party.hasCache) {
      this.#refused("prewarm", outcome.error, [], FRESH, ["ERR_NOT_SUPPORTED"]);
      return;
    }
    const required = this.#world.key(party.required);
    this.#refused("prewarm", outcome.error, [required], this.#staleness(party, true, [required]));
  }

  decrypted(
    party: Party,
    action: Pick<DecryptAction, "context">,
    message: ModelMessage,
    outcome: Outcome<Uint8Array>,
    isClosing = false,
  ): void {
    const extra = isClosing ? ["ERR_CLOSED"] : [];
    const permitted = this.#permitted(party, message);
    if (action.context === "wrong") {
      const isReproduced = Object.keys(message.unstored).length > 0;
      this.#mustFail("another context", outcome, [
        ...(isReproduced
          ? ["ERR_UNWRAP_FAILED", "ERR_NO_MATCHING_KEY", "ERR_AUTHENTICATION"]
          : ["ERR_CONTEXT_MISMATCH"]),
        ...extra,
      ]);
      return;
    }
    if (permitted.length === 0) {
      this.#mustFail("no permitted key", outcome, ["ERR_NO_MATCHING_KEY", ...extra]);
      return;
    }
    const staleness = this.#staleness(party, party.hasCache, permitted);
    const openings = this.#openings(party, message, permitted);
    if ("error" in outcome) {
      this.#refused("decrypt", outcome.error, permitted, staleness, extra);
      if (!isClosing && this.#isStillCached(party, message, openings)) {
        this.fault("a data key within its age did not serve");
      }
      return;
    }
    if (hex(outcome.value) !== hex(message.plaintext)) this.fault("opened to another plaintext");
    const isAllowed = permitted.some((key) => this.#within(party, key, staleness).includes("usable"));
    if (!isAllowed) this.fault(`opened without a usable key: ${this.#standings(permitted, staleness)}`);
    if (party.keyring !== undefined && message.wrapped.has("required")) return;
    this.#mayServe("opened", party, openings.at(-1), staleness);
  }

  /** Judges what a data key may still be used for, by when it was made or opened. */
  #mayServe(what: string, party: Party, answered: Moment | undefined, { cachedMs }: Staleness): void {
    const { time, main, clearedInBurst } = this.#world;
    if (answered === undefined || !time.reachesBurst(answered.burst, cachedMs)) {
      this.fault(`${what} with a data key past its age`);
    } else if (party === main && answered.burst < clearedInBurst && clearedInBurst < time.burst) {
      this.fault(`${what} with a data key of before the cache was cleared`);
    }
  }

  rewrapped(
    party: Party,
    action: RewrapAction,
    message: ModelMessage,
    outcome: Outcome<Uint8Array>,
  ): ReadonlyMap<KeyName, EncryptedDataKey> | undefined {
    const permitted = this.#permitted(party, message);
    if (permitted.length === 0) {
      this.#mustFail("no permitted key for a rewrap", outcome, ["ERR_NO_MATCHING_KEY"]);
      return undefined;
    }
    if (party.hasCache) this.#readPastCaches(message);
    const isHeal = action.how === "heal";
    const isSigned = inspect(message.bytes).suite.signed;
    const required = this.#world.key(party.required);
    const staleness = this.#staleness(party, false, permitted);
    if ("error" in outcome) {
      const mayNot = isHeal && (party.keyring !== undefined || isSigned) ? ["ERR_NOT_SUPPORTED"] : [];
      this.#refused("rewrap", outcome.error, permitted, staleness, mayNot, [required]);
      return undefined;
    }
    const wrapped = this.#wrapped(outcome.value);
    if (!permitted.some((key) => this.#within(party, key, staleness).includes("usable"))) {
      this.fault("rewrapped without a usable key");
    }
    if (!isHeal) {
      this.#wrappers("rewrapped", party, wrapped, staleness, message.tenant);
      return wrapped;
    }
    for (const [name, { ciphertext }] of message.wrapped) {
      const kept = wrapped.get(name);
      if (kept === undefined || hex(kept.ciphertext) !== hex(ciphertext)) this.fault("healing changed what was there");
    }
    for (const name of wrapped.keys()) {
      if (message.wrapped.has(name)) continue;
      const isUsable = this.#world.key(name).standing.within(0).includes("usable");
      if (!party.optional.includes(name) || !isUsable) this.fault(`healing added the key ${name}`);
      for (const ciphertext of ciphertextsOf(message)) this.#healed.add(ciphertext);
    }
    return wrapped;
  }

  #readPastCaches(message: ModelMessage): void {
    for (const ciphertext of ciphertextsOf(message)) {
      const bursts = this.#rewrapped.get(ciphertext) ?? new Set();
      this.#rewrapped.set(ciphertext, bursts.add(this.#world.time.burst));
    }
  }

  /** Counts what a data key has sealed. A message over the limit of bytes has a data key of its own. */
  #count(party: Party, length: number, wrapped: ReadonlyMap<KeyName, EncryptedDataKey>, isAlone: boolean): void {
    const { maxMessages = Number.POSITIVE_INFINITY, maxBytes = Number.POSITIVE_INFINITY } =
      this.#world.configuration.cache ?? {};
    const name = [...wrapped.values()].map(({ ciphertext }) => hex(ciphertext)).join();
    const use = this.#used.get(name) ?? { messages: 0, bytes: 0 };
    use.messages += 1;
    use.bytes += length;
    this.#used.set(name, use);
    const most = party.hasCache && !isAlone ? maxMessages : 1;
    if (use.messages > most) this.fault(`a data key sealed ${use.messages} messages of at most ${most}`);
    if (!isAlone && use.bytes > maxBytes) this.fault(`a data key sealed ${use.bytes} bytes of at most ${maxBytes}`);
  }

  /** Judges which keys wrapped, and by which of their versions. */
  #wrappers(
    what: string,
    party: Party,
    wrapped: ReadonlyMap<KeyName, EncryptedDataKey>,
    staleness: Staleness,
    tenant: number,
  ): void {
    if (!wrapped.has(party.required)) this.fault(`${what} without the required key`);
    for (const [name, { providerId, providerInfo, ciphertext }] of wrapped) {
      const key = this.#world.key(name);
      if (name !== party.required && !party.optional.includes(name)) this.fault(`${what} for the key ${name}`);
      if (!this.#within(party, key, staleness).includes("usable"))
        this.fault(`${what} with ${name}, which is not usable`);
      const back = this.#back(party, key, staleness);
      if (providerId === BRANCH_KEY_PROVIDER_ID) {
        const version = hex(providerInfo.subarray(-BRANCH_KEY_VERSION_BYTES));
        if (!this.#world.branchVersions[tenant]?.within(...back).includes(version)) {
          this.fault(`${what} with a version of the branch key that was replaced`);
        }
        continue;
      }
      const version = new DataView(ciphertext.buffer, ciphertext.byteOffset).getUint32(KEY_VERSION_AT);
      if (!key.version.within(...back).includes(version)) this.fault(`${what} with version ${version} of ${name}`);
    }
    const { graceMs = 0 } = this.#world.configuration.cache ?? {};
    const longest = staleness.cachedMs === 0 ? 0 : staleness.cachedMs + graceMs;
    for (const name of party.optional) {
      const { standing } = this.#world.key(name);
      const isLeftOut = this.#isLeftOut(party, name, longest);
      const isUsable = standing.within(longest).every((state) => state === "usable");
      if (isUsable && !isLeftOut && !wrapped.has(name))
        this.fault(`${what} without the optional key, which was usable`);
    }
  }

  /** One that could not be reached in sealing is left out for a while, without being asked: what opens says nothing of it. */
  #isLeftOut(party: Party, name: KeyName, backMs: number): boolean {
    const calls = party.providers.get(name)?.calls ?? [];
    return calls.some(
      ({ operation, code, answered }) =>
        operation !== "decrypt" &&
        code === "ERR_UNAVAILABLE" &&
        answered !== undefined &&
        this.#world.time.reachesBurst(answered.burst, backMs, KEY_COOL_OFF_MS),
    );
  }

  /** A call that failed: it may have, and for the reasons that there were. */
  #refused(
    what: string,
    error: unknown,
    anyOf: readonly ModelKey[],
    { refusalMs, branchRefusalMs }: Staleness,
    extra: readonly string[] = [],
    allOf: readonly ModelKey[] = [],
  ): void {
    const code = isFengniError(error) ? error.code : undefined;
    if (code !== undefined && extra.includes(code)) return;
    const statesOf = (key: ModelKey): readonly Standing[] => key.standing.within(refusalMs, branchRefusalMs);
    const isUp = (key: ModelKey): boolean => statesOf(key).every((state) => state === "usable");
    if ((anyOf.length === 0 || anyOf.some(isUp)) && allOf.every(isUp)) {
      this.fault(`${what} failed although it must not: ${String(error)}`);
      return;
    }
    const states: readonly (string | undefined)[] = [...anyOf, ...allOf].flatMap(statesOf);
    for (const leaf of codesOf(error)) {
      if (leaf === "usable" || !states.includes(leaf)) {
        this.fault(`${what} failed with ${leaf}, of ${states.join()}: ${String(error)}`);
      }
    }
  }

  #mustFail(what: string, outcome: Outcome<unknown>, codes: readonly string[]): void {
    if (!("error" in outcome)) this.fault(`${what}: it opened`);
    else if (!isFengniError(outcome.error) || !codes.includes(outcome.error.code)) {
      this.fault(`${what}: failed with ${String(outcome.error)}`);
    }
  }

  #permitted(party: Party, message: ModelMessage): readonly ModelKey[] {
    return party.opening.filter((name) => message.wrapped.has(name)).map((name) => this.#world.key(name));
  }

  /** How far a party may be behind at the moment. Grace counts only when each of the keys was out of reach of late. */
  #staleness(party: Party, isCached: boolean, keys: readonly ModelKey[]): Staleness {
    const { ttlMs = 0, cache } = this.#world.configuration;
    const branchMs = party.keyring === undefined ? 0 : ttlMs;
    const branchRefusalMs = this.#branchRefusalMs(party);
    if (!isCached || cache === undefined) return { ...FRESH, branchMs, branchRefusalMs };
    const { maxAgeMs, graceMs = 0, refusalMs = DEFAULT_REFUSAL_MS } = cache;
    const isOut = keys.every((key) => key.standing.within(GRACE_RETRY_MS).includes("ERR_UNAVAILABLE"));
    return { cachedMs: maxAgeMs + (isOut ? graceMs : 0), branchMs, refusalMs, branchRefusalMs };
  }

  #branchRefusalMs(party: Party): number {
    return party.keyring === undefined ? 0 : (this.#world.configuration.cache?.refusalMs ?? DEFAULT_REFUSAL_MS);
  }

  /** How long the cache holds what a key did, and before that the keyring what it did with. */
  #back({ keyring }: Party, { name }: ModelKey, { cachedMs, branchMs }: Staleness): readonly [number, number] {
    return [cachedMs, keyring !== undefined && name === "required" ? branchMs : 0];
  }

  #within(party: Party, key: ModelKey, staleness: Staleness): readonly Standing[] {
    return key.standing.within(...this.#back(party, key, staleness));
  }

  #standings(keys: readonly ModelKey[], { cachedMs }: Staleness): string {
    return keys.map((key) => `${key.name} ${key.standing.within(cachedMs).join("|")}`).join(", ");
  }

  /** When one of a message's encrypted data keys was opened, the last time last. */
  #openings(party: Party, message: ModelMessage, permitted: readonly ModelKey[]): readonly Moment[] {
    const moments = permitted.flatMap(({ name }) => {
      const ciphertext = message.wrapped.get(name)?.ciphertext;
      return (ciphertext && party.providers.get(name)?.answers("decrypt", ciphertext)) ?? [];
    });
    // By bursts: several may have passed in one millisecond.
    return moments.sort((a, b) => a.burst - b.burst);
  }

  /** Whether the cache must hold what was opened last through it: nothing drove it out. */
  #isStillCached(party: Party, message: ModelMessage, openings: readonly Moment[]): boolean {
    const { maxAgeMs = 0 } = this.#world.configuration.cache ?? {};
    const ciphertexts = ciphertextsOf(message);
    if (ciphertexts.some((ciphertext) => this.#healed.has(ciphertext))) return false;
    if (!party.hasCache || party.envelope.stats()?.opening.evictions.capacity !== 0) return false;
    const isPast = ({ burst }: Moment): boolean =>
      ciphertexts.some((ciphertext) => this.#rewrapped.get(ciphertext)?.has(burst));
    const opened = openings.findLast((moment) => !isPast(moment));
    if (opened === undefined || opened.burst === this.#world.time.burst) return false;
    return this.#world.clearedInBurst < opened.burst && this.#world.time.nowMs() < opened.atMs + maxAgeMs;
  }

  #wrapped(message: Uint8Array): ReadonlyMap<KeyName, EncryptedDataKey> {
    const wrapped = new Map<KeyName, EncryptedDataKey>();
    for (const encryptedDataKey of inspect(message).encryptedDataKeys) {
      const { providerId, providerInfo } = encryptedDataKey;
      const key = [...this.#world.keys.values()].find((known) =>
        providerId === BRANCH_KEY_PROVIDER_ID ? known.name === "required" : known.providerId === providerId,
      );
      if (key === undefined || wrapped.has(key.name)) this.fault(`an encrypted data key of ${providerId}`);
      else wrapped.set(key.name, encryptedDataKey);
      if (providerId !== BRANCH_KEY_PROVIDER_ID && Buffer.from(providerInfo).toString() !== key?.keyId) {
        this.fault("an encrypted data key that names another key");
      }
    }
    return wrapped;
  }
}

/** A message's encrypted data keys, in hexadecimal digits. */
function ciphertextsOf({ wrapped }: ModelMessage): readonly string[] {
  return [...wrapped.values()].map(({ ciphertext }) => hex(ciphertext));
}

/** Codes of what the keys answered. */
function codesOf(error: unknown): readonly (string | undefined)[] {
  if (error instanceof AggregateUnwrapError) return error.attempts.flatMap((attempt) => codesOf(attempt.error));
  return [isFengniError(error) ? error.code : undefined];
}
