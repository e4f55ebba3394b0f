// Loads the official base client. Vitest starts its processes with the condition "import", under which a dependency of that client,
// loaded by `require`, gets an ES module where it expects a function; so it is given the other form first.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { CommonClient } from "tencentcloud-sdk-nodejs-common";

const ours = createRequire(import.meta.url);

/** Gives a client that was resolved from somewhere the form of its dependency that it expects. */
export function prepareOfficialClient(client: string): void {
  const jsons = createRequire(createRequire(client).resolve("json-bigint"));
  const resolved = jsons.resolve("bignumber.js");
  const wanted = join(dirname(resolved), "bignumber.js");
  if (resolved === wanted) return;
  jsons(wanted);
  ours.cache[resolved] = ours.cache[wanted];
}

prepareOfficialClient(ours.resolve("tencentcloud-sdk-nodejs-common"));
const { CommonClient: Client } = ours("tencentcloud-sdk-nodejs-common") as {
  readonly CommonClient: typeof CommonClient;
};

/** The official base client, pointed at a server on this machine. */
export function officialClient(
  host: string,
  region: string,
  credential: { readonly secretId: string; readonly secretKey: string; readonly token?: string },
): CommonClient {
  const profile = { httpProfile: { endpoint: host, protocol: "http://" } };
  return new Client(host, "2019-01-18", { credential, region, profile });
}
