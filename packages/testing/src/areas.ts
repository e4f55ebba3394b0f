// The areas of the contract, in the order in which they run: the one that closes the subject is last.
import { asymmetricDecrypt } from "./areas/asymmetric-decrypt.js";
import { buffers } from "./areas/buffers.js";
import { cancellation } from "./areas/cancellation.js";
import { capabilities } from "./areas/capabilities.js";
import { concurrency } from "./areas/concurrency.js";
import { dataKeys } from "./areas/data-keys.js";
import { encryptDecrypt } from "./areas/encrypt-decrypt.js";
import { envelope } from "./areas/envelope.js";
import { errors } from "./areas/errors.js";
import { hygiene } from "./areas/hygiene.js";
import { importing } from "./areas/import.js";
import { keyLifecycle } from "./areas/key-lifecycle.js";
import { postQuantum } from "./areas/post-quantum.js";
import { reEncrypt } from "./areas/re-encrypt.js";
import { rotation } from "./areas/rotation.js";
import { shutdown } from "./areas/shutdown.js";
import { signVerify } from "./areas/sign-verify.js";
import type { Area } from "./kit.js";

/** Every area. */
export const AREAS: readonly Area[] = [
  capabilities,
  dataKeys,
  encryptDecrypt,
  reEncrypt,
  signVerify,
  asymmetricDecrypt,
  postQuantum,
  keyLifecycle,
  rotation,
  importing,
  concurrency,
  cancellation,
  errors,
  hygiene,
  buffers,
  envelope,
  shutdown,
];
