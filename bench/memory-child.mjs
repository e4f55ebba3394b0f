// Streams 1 GiB in one way and prints the process's peak resident memory in MiB. Plain JavaScript, so that no loader's
// memory is counted; without arguments it loads nothing at all: the empty process.
const [mode, file] = process.argv.slice(2);

if (mode !== undefined) {
  const { createReadStream, createWriteStream } = await import("node:fs");
  const { Readable } = await import("node:stream");
  const { pipeline } = await import("node:stream/promises");
  const source = () => createReadStream(file);
  const target = () => createWriteStream(`${file}.${mode}`);
  const load = async () => {
    const { Envelope, rawAesKey } = await import("@fengni/core");
    const key = rawAesKey({ namespace: "bench", name: "key", key: new Uint8Array(32).fill(7) });
    return { envelope: new Envelope({ wrappingKeys: [key] }), node: await import("@fengni/core/node") };
  };
  const web = (pair) => Readable.toWeb(source()).pipeThrough(pair).pipeTo(new WritableStream());
  const ways = {
    copy: () => pipeline(source(), target()),
    encrypt: async () => {
      const { envelope, node } = await load();
      await pipeline(source(), node.createEncryptStream(envelope), target());
    },
    decrypt: async () => {
      const { envelope, node } = await load();
      await pipeline(source(), node.createDecryptStream(envelope), target());
    },
    "encrypt-web": async () => web((await load()).envelope.encryptStream()),
    "decrypt-web": async () => web((await load()).envelope.decryptStream()),
  };
  await ways[mode]();
}
process.stdout.write(String(process.resourceUsage().maxRSS / 1024));
