// tus-js-client, unchanged, doing what a user's browser does. One task as JSON in, one line of JSON out.
import { readFileSync } from "node:fs";
import * as tus from "tus-js-client";

const task = JSON.parse(process.argv[2]);
const content = readFileSync(task.path);
let requests = 0;

function options(more) {
  return {
    endpoint: task.endpoint,
    headers: task.headers,
    metadata: task.metadata ?? {},
    chunkSize: task.chunkSize ?? Infinity,
    retryDelays: task.retryDelays ?? [],
    uploadDataDuringCreation: task.withCreation ?? false,
    overridePatchMethod: task.overridePatchMethod ?? false,
    onBeforeRequest: () => { requests += 1; },
    ...more,
  };
}

// Upload until the end, or until so many bytes were accepted; then stop as a closed page does.
function run(abortAt, uploadUrl) {
  return new Promise((resolve, reject) => {
    const upload = new tus.Upload(content, options({
      uploadUrl,
      onError: reject,
      onSuccess: () => resolve({ url: upload.url, complete: true }),
      onChunkComplete: (_, accepted) => {
        if (abortAt && accepted >= abortAt) {
          upload.abort().then(() => resolve({ url: upload.url, accepted, complete: false }), reject);
        }
      },
    }));
    upload.start();
  });
}

const first = await run(task.abortAt);
let result = first;
if (task.then === "resume") {
  requests = 0;
  result = { ...(await run(0, first.url)), accepted: first.accepted };
}
if (task.then === "terminate") await tus.Upload.terminate(first.url, options({}));
console.log(JSON.stringify({ ...result, requests }));
