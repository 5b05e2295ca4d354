// One verifier in a process of its own: reads batches of tokens, answers one letter for each.
//
// The first line is the settings (JSON); every other line a batch of tokens, base64, separated by
// commas. The answer is a line with A (accepted), R (refused) or C (crashed: an error that is not
// the library's own) for each token.

import { createInterface } from 'node:readline'
import { CognitoJwtVerifier } from 'aws-jwt-verify'
import { JwtBaseError } from 'aws-jwt-verify/error'
import { createLocalJWKSet, errors, jwtVerify } from 'jose'

/** AWS's own verifier, as its documentation sets it up. */
function awsJwtVerify({ jwks, pool_id: userPoolId, client_id: clientId }) {
  const verifier = CognitoJwtVerifier.create({ userPoolId, clientId, tokenUse: 'access' })
  verifier.cacheJwks(jwks)
  return {
    accepts: async (token) => Boolean(verifier.verifySync(token)),
    isOwn: (error) => error instanceof JwtBaseError,
  }
}

/** A general library, with every check it offers, and those that Cognito's guide asks for. */
function jose({ jwks, issuer, client_id: clientId, now }) {
  const keys = createLocalJWKSet(jwks)
  const options = {
    algorithms: ['RS256'],
    issuer,
    currentDate: new Date(now * 1000),
    requiredClaims: ['exp', 'sub', 'iss', 'token_use', 'client_id'],
  }
  return {
    accepts: async (token) => {
      const { payload } = await jwtVerify(token, keys, options)
      return payload.token_use === 'access' && payload.client_id === clientId
    },
    isOwn: (error) => error instanceof errors.JOSEError,
  }
}

const lines = createInterface({ input: process.stdin, crlfDelay: Infinity })[Symbol.asyncIterator]()
const settings = JSON.parse((await lines.next()).value)
Date.now = () => settings.now * 1000
const makers = { 'aws-jwt-verify': awsJwtVerify, jose }
const judge = makers[process.argv[2]](settings)

async function verdict(encoded) {
  try {
    return (await judge.accepts(Buffer.from(encoded, 'base64').toString('latin1'))) ? 'A' : 'R'
  } catch (error) {
    return judge.isOwn(error) ? 'R' : 'C'
  }
}

for await (const line of { [Symbol.asyncIterator]: () => lines }) {
  let verdicts = ''
  for (const encoded of line.split(',')) verdicts += await verdict(encoded)
  process.stdout.write(`${verdicts}\n`)
}
