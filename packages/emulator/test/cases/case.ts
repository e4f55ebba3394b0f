// The shape of what the tests know of one action: a call that succeeds, and calls that are refused, by the code of the refusal.
import type { ActionName, RequestOf } from "@fengni/kms-api";
import type { Answer } from "../../src/call.js";
import type { TestGateway } from "../gateway-support.js";

type Awaitable<Value> = Value | Promise<Value>;

/** The calls of one action. */
export interface ActionCase<Name extends ActionName> {
  /** Makes what the call needs, and gives its request. */
  readonly request: (gateway: TestGateway) => Awaitable<RequestOf<Name>>;
  /** Looks at the answer. */
  readonly check: (answer: Answer<Name>, gateway: TestGateway, request: RequestOf<Name>) => Awaitable<void>;
  /** Requests that are refused, by the exact code. */
  readonly refused: Readonly<Record<string, (gateway: TestGateway) => Awaitable<object>>>;
}

/** The cases of a group of actions. */
export type ActionCases<Names extends ActionName> = { readonly [Name in Names]: ActionCase<Name> };
