// The conformance kit once more, with an official client as the transport. It has no clock to move: that client does not correct its
// own by the service's.
import { conformance } from "@fengni/testing";
import { test } from "vitest";
import { officialClientTransport, TencentKeyAdmin, TencentKeyProvider, TencentKmsClient } from "../src/index.js";
import { createKeys, startBench } from "./emulator-support.js";
import { officialClient } from "./official-client.js";

conformance({
  test,
  name: "TencentKeyProvider over an official client",
  uniqueDataKeys: 500,
  factory: async () => {
    const bench = await startBench();
    const { emulator } = bench;
    const { region, secretId = "", secretKey = "" } = emulator;
    const connect = (): TencentKmsClient =>
      new TencentKmsClient({
        region,
        maxAttempts: 1,
        transport: officialClientTransport(
          officialClient(new URL(emulator.endpoint).host, region, { secretId, secretKey }),
        ),
      });
    const client = connect();
    const admin = new TencentKeyAdmin({ client });
    return {
      provider: new TencentKeyProvider({ client, ownsClient: true }),
      admin,
      keys: await createKeys(admin),
      faults: {
        fail: (count) => void emulator.faults.add({ kind: "internal-error", count }),
        hang: (count) => void emulator.faults.add({ kind: "hang", count }),
      },
      sibling: async () => new TencentKeyProvider({ client: connect(), ownsClient: true }),
      cleanup: () => bench.close(),
    };
  },
});
