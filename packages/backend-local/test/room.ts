// A room with keys of every kind, for tests of single groups of operations.
import type { KeySpec, KeyState } from "@fengni/core";
import { SecretBytes } from "@fengni/crypto/secret";
import type { Authorizer } from "../src/access.js";
import { type Clock, ManualClock } from "../src/clock.js";
import { createId } from "../src/keys.js";
import type { KeyRecord } from "../src/records.js";
import { Regions } from "../src/regions.js";
import { Room } from "../src/room.js";
import { specOf } from "../src/specs.js";
import { MemoryRecordStore } from "../src/store-memory.js";

/** A room over memory, with the regions `local` and `elsewhere`. */
export function createRoom(options: { readonly clock?: Clock; readonly authorizer?: Authorizer } = {}): Room {
  const regions = new Regions([{ name: "local" }, { name: "elsewhere" }]);
  return new Room(new MemoryRecordStore(), options.clock ?? new ManualClock(), regions, options.authorizer);
}

const RSA_KEYS = 3;
const rsaMaterials: Uint8Array[] = [];
let rsaCount = 0;

/** New material. RSA keys take long to make: a few take turns, so that keys one after the other differ. */
async function materialOf(keySpec: KeySpec): Promise<Uint8Array> {
  if (keySpec !== "RSA_2048") return specOf(keySpec).generate();
  const turn = rsaCount++ % RSA_KEYS;
  rsaMaterials[turn] ??= await specOf(keySpec).generate();
  return Uint8Array.from(rsaMaterials[turn]);
}

/** Puts a key into a room: with material of its own, or an external one that waits for import. */
export async function putKey(room: Room, keySpec: KeySpec, fields: Partial<KeyRecord> = {}): Promise<KeyRecord> {
  const spec = specOf(keySpec);
  const material = await materialOf(keySpec);
  const isExternal = fields.origin === "external";
  return room.change(undefined, (records) => {
    const record: KeyRecord = {
      kind: "key",
      region: "local",
      id: createId(),
      sequence: records.nextSequence(),
      createdAtMs: 0,
      keySpec,
      keyUsage: spec.usages[0],
      origin: "provider",
      state: isExternal ? "pending-import" : "enabled",
      owner: "user",
      creator: "local",
      description: "",
      versions: isExternal ? 0 : 1,
      ...fields,
    };
    records.put(record);
    if (!isExternal) records.putSecret(record, 1, new SecretBytes(material));
    return record;
  });
}

/** Puts a key into another state, whatever the table says. */
export async function setState(room: Room, { region, id }: KeyRecord, state: KeyState): Promise<void> {
  await room.change(undefined, (records) => records.put({ ...room.current("key", region, id), state }));
}
