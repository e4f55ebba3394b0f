// What the plain model says of the calls of the providers and of the secrets that they handed out, after every burst. It must not
// know messages.
import type { Judge } from "./envelope-model-judge.js";
import type { ProviderCall, WatchedProvider } from "./envelope-model-provider.js";
import type { Party, World } from "./envelope-model-world.js";

/** Marks messages whose data key never comes from the cache, in their context. */
export const ALONE_KEY = "alone";

/** A data key is wiped this long after its time at the latest, in milliseconds. */
const WIPED_LATE_MS = 1000;

export class BoundsJudge {
  readonly #world: World;
  readonly #judge: Judge;

  constructor(world: World, judge: Judge) {
    this.#world = world;
    this.#judge = judge;
  }

  /** @param encryptions - how often each party has begun to seal so far */
  check(encryptions: ReadonlyMap<Party, number>): void {
    for (const party of [this.#world.main, this.#world.other]) {
      this.#checkSealing(party, encryptions.get(party) ?? 0);
      this.#checkBranchKeys(party);
      this.#checkSecrets(party);
    }
    this.#checkWiped(this.#world.mover.providers.values(), "rewrapping");
  }

  /** After the end nothing is left of any secret. */
  checkAllWiped(): void {
    this.#checkWiped(this.#world.providers, "closing");
  }

  /** One load for each need: no two at once, none before the last one's time is over. */
  #checkSealing(party: Party, encryptions: number): void {
    if (party.keyring !== undefined) return;
    const calls = callsOf(party.providers.get(party.required), "generateDataKey");
    const stats = party.envelope.stats();
    if (stats === undefined) {
      if (calls.length !== encryptions) this.#judge.fault(`${calls.length} data keys for ${encryptions} messages`);
      return;
    }
    const cached = calls.filter(({ context }) => !context.includes(ALONE_KEY));
    const { loads, refreshes, evictions } = stats.sealing;
    if (cached.length !== loads + refreshes) {
      this.#judge.fault(`${cached.length} calls for ${loads} loads and ${refreshes} refreshes`);
    }
    const { maxMessages, maxBytes, maxAgeMs = 0, refreshAheadMs } = this.#world.configuration.cache ?? {};
    if (maxMessages !== undefined || maxBytes !== undefined) return;
    const aheadMs = refreshAheadMs ?? Math.floor(maxAgeMs / 10);
    const isCleared = this.#world.clearedInBurst >= 0 && party === this.#world.main;
    if (isCleared) return;
    this.#checkApart("data key", cached, 1, evictions.capacity > 0 ? 0 : maxAgeMs - aheadMs);
  }

  /** Branch keys are opened once per time-to-live: the active one, and a version that was asked for by name. */
  #checkBranchKeys({ keyring, providers, required }: Party): void {
    const { ttlMs } = this.#world.configuration;
    if (keyring === undefined || ttlMs === undefined) return;
    const calls = callsOf(providers.get(required), "decrypt");
    const { active, versions } = keyring.stats();
    const loads = active.loads + active.refreshes + versions.loads + versions.refreshes;
    if (calls.length !== loads) this.#judge.fault(`${calls.length} openings of branch keys for ${loads} loads`);
    if (this.#world.clearedInBurst >= 0) return;
    this.#checkApart("branch key", calls, 2, ttlMs - Math.floor(ttlMs / 10));
  }

  /** Of calls of one context at most so many at once, and so many begun within a time. */
  #checkApart(what: string, calls: readonly ProviderCall[], atOnce: number, apartMs: number): void {
    for (const context of new Set(calls.map((call) => call.context))) {
      const alike = calls.filter((call) => call.context === context);
      if (alike.some(({ alongside }) => alongside >= atOnce)) this.#judge.fault(`${what}: two flights for ${context}`);
      const begun = alike.flatMap((call) => (call.code === undefined ? [call.begun.atMs] : []));
      const isEarly = begun.some((atMs, i) => atMs < (begun[i - atOnce] ?? Number.NEGATIVE_INFINITY) + apartMs);
      if (isEarly) this.#judge.fault(`${what}: loaded before its time for ${context}, at ${begun.join()}`);
    }
  }

  /** Nothing is held but what the cache holds, and that not for longer than its time. */
  #checkSecrets({ envelope, providers }: Party): void {
    const stats = envelope.stats();
    const entries = stats === undefined ? 0 : stats.sealing.entries + stats.opening.entries;
    const held = [...providers.values()].flatMap(({ calls }) => calls.filter(isHeld));
    if (held.length > entries) this.#judge.fault(`${held.length} secrets held, ${entries} cached`);
    const { maxAgeMs = 0, graceMs = 0, maxEntries = Number.POSITIVE_INFINITY } = this.#world.configuration.cache ?? {};
    if (entries > 2 * maxEntries) this.#judge.fault(`${entries} entries, at most ${maxEntries} each`);
    const heldMs = maxAgeMs + graceMs + WIPED_LATE_MS + this.#world.jumpedMs;
    const isOver = ({ answered }: ProviderCall): boolean =>
      answered !== undefined && !this.#world.time.reachesBurst(answered.burst, heldMs);
    if (held.some(isOver)) this.#judge.fault("a secret held past its time");
  }

  #checkWiped(providers: Iterable<WatchedProvider>, when: string): void {
    const held = [...providers].flatMap(({ calls }) => calls.filter(isHeld));
    if (held.length > 0) this.#judge.fault(`${held.length} secrets not wiped after ${when}`);
  }
}

function callsOf(provider: WatchedProvider | undefined, operation: ProviderCall["operation"]): ProviderCall[] {
  return provider?.calls.filter((call) => call.operation === operation) ?? [];
}

function isHeld({ secret }: ProviderCall): boolean {
  return secret?.some((byte) => byte !== 0) === true;
}
