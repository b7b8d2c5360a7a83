// A real OpenID provider on 127.0.0.1, for tests. It reads `clients`, `accounts` and `claims` from the file named by
// its first argument, prints one line of JSON when it listens, and takes orders of the tests at `POST /orders`:
//   {"rotate": ["ES256"]}  new signing keys, the old ones gone
//   {"accounts": {...}}  other people from now on; {"clients": [...]} other clients
//   {"forge": {...}}     claims put over those of ID tokens before they are signed; null ends it
//   {"answer": {"path": "/token", "status": 200, "body": "..."}}  what to say at a path instead; null ends it
//   {"counts": true}     nothing; every order answers how often each path was asked for
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

import Provider from 'oidc-provider';
import * as jose from 'jose';

const settings = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const port = settings.port;
const issuer = `http://127.0.0.1:${port}`;
const counts = {};
let accounts = settings.accounts;
let forge = null;
let answer = null;
let keys = await newKeys(['RS256', 'PS256', 'ES256', 'EdDSA']);
let provider = build();

async function newKeys(algorithms) {
  return Promise.all(algorithms.map(async (alg) => {
    const { privateKey } = await jose.generateKeyPair(alg, { extractable: true, modulusLength: 2048 });
    const jwk = await jose.exportJWK(privateKey);
    return { ...jwk, alg, use: 'sig', kid: await jose.calculateJwkThumbprint(jwk) };
  }));
}

function build() {
  const made = new Provider(issuer, {
    clients: settings.clients,
    jwks: { keys },
    claims: settings.claims,
    conformIdTokenClaims: settings.conform,
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA', 'HS256'] },
    cookies: { keys: ['of a test alone'] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
    pkce: { required: () => true },
    scopes: ['openid', 'profile', 'email', 'groups'],
    findAccount: (ctx, id) => accounts[id] && { accountId: id, claims: () => ({ sub: id, ...accounts[id] }) },
    // The organisation has consented for its people.
    loadExistingGrant: async (ctx) => {
      const grant = new ctx.oidc.provider.Grant({
        clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId,
      });
      grant.addOIDCScope('openid profile email groups');
      await grant.save();
      return grant;
    },
  });
  made.use(async (ctx, next) => {
    await next();
    if (forge && ctx.path === '/token' && ctx.body?.id_token) {
      const claims = { ...jose.decodeJwt(ctx.body.id_token), ...forge.claims };
      for (const name of forge.without ?? []) delete claims[name];
      const { kid, alg } = jose.decodeProtectedHeader(ctx.body.id_token);
      const jwk = keys.find((key) => key.kid === kid);
      ctx.body.id_token = await new jose.SignJWT(claims).setProtectedHeader({ alg, kid })
        .sign(await jose.importJWK(jwk, alg));
    }
  });
  return made;
}

function read(request) {
  return new Promise((resolve) => {
    let text = '';
    request.on('data', (part) => { text += part; });
    request.on('end', () => resolve(text));
  });
}

async function orders(request, response) {
  const given = JSON.parse(await read(request));
  if (given.rotate) {
    keys = await newKeys(given.rotate);
    provider = build();
  }
  if (given.accounts) accounts = given.accounts;
  if (given.clients) {
    settings.clients = given.clients;
    provider = build();
  }
  if ('forge' in given) forge = given.forge;
  if ('answer' in given) answer = given.answer;
  response.end(JSON.stringify(counts));
}

async function interaction(request, response) {
  if (request.method === 'POST') {
    const form = new URLSearchParams(await read(request));
    const result = form.get('refuse')
      ? { error: 'access_denied', error_description: '<b>said by the provider</b>' }
      : { login: { accountId: form.get('account') } };
    await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
    return;
  }
  response.setHeader('content-type', 'text/html');
  response.end(`<!doctype html><html lang="en"><title>Provider</title><h1>Sign in at the provider</h1>
    <form method="post"><label>Account <input name="account"></label>
    <button>Continue</button><button name="refuse" value="1">Refuse</button></form></html>`);
}

const server = createServer((request, response) => {
  const path = new URL(request.url, issuer).pathname;
  if (path === '/orders') return orders(request, response);
  counts[path] = (counts[path] ?? 0) + 1;
  if (answer && path === answer.path) {
    response.statusCode = answer.status;
    response.setHeader('content-type', answer.type ?? 'application/json');
    return response.end(answer.body);
  }
  if (path.startsWith('/interaction/')) return interaction(request, response);
  if (path === '/favicon.ico') return response.end();
  return provider.callback()(request, response);
});
server.listen(port, '127.0.0.1', () => console.log(JSON.stringify({ issuer })));
// The tests hold the other end of this pipe: it closes when they end, however they end.
process.stdin.resume().on('end', () => process.exit(0));
