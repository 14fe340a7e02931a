// Creates a container: node azurite-container.js PORT ACCOUNT KEY CONTAINER. Ends with 0 when it is there.
const { createHmac } = require("crypto");
const { request } = require("http");

const [port, account, key, container] = process.argv.slice(2);
const path = `/${account}/${container}`;
const headers = { "x-ms-date": new Date().toUTCString(), "x-ms-version": "2023-11-03", "content-length": 0 };
const signed = [
  "PUT", ...Array(11).fill(""), // no header that is signed has a value
  `x-ms-date:${headers["x-ms-date"]}`, `x-ms-version:${headers["x-ms-version"]}`,
  `/${account}${path}`, "restype:container",
].join("\n");
const signature = createHmac("sha256", Buffer.from(key, "base64")).update(signed).digest("base64");
headers.authorization = `SharedKey ${account}:${signature}`;
const asked = request({ host: "127.0.0.1", port, method: "PUT", path: `${path}?restype=container`, headers }, (answer) => {
  answer.pipe(process.stdout);
  process.exitCode = answer.statusCode === 201 || answer.statusCode === 409 ? 0 : 1;
});
asked.on("error", (error) => { console.error(error); process.exitCode = 1; });
asked.end();
