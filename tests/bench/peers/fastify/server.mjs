// A peer of the benchmark: what both packages' documentation says, put together.
import { readFileSync } from "node:fs";

import proxy from "@fastify/http-proxy";
import { CognitoJwtVerifier } from "aws-jwt-verify";
import Fastify from "fastify";

const { PORT, UPSTREAM, JWKS, POOL_ID, CLIENT_ID } = process.env;

const verifier = CognitoJwtVerifier.create({
  userPoolId: POOL_ID,
  clientId: CLIENT_ID,
  tokenUse: "access",
});
verifier.cacheJwks(JSON.parse(readFileSync(JWKS, "utf8")));

async function verify(request, reply) {
  const field = request.headers.authorization;
  if (field === undefined) {
    return;
  }
  try {
    request.claims = await verifier.verify(field.replace(/^Bearer /, ""));
  } catch {
    return reply.code(401).send({ error: "invalid_token" });
  }
}

// The names are lower-case here whatever the client wrote.
function setIdentity(request, headers) {
  const forwarded = { ...headers };
  delete forwarded["x-cognito-sub"];
  delete forwarded["x-cognito-username"];
  if (request.claims !== null) {
    forwarded["x-cognito-sub"] = request.claims.sub;
    forwarded["x-cognito-username"] = request.claims.username;
  }
  return forwarded;
}

const server = Fastify();
server.decorateRequest("claims", null);
server.register(proxy, {
  upstream: UPSTREAM,
  preHandler: verify,
  replyOptions: { rewriteRequestHeaders: setIdentity },
  websocket: true,
  wsClientOptions: { rewriteRequestHeaders: (headers, request) => setIdentity(request, headers) },
});
await server.listen({ host: "127.0.0.1", port: Number(PORT) });
