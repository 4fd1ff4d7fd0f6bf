// Submits a job and watches it to its end. Knows of the server only its .proto files, its address and its token.
//
//   node submit.js PROTO_ROOT SERVER_JSON TOKEN_FILE < JOB_SPEC_AS_JSON
//
// Writes one JSON object a line; exits with 0 when the job has succeeded.

"use strict";

const crypto = require("node:crypto");
const fs = require("node:fs");
const grpc = require("@grpc/grpc-js");
const protoLoader = require("@grpc/proto-loader");

const [protoRoot, serverFile, tokenFile] = process.argv.slice(2);

function connect() {
  const definition = protoLoader.loadSync("i2vedit/v1/propagation_service.proto", {
    includeDirs: [protoRoot],
    keepCase: true,
    longs: String,
    enums: String,
    defaults: true,
    oneofs: true,
  });
  const { PropagationService } = grpc.loadPackageDefinition(definition).i2vedit.v1;
  const { address } = JSON.parse(fs.readFileSync(serverFile, "utf8"));
  return new PropagationService(address, grpc.credentials.createInsecure(), { "grpc.enable_http_proxy": 0 });
}

function authorization() {
  const metadata = new grpc.Metadata();
  metadata.set("authorization", `Bearer ${fs.readFileSync(tokenFile, "utf8").trim()}`);
  return metadata;
}

function tell(event) {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

function fail(error) {
  tell({ error: error.code, message: error.details });
  process.exitCode = 1;
}

function watch(client, name) {
  const stream = client.WatchJob({ name }, authorization());
  let state = "";
  stream.on("data", (response) => {
    state = response.event === "job" ? response.job.state : state;
    tell({ event: response.event, marker: response.resume_marker, state, frame: response.frame && response.frame.frame });
  });
  stream.on("error", fail);
  stream.on("end", () => {
    process.exitCode = state === "STATE_SUCCEEDED" ? 0 : 1;
    client.close();
  });
}

const client = connect();
const spec = JSON.parse(fs.readFileSync(0, "utf8"));
client.CreateJob({ request_id: crypto.randomUUID(), spec }, authorization(), (error, response) => {
  if (error) {
    fail(error);
    client.close();
    return;
  }
  watch(client, response.job.name);
});
