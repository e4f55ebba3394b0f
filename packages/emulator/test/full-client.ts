// The official full client, where a script has installed it and says where (scripts/test-full-client.mjs): its typed methods. It is
// too large to be a dependency.
import { createRequire } from "node:module";
import { prepareOfficialClient } from "../../backend-remote/test/official-client.js";

/** The part of the full client's KMS module that is used: one method for each action that it has. */
type KmsMethods = Readonly<Record<string, (request: object) => Promise<object>>>;
type KmsClient = new (options: object) => KmsMethods;

/** The folder of the full client; undefined where there is none. */
export const FULL_CLIENT: string | undefined = process.env["FENGNI_FULL_CLIENT"];

/** Calls an action by the method of its name. */
export function callByFullClient(
  host: string,
  region: string,
  credential: { readonly secretId: string; readonly secretKey: string },
  action: string,
  request: object,
): Promise<object> {
  const full = createRequire(`${FULL_CLIENT ?? ""}/package.json`);
  prepareOfficialClient(full.resolve("tencentcloud-sdk-nodejs"));
  const { kms } = full("tencentcloud-sdk-nodejs/tencentcloud/services/kms") as {
    readonly kms: { readonly v20190118: { readonly Client: KmsClient } };
  };
  const profile = { httpProfile: { endpoint: host, protocol: "http://" } };
  const client = new kms.v20190118.Client({ credential, region, profile });
  const method = client[action];
  if (method === undefined) throw new Error(`the full client has no ${action}`);
  return method.call(client, request);
}
