import { createClient } from "saltmine";

const worker = `import "${import.meta.resolve("saltmine").replace("index.js", "worker.js")}";`;
const workerUrl = URL.createObjectURL(new Blob([worker], { type: "text/javascript" }));
export const makeClient = (options) => createClient({ workerUrl, ...options });
