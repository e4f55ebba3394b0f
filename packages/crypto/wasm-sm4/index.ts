// What the module exports, in AssemblyScript. The caller writes its input to the addresses SOURCE and so on, and reads results from
// TARGET, Y, or SOURCE where they replace the input. It must keep to CAPACITY.

export { hash } from "./ghash";
export { CAPACITY, H, KEY, NONCE, SCHEDULE, SOURCE, TARGET, wipe, Y } from "./memory";
export { addKeyStream, cryptBlocks, decryptChain, encryptChain, expandKey, prepareKeys, prepareNonce } from "./sm4";
