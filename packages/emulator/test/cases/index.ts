// The calls of every action: one that is missing does not compile.
import type { ActionName } from "@fengni/kms-api";
import { ASYMMETRIC_CASES } from "./asymmetric.js";
import type { ActionCases } from "./case.js";
import { DATA_KEY_CASES } from "./data-keys.js";
import { KEY_LIFECYCLE_CASES } from "./key-lifecycle.js";
import { SERVICE_CASES } from "./service.js";
import { SYMMETRIC_CASES } from "./symmetric.js";
import { WHITE_BOX_CASES } from "./white-box.js";

export const CASES: ActionCases<ActionName> = {
  ...KEY_LIFECYCLE_CASES,
  ...SYMMETRIC_CASES,
  ...DATA_KEY_CASES,
  ...ASYMMETRIC_CASES,
  ...WHITE_BOX_CASES,
  ...SERVICE_CASES,
};
