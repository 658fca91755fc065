// The protocol's reference server, on a free port that is printed once it listens.
import { FileStore } from "@tus/file-store";
import { Server } from "@tus/server";

const [, , folder, largest] = process.argv;
const server = new Server({
  path: "/files",
  maxSize: Number(largest),
  relativeLocation: true,
  datastore: new FileStore({ directory: folder, expirationPeriodInMilliseconds: 3_600_000 }),
});
const listening = server.listen({ host: "127.0.0.1", port: 0 }, () => console.log(listening.address().port));
