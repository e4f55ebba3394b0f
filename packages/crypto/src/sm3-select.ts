// The choice between the implementations of SM3, and their known-answer test. It must not know how an implementation does it.
import { equalBytes, hexToBytes } from "./bytes.js";
import type { HashEngine } from "./hash-checked.js";
import { createSelector, runtime, type Selector } from "./runtime.js";
import { createNodeSm3, createPortableSm3 } from "./sm3-engine.js";

// GB/T 32905-2016 appendix A.1, and the same text repeated to 3,072 bytes, which is long enough for node:crypto.
const TEXT = Uint8Array.of(0x61, 0x62, 0x63);
const PROBE_SHORT = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0";
const PROBE_LONG = "eac05c41373fca9bdcb9668b9d817207d0c65824411ed07716f74a409f51b0fa";

function probe(engine: HashEngine<"sm3">): boolean {
  const long = new Uint8Array(3072).map((_, i) => TEXT[i % 3] as number);
  const state = engine.begin("sm3");
  state.update(TEXT);
  return (
    equalBytes(engine.digest("sm3", [TEXT]), hexToBytes(PROBE_SHORT)) &&
    equalBytes(engine.digest("sm3", [long]), hexToBytes(PROBE_LONG)) &&
    equalBytes(state.digest(), hexToBytes(PROBE_SHORT))
  );
}

/** The choice of SM3. */
export const sm3Selector: Selector<HashEngine<"sm3">> = /* @__PURE__ */ createSelector<HashEngine<"sm3">>([
  {
    name: "node",
    create: () => (runtime.node === undefined ? undefined : createNodeSm3(runtime.node)),
    probe,
  },
  { name: "portable", create: () => createPortableSm3(), probe },
]);
