// What the tests of the handlers share: a gateway without sockets, over a local KMS whose clock they move, called by signed requests.
import { LocalKms as Kms, type LocalKms, ManualClock } from "@fengni/backend-local";
import { type ActionName, API_VERSION, createSigner, type Policy, parsePolicy, type RequestOf } from "@fengni/kms-api";
import { type AccountSecret, readAccounts } from "../src/accounts.js";
import { type AuditEntry, AuditLog } from "../src/audit.js";
import { createAuthorizer } from "../src/authorize.js";
import type { Answer } from "../src/call.js";
import { Denials } from "../src/denials.js";
import { Gateway } from "../src/gateway.js";
import { handle } from "../src/handlers/index.js";

export const REGION = "ap-guangzhou";
export const OTHER_REGION = "ap-shanghai";
export const SM_REGION = "ap-chengdu";
export const OWNER_UIN = "100000000001";
/** A well-formed id that nothing has. */
export const UNKNOWN_ID = "01234567-89ab-4cde-8f01-23456789abcd";
export const DAY_MS: number = 24 * 60 * 60 * 1000;
const START_MS = 1_800_000_000_000;
const SECRET_KEY = "a-secret-that-is-no-secret";

/** Who may call in the tests: the root account, one with no policies, and one with those that a test gives. */
type TestUser = "root" | "nobody" | "limited";

const UINS: Readonly<Record<TestUser, string>> = { root: OWNER_UIN, nobody: "100000000002", limited: "100000000003" };

/** How a call differs from one of the root account in the default region. */
export interface CallAs {
  readonly as?: TestUser;
  readonly region?: string;
}

/** What the service answers to a refused call. */
export interface Refusal {
  readonly Code: string;
  readonly Message: string;
}

/** A gateway, and short ways to call it. */
export class TestGateway {
  readonly clock: ManualClock = new ManualClock(START_MS);
  readonly audit: AuditLog = new AuditLog();
  readonly kms: LocalKms;
  readonly #gateway: Gateway;
  readonly #secrets: ReadonlyMap<string, AccountSecret>;
  #aliases = 0;

