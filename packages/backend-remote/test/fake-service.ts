// A service that a test plays: it answers requests from a table and remembers them. It must not check anything.
import type { ActionName } from "@fengni/kms-api";
import type { KmsRequester } from "../src/index.js";

export const KEY_ID = "23e80852-1e38-11e9-b129-5cb9019b4b01";
export const OTHER_KEY_ID = "99999999-1e38-11e9-b129-5cb9019b4b02";

/** A request that came. */
export interface FakeRequest {
  readonly action: ActionName;
  readonly params: Readonly<Record<string, unknown>>;
  readonly region: string | undefined;
}

type Answer = object | Error | ((params: Readonly<Record<string, unknown>>) => object | Promise<object>);

/** What a key is, as the service tells it. */
export function metadata(fields: object = {}): object {
  return {
    KeyId: KEY_ID,
    Alias: "sealer",
    CreateTime: 1_700_000_000,
    Description: "",
    KeyState: "Enabled",
    KeyUsage: "ENCRYPT_DECRYPT",
    Type: 2,
    KeyRotationEnabled: false,
    Owner: "user",
    NextRotateTime: 0,
    DeletionDate: 0,
    Origin: "TENCENT_KMS",
    ValidTo: 0,
    RotateDays: 0,
    LastRotateTime: 0,
    ...fields,
  };
}

/** A client that a test plays. */
export class FakeService implements KmsRequester {
  readonly requests: FakeRequest[] = [];
  answers: Partial<Record<ActionName, Answer>>;
  isClosed = false;

  constructor(answers: Partial<Record<ActionName, Answer>>) {
    this.answers = answers;
  }

  request: KmsRequester["request"] = async (action, params, options) => {
    options?.signal?.throwIfAborted();
    this.requests.push({ action, params: params as Readonly<Record<string, unknown>>, region: options?.region });
    const answer = this.answers[action];
    if (answer === undefined) throw new Error(`the test has no answer for ${action}`);
    if (answer instanceof Error) throw answer;
    const fields = typeof answer === "function" ? await answer(params as Readonly<Record<string, unknown>>) : answer;
    return { RequestId: "1", ...fields } as never;
  };

  async close(): Promise<void> {
    this.isClosed = true;
  }

  /** How many requests of an action came. */
  count(action: ActionName): number {
    return this.requests.filter((request) => request.action === action).length;
  }
}
