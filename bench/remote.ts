// Signed GenerateDataKey calls over real HTTP against an emulator in a process of its own: our client and the official one, which
// does what its documentation says.
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { TencentKmsClient } from "@fengni/backend-remote";
import { CommonClient } from "tencentcloud-sdk-nodejs-common";
import type { Arm, Comparison } from "./harness.js";
import type { RemoteService } from "./remote-emulator.js";

const EMULATOR = fileURLToPath(new URL("./remote-emulator.ts", import.meta.url));
const OFFICIAL = "tencentcloud-sdk-nodejs-common CommonClient";
const CONCURRENCIES = [1, 8, 64];

type Call = (params: { readonly KeyId: string; readonly NumberOfBytes: number }) => Promise<object>;

async function startService(): Promise<RemoteService> {
  const child = fork(EMULATOR);
  const [service] = (await once(child, "message")) as [RemoteService];
  return service;
}

function ourClient({ endpoint, region, secretId, secretKey }: RemoteService): TencentKmsClient {
  return new TencentKmsClient({ endpoint, region, credentials: { secretId, secretKey } });
}

function officialClient({ endpoint, region, secretId, secretKey }: RemoteService): CommonClient {
  const { host } = new URL(endpoint);
  const httpProfile = { endpoint: host, protocol: "http://" };
  return new CommonClient(host, "2019-01-18", {
    credential: { secretId, secretKey },
    region,
    profile: { httpProfile },
  });
}

function armOf(callOf: (service: RemoteService) => Call, concurrency: number): Arm {
  return async () => {
    const service = await startService();
    const { KeyId } = await ourClient(service).createKey({ Alias: "bench" });
    if (KeyId === undefined) throw new Error("no key was made");
    const params = { KeyId, NumberOfBytes: 32 };
    const call = callOf(service);
    return async (count) => {
      let left = count;
      const work = async (): Promise<void> => {
        while (left > 0) {
          left -= 1;
          await call(params);
        }
      };
      await Promise.all(Array.from({ length: concurrency }, work));
    };
  };
}

function ours(service: RemoteService): Call {
  const kms = ourClient(service);
  return (params) => kms.generateDataKey(params);
}

function official(service: RemoteService): Call {
  const client = officialClient(service);
  return (params) => client.request("GenerateDataKey", params);
}

const nameOf = (client: string, concurrency: number): string => `${client}: GenerateDataKey, ${concurrency} at a time`;

/** Requests per second, at 1, 8 and 64 at a time. */
export const remote: Comparison = {
  rounds: 3,
  roundMs: 1_000,
  arms: Object.fromEntries(
    CONCURRENCIES.flatMap((concurrency) => [
      [nameOf("TencentKmsClient", concurrency), armOf(ours, concurrency)],
      [nameOf(OFFICIAL, concurrency), armOf(official, concurrency)],
    ]),
  ),
  lines: (line) =>
    CONCURRENCIES.flatMap((concurrency) => [
      line(nameOf(OFFICIAL, concurrency)),
      line(nameOf("TencentKmsClient", concurrency), nameOf(OFFICIAL, concurrency)),
    ]),
};
