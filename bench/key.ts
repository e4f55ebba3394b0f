// The wrapping key of the measurements, in a file of its own: processes that measure memory do not load the peer.
import { rawAesKey, type WrappingKey } from "@fengni/core";

export const KEY: Uint8Array = new Uint8Array(32).fill(7);

export function ourKey(): WrappingKey {
  return rawAesKey({ namespace: "bench", name: "key", key: KEY });
}
