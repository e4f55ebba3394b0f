// The process of the emulator that the remote comparison calls: says where it is and who may call, and ends with its parent.
import { startEmulator } from "@fengni/emulator";

/** What the emulator's process says when it is ready. */
export interface RemoteService {
  readonly endpoint: string;
  readonly region: string;
  readonly secretId: string;
  readonly secretKey: string;
}

const { endpoint, region, secretId, secretKey } = await startEmulator({ console: false });
if (secretId === undefined || secretKey === undefined) throw new Error("the emulator made no credential");
const service: RemoteService = { endpoint, region, secretId, secretKey };
process.on("disconnect", () => process.exit(0));
process.send?.(service);
