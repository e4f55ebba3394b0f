// What is kept of requests that policies refused, so that it can be asked later why. It must not know how it is asked.
import { type Explanation, explain } from "@fengni/kms-api";
import type { Account } from "./accounts.js";
import type { AccessDecision } from "./authorize.js";
import { RecentEntries } from "./recent.js";

/** A request that policies refused. */
export interface Denial {
  readonly requestId: string;
  /** ISO 8601. */
  readonly time: string;
  /** For example `Encrypt`. */
  readonly action: string;
  readonly account: Account;
  readonly decisions: readonly AccessDecision[];
}

/** Why a request was refused. */
export interface DenialExplanation {
  readonly requestId: string;
  readonly time: string;
  readonly action: string;
  readonly uin: string;
  readonly accountName: string;
  /** The names of the policies that the explanation counts as `policies[0]`, `policies[1]` and so on. */
  readonly policyNames: readonly string[];
  /** One for each key that was refused. */
  readonly explanations: readonly Explanation[];
}

/** How many refused requests are kept. */
const KEPT_DENIALS = 200;

/** The last requests that policies refused. */
export class Denials {
  readonly #recent = new RecentEntries<Denial>(KEPT_DENIALS);

  record(denial: Denial): void {
    this.#recent.add(denial);
  }

  /** The last ones, the oldest first. */
  recent(): readonly Denial[] {
    return this.#recent.last(KEPT_DENIALS);
  }

  /** Explains a refusal; undefined for a request that was not refused, or too long ago. */
  explain(requestId: string): DenialExplanation | undefined {
    const denial = this.#recent.findLast((candidate) => candidate.requestId === requestId);
    if (denial === undefined) return undefined;
    const { time, action, account, decisions } = denial;
    const explanations = decisions
      .filter(({ decision }) => decision !== "allow")
      .map(({ presented, context }) =>
        explain(account.policySet, {
          caller: account.caller,
          action: `kms:${action}`,
          resources: [presented],
          context,
        }),
      );
    const { uin, name, policyNames } = account;
    return { requestId, time, action, uin, accountName: name, policyNames, explanations };
  }
}
