// The endpoints of a client, in the caller's order, each with its transport and a breaker for every region. It must not know when a
// request is sent again.
import type { Breaker, BreakerPass, BreakerState } from "./breaker.js";
import { MAX_REGIONS, RecentMap } from "./recent-map.js";
import type { Transport } from "./transport.js";

/** The states of breakers: by the endpoint, then by the region. */
export type BreakerStates = Readonly<Record<string, Readonly<Record<string, BreakerState>>>>;

/** One endpoint. Behind it every region is a service of its own, which fails on its own. */
export class Endpoint {
  /** For example `https://kms.tencentcloudapi.com`. */
  readonly name: string;
  readonly transport: Transport;
  readonly #makeBreaker: (region: string) => Breaker;
  readonly #breakers = new RecentMap<Breaker>(MAX_REGIONS);

  constructor(name: string, transport: Transport, makeBreaker: (region: string) => Breaker) {
    this.name = name;
    this.transport = transport;
    this.#makeBreaker = makeBreaker;
  }

  /** The breaker of a region. */
  breakerOf(region: string): Breaker {
    return this.#breakers.get(region, () => this.#makeBreaker(region));
  }

  /** The states of the breakers, of the regions that were called lately. */
  states(): Readonly<Record<string, BreakerState>> {
    return Object.fromEntries([...this.#breakers.entries()].map(([region, { state }]) => [region, state]));
  }
}

/** The endpoint of an attempt, and the breaker that let it through. */
export interface Choice {
  readonly endpoint: Endpoint;
  readonly breaker: Breaker;
  readonly pass: BreakerPass;
}

/** A list of endpoints, at least one. */
export class Endpoints {
  readonly #list: readonly Endpoint[];

  constructor(list: readonly Endpoint[]) {
    this.#list = list;
  }

  /**
   * Chooses the endpoint of an attempt: the first that lets it through and has not failed this call, else the first that lets it
   * through.
   * @param failed - those that could not be reached in this call
   * @returns undefined when all are left alone
   */
  choose(region: string, failed: ReadonlySet<Endpoint>): Choice | undefined {
    return this.#enter(region, failed, false) ?? (failed.size > 0 ? this.#enter(region, failed, true) : undefined);
  }

  /** Whether there is one that has not failed this call and would let it through now. */
  hasOther(region: string, failed: ReadonlySet<Endpoint>): boolean {
    return this.#list.some((endpoint) => !failed.has(endpoint) && endpoint.breakerOf(region).wouldEnter());
  }

  /** The names, in order. */
  names(): string[] {
    return this.#list.map(({ name }) => name);
  }

  /** The state of every breaker. */
  states(): BreakerStates {
    return Object.fromEntries(this.#list.map((endpoint) => [endpoint.name, endpoint.states()]));
  }

  /** Closes every transport. */
  async close(): Promise<void> {
    await Promise.all(this.#list.map(({ transport }) => transport.close()));
  }

  #enter(region: string, failed: ReadonlySet<Endpoint>, isAgain: boolean): Choice | undefined {
    for (const endpoint of this.#list) {
      if (failed.has(endpoint) !== isAgain) continue;
      const breaker = endpoint.breakerOf(region);
      const pass = breaker.enter();
      if (pass !== undefined) return { endpoint, breaker, pass };
    }
    return undefined;
  }
}
