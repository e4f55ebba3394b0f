// Where secure randomness comes from. It must not know how much of it is asked for.
import { createSelector, runtime, type Selector } from "./runtime.js";

// What getRandomValues gives at once at most (WebCrypto section 10.1.1).
const WEB_QUOTA = 65_536;

type Fill = (target: Uint8Array<ArrayBuffer>) => void;

/** A source of secure randomness. */
export interface RandomSource {
  readonly fill: Fill;
  /** Whether short requests come from a pool. */
  readonly isPooled: boolean;
}

function createWebFill(getRandomValues: Fill): Fill {
  return (target) => {
    for (let offset = 0; offset < target.length; offset += WEB_QUOTA) {
      getRandomValues(target.subarray(offset, offset + WEB_QUOTA));
    }
  };
}

// Randomness has no known answer: the probe catches a source that does nothing or repeats itself, no more.
function probe(source: RandomSource): boolean {
  const first = new Uint8Array(32);
  const second = new Uint8Array(32);
  source.fill(first);
  source.fill(second);
  return String(first) !== String(second) && first.some((byte) => byte !== 0) && second.some((byte) => byte !== 0);
}

/** The choice of the source of randomness. */
export const randomSelector: Selector<RandomSource> = /* @__PURE__ */ createSelector<RandomSource>([
  {
    name: "node",
    create() {
      const { node } = runtime;
      if (node === undefined) return undefined;
      return { fill: (target) => void node.randomFillSync(target), isPooled: true };
    },
    probe,
  },
  {
    name: "webcrypto",
    create() {
      const { getRandomValues } = runtime;
      return getRandomValues === undefined ? undefined : { fill: createWebFill(getRandomValues), isPooled: false };
    },
    probe,
  },
]);