  /** @param statements - what the account `limited` may do */
  constructor(statements: readonly object[] = []) {
    const policies = new Map<string, Policy>();
    if (statements.length > 0) policies.set("given", parsePolicy({ version: "2.0", statement: statements }));
    const users = (Object.keys(UINS) as TestUser[]).map((name) => ({
      uin: UINS[name],
      name,
      policies: name === "limited" ? [...policies.keys()] : [],
      keys: [{ secretId: `secret-id-${name}`, secretKey: SECRET_KEY }],
    }));
    const accounts = readAccounts({ ownerUin: OWNER_UIN, users }, policies);
    this.#secrets = accounts.secrets;
    this.kms = new Kms({
      clock: this.clock,
      regions: [{ name: REGION }, { name: OTHER_REGION }, { name: SM_REGION, symmetric: "sm4" }],
      authorizer: createAuthorizer(OWNER_UIN),
    });
    this.#gateway = new Gateway({
      kms: this.kms,
      accounts,
      regions: this.kms.regions,
      smRegions: new Set([SM_REGION]),
      audit: this.audit,
      denials: new Denials(),
      rateLimits: undefined,
      replay: undefined,
      service: "kms",
      handle,
      now: () => this.clock.now(),
      createRequestId: () => crypto.randomUUID(),
    });
  }

  /** The `Response` of a call, whatever it is. */
  async send(action: string, request: object, { as = "root", region = REGION }: CallAs = {}): Promise<object> {
    const secret = this.#secrets.get(`secret-id-${as}`);
    if (secret === undefined) throw new Error(`no secret of ${as}`);
    const body = new TextEncoder().encode(JSON.stringify(request));
    const headers = { "content-type": "application/json", host: "kms.tencentcloudapi.com" };
    const signed = createSigner({ secretId: secret.secretId, secretKey: secret.secretKey }).sign({
      method: "POST",
      headers,
      payload: body,
      timestampSeconds: Math.floor(this.clock.now() / 1000),
    });
    const answer = await this.#gateway.answer({
      method: "POST",
      path: "/",
      query: "",
      headers: {
        ...headers,
        authorization: signed.Authorization,
        "x-tc-timestamp": signed["X-TC-Timestamp"],
        "x-tc-action": action,
        "x-tc-version": API_VERSION,
        "x-tc-region": region,
      },
      body,
      ip: "127.0.0.1",
    });
    return (JSON.parse(answer.body) as { Response: object }).Response;
  }

  /** What a call answers; it must succeed. */
  async call<Name extends ActionName>(action: Name, request: RequestOf<Name>, as: CallAs = {}): Promise<Answer<Name>> {
    const response = await this.send(action, request, as);
    const { Error: refusal } = response as { Error?: Refusal };
    if (refusal !== undefined) throw new Error(`${action}: ${refusal.Code}: ${refusal.Message}`);
    return response as Answer<Name>;
  }

  /** How a call is refused; its code is `none` when it is not. */
  async refusal(action: string, request: object, as: CallAs = {}): Promise<Refusal> {
    const response = await this.send(action, request, as);
    return (response as { Error?: Refusal }).Error ?? { Code: "none", Message: "" };
  }

  /** What the audit log says of the last call. */
  lastEntry(): AuditEntry {
    const entry = this.audit.recent().at(-1);
    if (entry === undefined) throw new Error("nothing was recorded");
    return entry;
  }

  /** An alias that was not used before. */
  alias(): string {
    return `alias-${++this.#aliases}`;
  }

  /** The id of a new key. */
  async key(parameters: Partial<RequestOf<"CreateKey">> = {}, as: CallAs = {}): Promise<string> {
    const { KeyId = "" } = await this.call("CreateKey", { Alias: this.alias(), ...parameters }, as);
    return KeyId;
  }

  /** The id of a new key that is disabled. */
  async disabledKey(parameters: Partial<RequestOf<"CreateKey">> = {}): Promise<string> {
    const KeyId = await this.key(parameters);
    await this.call("DisableKey", { KeyId });
    return KeyId;
  }

  /** The id of a new key that is archived. */
  async archivedKey(): Promise<string> {
    const KeyId = await this.key();
    await this.call("ArchiveKey", { KeyId });
    return KeyId;
  }

  /** The id of a new key that is to be deleted. */
  async dyingKey(): Promise<string> {
    const KeyId = await this.disabledKey();
    await this.call("ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    return KeyId;
  }

  /** The id of a new key that a product owns. */
  async productKey(): Promise<string> {
    const { keyId } = await this.kms.createKey({ alias: `kms-${this.alias()}`, owner: "cos" }, { region: REGION });
    return keyId;
  }

  /** The id of a new hosted data key, and of the key that wraps it. */
  async dataKey(): Promise<{ readonly DataKeyId: string; readonly KeyId: string }> {
    const KeyId = await this.key();
    const { DataKeyId = "" } = await this.call("GenerateDataKey", {
      KeyId,
      NumberOfBytes: 32,
      IsHostedByKms: 1,
      DataKeyName: this.alias(),
    });
    return { DataKeyId, KeyId };
  }

  /** The id of a new hosted data key that is disabled. */
  async disabledDataKey(): Promise<string> {
    const { DataKeyId } = await this.dataKey();
    await this.call("DisableDataKey", { DataKeyId });
    return DataKeyId;
  }

  /** The id of a new white-box key. */
  async whiteBoxKey(): Promise<string> {
    const { KeyId = "" } = await this.call("CreateWhiteBoxKey", { Alias: this.alias(), Algorithm: "AES_256" });
    return KeyId;
  }

  /** The id of a new white-box key that is disabled. */
  async disabledWhiteBoxKey(): Promise<string> {
    const KeyId = await this.whiteBoxKey();
    await this.call("DisableWhiteBoxKey", { KeyId });
    return KeyId;
  }
}

/** Text as base64 of its UTF-8. */
export function base64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}

/** The text whose base64 this is. */
export function text(base64Text: string | undefined): string {
  return Buffer.from(base64Text ?? "", "base64").toString("utf8");
}

/** Base64 with one bit of its last byte flipped. */
export function flipped(base64Text: string | undefined): string {
  const bytes = Buffer.from(base64Text ?? "", "base64");
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  return bytes.toString("base64");
}
